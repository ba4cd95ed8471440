//! burn-train's dashboard in a terminal of its own, by tmux. Skipped where there is none.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use common::{Place, until};

/// A terminal with a shell in it, closed when this is dropped.
struct Terminal {
    socket: String,
}

impl Terminal {
    /// Of so many columns and lines; `None` where tmux is not installed.
    fn open(name: &str, columns: u32, lines: u32) -> Option<Self> {
        let terminal = Self {
            socket: format!("kindling-{name}-{columns}-{}", std::process::id()),
        };
        let size = ["-x", &columns.to_string(), "-y", &lines.to_string()].map(str::to_string);
        let mut new = terminal.tmux(&["-f", "/dev/null", "new-session", "-d"]);
        let started = new.args(size).args(["env", "PS1=$ ", "sh"]).status();
        started.is_ok().then_some(terminal)
    }

    fn tmux(&self, words: &[&str]) -> Command {
        let mut command = Command::new("tmux");
        command.args(["-L", &self.socket]).args(words);
        command
    }

    /// Types a line, or presses a key that tmux has a name for.
    fn press(&self, keys: &[&str]) {
        let sent = self.tmux(&["send-keys"]).args(keys).status().unwrap();
        assert!(sent.success());
    }

    fn screen(&self) -> String {
        let Output { stdout, .. } = self.tmux(&["capture-pane", "-p"]).output().unwrap();
        String::from_utf8_lossy(&stdout).into_owned()
    }

    /// Waits until the screen shows all of `words`, and returns it.
    fn shows(&self, words: &[&str]) -> String {
        let start = Instant::now();
        loop {
            let screen = self.screen();
            if words.iter().all(|word| screen.contains(word)) {
                return screen;
            }
            assert!(
                start.elapsed() < Duration::from_secs(120),
                "no {words:?} in:\n{screen}"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.tmux(&["kill-server"]).status();
    }
}

/// Begins a training of many epochs, and waits for the dashboard.
fn begin(terminal: &Terminal, out: &Path) {
    begin_with(terminal, out, "");
    terminal.shows(&["Accuracy", "Learning Rate", "Epochs", "Train", "Valid"]);
}

fn begin_with(terminal: &Terminal, out: &Path, more: &str) {
    let line = format!(
        "clear; {} train mlp --quick --set epochs=500 --out {} {more}; echo code $?; stty -a",
        env!("CARGO_BIN_EXE_xtask"),
        out.display()
    );
    terminal.press(&[&line, "Enter"]);
    terminal.shows(&["Accuracy", "Learning Rate", "Epochs"]);
}

/// The training has ended, and the terminal is a shell's again.
fn gave_back(terminal: &Terminal) -> String {
    let screen = terminal.shows(&["is stopped", "code 130", "-echoprt"]);
    let modes: Vec<&str> = screen.split_whitespace().collect();
    for mode in ["isig", "icanon", "echo", "opost"] {
        assert!(modes.contains(&mode), "{mode} in: {screen}");
    }
    assert!(!screen.contains("panicked"), "{screen}");
    terminal.press(&["clear", "Enter"]);
    terminal.press(&["echo a shell $((6 * 7))", "Enter"]);
    terminal.shows(&["a shell 42"]);
    screen
}

#[test]
fn a_matrix_is_watched_on_a_terminal() {
    for (columns, lines) in [(80, 24), (200, 50)] {
        let Some(terminal) = Terminal::open("watch", columns, lines) else {
            return;
        };
        let place = Place::new();
        let words = "experiments --only mlp --seeds 2 --jobs 2";
        let mut matrix = place
            .xtask(words)
            .env("FAKE_HOLD", place.path("hold"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        until(|| place.out().join("matrix.json").exists());
        let out = place.out();
        let line = format!(
            "clear; {} watch --out {}",
            env!("CARGO_BIN_EXE_xtask"),
            out.display()
        );
        terminal.press(&[&line, "Enter"]);
        terminal.shows(&["0 of 4 done, 2 begun", "mlp 0"]);
        // It can be left and opened again, and ends with the matrix.
        terminal.press(&["C-c"]);
        terminal.press(&["echo left $((6 * 7))", "Enter"]);
        terminal.shows(&["left 42"]);
        terminal.press(&[&line, "Enter"]);
        terminal.shows(&["0 of 4 done, 2 begun"]);
        std::fs::write(place.path("hold"), "").unwrap();
        let screen = terminal.shows(&["4 of 4 done, 0 begun", "mlp-10 1  done in 0:02"]);
        // One view, not one below the other.
        assert_eq!(screen.matches("of 4 done").count(), 1, "{screen}");
        assert!(matrix.wait().unwrap().success());
    }
}

#[test]
fn ctrl_c_and_the_quit_key_stop_a_training_and_give_the_terminal_back() {
    let folder = tempfile::tempdir().unwrap();
    for (columns, lines) in [(80, 24), (200, 50)] {
        let Some(terminal) = Terminal::open("quit", columns, lines) else {
            return;
        };
        let out = folder.path().join(columns.to_string());
        let partial = out.join("train/quick/runs/mlp/seed-0.partial");
        begin(&terminal, &out);
        terminal.press(&["Right"]);
        // Ctrl-C ends it with its epoch.
        terminal.press(&["C-c"]);
        gave_back(&terminal);
        assert!(partial.join("checkpoint").exists());
        // Twice, at once: in the midst of an epoch, and not after it.
        let long = "--set data.train=60000 --set batch_size=8";
        begin_with(
            &terminal,
            &folder.path().join(format!("{columns}-long")),
            long,
        );
        terminal.press(&["C-c"]);
        terminal.shows(&["Status: stopping"]);
        terminal.press(&["C-c"]);
        let screen = gave_back(&terminal);
        assert!(!screen.contains("stopped after"), "{screen}");
        // The dashboard's own keys, which ask before.
        for (key, answer) in [("s", "Stop the training."), ("k", "Kill the program")] {
            begin(&terminal, &out);
            terminal.press(&["q"]);
            terminal.shows(&["Quit", answer]);
            terminal.press(&[key]);
            gave_back(&terminal);
        }
        // What was stopped so often goes on still.
        let first = std::fs::read_to_string(partial.join("history.csv")).unwrap();
        assert!(first.lines().count() > 1, "{first}");
        assert!(!partial.join("record.json").exists());
    }
}
