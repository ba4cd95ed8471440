//! Commands whose standard output cannot be written: a full disk is an error, and a closed pipe
//! is not.
#![cfg(target_os = "linux")] // /dev/full
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use std::fs::File;
use std::process::{Command, Output, Stdio};

use common::{Place, stderr};

/// Runs a command with its standard output on a full disk.
fn to_full_disk(mut command: Command) -> Output {
    let full = File::options().write(true).open("/dev/full").unwrap();
    command
        .stdout(full)
        .stderr(Stdio::piped())
        .output()
        .unwrap()
}

/// A command without the flag `--out`.
fn plain(place: &Place, words: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command
        .args(words.split(' '))
        .env("KINDLING_BIN", place.path("kindling"));
    command
}

#[test]
fn a_full_disk_behind_standard_output_is_an_error() {
    let place = Place::new();
    assert!(
        place
            .xtask("experiments")
            .output()
            .unwrap()
            .status
            .success()
    );
    let mut commands = Vec::new();
    for words in [
        "experiments --list",
        "experiments --list --json",
        "experiments --json",
        "claims",
        "claims --json",
        "watch",
        "watch --json",
        "report",
        "parity --backend flex,ndarray",
    ] {
        commands.push((words, place.xtask(words)));
    }
    for words in [
        "--help",
        "help",
        "experiments --help",
        "backends",
        "backends --json",
        "completions bash",
    ] {
        commands.push((words, plain(&place, words)));
    }
    for (words, command) in commands {
        let output = to_full_disk(command);
        let printed = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{words}: {printed}");
        let problem = "cannot write standard output: No space left on device";
        assert_eq!(printed.matches(problem).count(), 1, "{words}: {printed}");
        assert!(!printed.contains("panicked"), "{words}: {printed}");
    }
}

#[test]
fn a_matrix_trains_to_its_end_even_if_standard_output_fails() {
    let place = Place::new();
    let matrix = || place.xtask("experiments --only mlp --seeds 2");
    let output = to_full_disk(matrix());
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert_eq!(place.trained().len(), 4);
    assert!(place.out().join("report/report.md").exists());
    // A second call has nothing to train, and fails again.
    assert_eq!(to_full_disk(matrix()).status.code(), Some(1));
    assert!(place.trained().is_empty());
    // Other errors keep their exit code.
    assert_eq!(
        to_full_disk(place.xtask("experiments --set no.key=1"))
            .status
            .code(),
        Some(2)
    );
    let mut failing = place.xtask("experiments --only mlp --seeds 3");
    failing.env("FAKE_FAIL", "mlp 2");
    assert_eq!(to_full_disk(failing).status.code(), Some(1));
}

#[test]
fn a_closed_pipe_is_not_an_error() {
    let place = Place::new();
    for words in [
        "experiments --only mlp --seeds 2",
        "experiments --list",
        "claims --json",
        "watch",
        "--help",
    ] {
        let mut command = if words == "--help" {
            plain(&place, words)
        } else {
            place.xtask(words)
        };
        // A pipe whose other end is closed.
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = command
            .stdout(writer)
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        let printed = stderr(&output);
        assert_eq!(output.status.code(), Some(0), "{words}: {printed}");
        assert!(!printed.contains("standard output"), "{words}: {printed}");
    }
    assert_eq!(place.trained().len(), 4);
}
