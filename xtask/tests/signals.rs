//! Ctrl-C and other signals while a matrix trains. A script stands in for kindling.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use common::{Place, interrupt, signal, stderr, stdout, wait_until};

/// Starts a matrix of four runs. Returns when two of them train and wait for a request to stop.
fn begin(place: &Place, more: &str) -> Child {
    let child = place
        .xtask(&format!("experiments --only mlp --seeds 2 --jobs 2 {more}"))
        .env("FAKE_STOP", place.path("stop"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_until(|| lines(&place.path("log")) == 2);
    child
}

fn lines(path: &Path) -> usize {
    std::fs::read_to_string(path)
        .unwrap_or_default()
        .lines()
        .count()
}

/// Checks that a stopped matrix prints how to continue, and that the same command does continue.
fn stopped(place: &Place, child: Child) -> Output {
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    let printed = stdout(&output);
    assert!(printed.contains("stopped with 4 runs to go"), "{printed}");
    for seed in 0..2 {
        assert!(place.partial("mlp", seed).config().exists());
        assert!(
            !place.partial("mlp", seed).record().exists(),
            "not a failure"
        );
    }
    place.trained();
    let again = place
        .xtask("experiments --only mlp --seeds 2")
        .output()
        .unwrap();
    assert!(again.status.success(), "{}", stderr(&again));
    assert!(stderr(&again).contains("2 runs begun before"));
    assert_eq!(place.trained().len(), 4);
    output
}

#[test]
fn after_one_ctrl_c_trainings_end_with_their_epoch() {
    let place = Place::new();
    let child = begin(&place, "");
    interrupt(&child);
    std::thread::sleep(Duration::from_millis(600));
    std::fs::write(place.path("stop"), "").unwrap(); // lets the epochs of the runs end
    let output = stopped(&place, child);
    assert!(stderr(&output).contains("stopping after the current epochs"));
    assert!(stderr(&output).contains("stopped mlp"));
}

#[test]
fn after_two_ctrl_c_trainings_end_at_once() {
    let place = Place::new();
    // The second Ctrl-C closes the standard input of the script, and it ends, as kindling does.
    let child = begin(&place, "");
    interrupt(&child);
    interrupt(&child);
    std::thread::sleep(Duration::from_millis(300));
    std::fs::write(place.path("stop"), "").unwrap();
    stopped(&place, child);
}

/// Starts a matrix with the shell line `start`, in which `$@` is the command of the matrix, and
/// sends it the signal `name` while two runs train. Returns how it ended.
fn sent(start: &str, name: &str) -> (ExitStatus, Place) {
    let place = Place::new();
    let mut xtask = place.xtask("experiments --only mlp --seeds 2 --jobs 2");
    xtask.env("FAKE_HOLD", place.path("hold"));
    let mut shell = Command::new("sh");
    shell.args(["-c", start, "sh"]).arg(xtask.get_program());
    shell.args(xtask.get_args());
    shell.envs(
        xtask
            .get_envs()
            .filter_map(|(key, value)| Some((key, value?))),
    );
    let mut child = shell
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .current_dir(place.path(""))
        .spawn()
        .unwrap();
    wait_until(|| lines(&place.path("log")) == 2);
    // The shell has written the process number of the matrix to this file.
    let process = std::fs::read_to_string(place.path("pid")).unwrap();
    signal(name, process.trim().parse().unwrap());
    std::thread::sleep(Duration::from_millis(300));
    std::fs::write(place.path("hold"), "").unwrap();
    let status = child.wait().unwrap();
    (status, place)
}

#[test]
fn a_signal_that_is_ignored_at_the_start_stays_ignored() {
    let foreground = "echo $$ > pid; exec \"$@\"";
    for (start, name) in [
        ("trap '' HUP; echo $$ > pid; exec \"$@\"", "HUP"),
        ("echo $$ > pid; exec nohup \"$@\"", "HUP"),
        ("trap '' INT; echo $$ > pid; exec \"$@\"", "INT"),
        ("trap '' TERM; echo $$ > pid; exec \"$@\"", "TERM"),
        // In a shell without job control, a command in the background ignores Ctrl-C.
        ("\"$@\" & echo $! > pid; wait $!", "INT"),
    ] {
        let (status, place) = sent(start, name);
        assert!(status.success(), "{start}: {status}");
        assert_eq!(place.trained().len(), 4, "{start}");
    }
    // A signal that is not ignored stops the matrix, even if another signal is ignored.
    for (start, name) in [
        (foreground, "HUP"),
        (foreground, "TERM"),
        ("trap '' HUP; echo $$ > pid; exec \"$@\"", "TERM"),
    ] {
        let (status, place) = sent(start, name);
        assert_eq!(status.code(), Some(130), "{start} {name}");
        assert_eq!(place.trained().len(), 2, "{start} {name}");
    }
}
