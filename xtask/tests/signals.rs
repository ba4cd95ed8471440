//! Ctrl-C, through the real binary with a script in kindling's stead.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use common::{Place, stderr, stdout, until};

/// A matrix of three runs, of which two train and wait to be told to stop.
fn begin(place: &Place, more: &str) -> Child {
    let child = place
        .xtask(&format!("experiments --only mlp --seeds 2 --jobs 2 {more}"))
        .env("FAKE_STOP", place.path("stop"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    until(|| lines(&place.path("log")) == 2);
    child
}

fn lines(path: &Path) -> usize {
    std::fs::read_to_string(path)
        .unwrap_or_default()
        .lines()
        .count()
}

fn interrupt(child: &Child) {
    let kill = format!("kill -INT {}", child.id());
    let killed = Command::new("sh").args(["-c", &kill]).status().unwrap();
    assert!(killed.success());
}

/// The end of a command that was stopped: it says how to go on, and does.
fn stopped(place: &Place, child: Child) -> Output {
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    let said = stdout(&output);
    assert!(said.contains("stopped with 4 runs to go"), "{said}");
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
    assert!(stderr(&again).contains("2 of them begun already"));
    assert_eq!(place.trained().len(), 4);
    output
}

#[test]
fn once_the_trainings_end_with_their_epoch() {
    let place = Place::new();
    let child = begin(&place, "");
    interrupt(&child);
    std::thread::sleep(Duration::from_millis(600));
    std::fs::write(place.path("stop"), "").unwrap(); // their epochs end
    let output = stopped(&place, child);
    assert!(stderr(&output).contains("stopping after the epochs at work"));
    assert!(stderr(&output).contains("stopped mlp"));
}

#[test]
fn twice_they_end_at_once() {
    let place = Place::new();
    // Like kindling, the script ends with its standard input: it has read no line.
    let child = begin(&place, "");
    interrupt(&child);
    interrupt(&child);
    std::thread::sleep(Duration::from_millis(300));
    std::fs::write(place.path("stop"), "").unwrap();
    stopped(&place, child);
}
