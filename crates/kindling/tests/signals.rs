//! Signals to a training in the foreground. A signal that was ignored when the training
//! started stays ignored. Every other signal stops the training after the current epoch.
#![cfg(unix)]

mod common;

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::{write_config, write_images};

/// Starts a training with the shell command `start`, in which `$@` stands for the command
/// line of kindling. Sends the signal `name` after the first of so many `epochs`, and returns the
/// exit code.
fn exit_code(start: &str, name: &str, epochs: usize) -> Option<i32> {
    let folder = tempfile::tempdir().expect("a folder");
    let images = write_images(&folder.path().join("images"), 2000, 50);
    let task = format!(
        "[data]\ndir = {images:?}\n[model]\nhidden = [32]\ndropout = 0.0\n[train]\nepochs = {epochs}\n\
         batch_size = 5\noptimizer.sgd = {{ learning_rate = 0.01, momentum = 0.0, nesterov = false, weight_decay = 0.0 }}"
    );
    let run = write_config(&folder.path().join("run"), "classifier", &task);
    let mut child = Command::new("sh")
        .args(["-c", start, "sh"])
        .arg(env!("CARGO_BIN_EXE_kindling"))
        .arg("train")
        .arg(run.path())
        .env("RAYON_NUM_THREADS", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a shell");
    let started = Instant::now();
    while !run.history().exists() && started.elapsed() < Duration::from_secs(120) {
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(!run.record().exists(), "it ended too early");
    let kill = format!("kill -{name} {}", child.id());
    let killed = Command::new("sh").args(["-c", &kill]).status();
    assert!(killed.expect("a shell").success());
    let code = child.wait().expect("it ends").code();
    assert_eq!(code == Some(0), run.record().exists(), "{start} {name}");
    code
}

#[test]
fn a_signal_that_was_ignored_at_the_start_stays_ignored() {
    for name in ["HUP", "INT", "TERM"] {
        let ignored = format!("trap '' {name}; exec \"$@\"");
        assert_eq!(exit_code(&ignored, name, 12), Some(0), "{name} is ignored");
    }
    // There are so many epochs that the training cannot end before the signal.
    for name in ["HUP", "TERM"].into_iter().filter(|name| !is_ignored(name)) {
        let code = exit_code("exec \"$@\"", name, 1000);
        assert_eq!(code, Some(130), "{name} stops it");
    }
}

/// Whether the program that runs the tests ignores a signal, as `nohup` ignores SIGHUP. Its children
/// then ignore it, too.
fn is_ignored(name: &str) -> bool {
    let survives = Command::new("sh")
        .args(["-c", &format!("kill -{name} $$")])
        .status();
    survives.expect("a shell").success()
}
