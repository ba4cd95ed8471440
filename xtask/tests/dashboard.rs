//! What is shown in a terminal, by tmux: burn-train's dashboard, and plain lines where a
//! terminal cannot draw.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use common::{Place, wait_until};

/// A terminal with a shell in it, closed when this is dropped.
struct Terminal {
    socket: String,
}

impl Terminal {
    /// Of so many columns and lines; `None` where tmux is not installed.
    #[track_caller]
    fn open(name: &str, columns: u32, lines: u32) -> Option<Self> {
        kindling_testing::program("tmux", "install tmux")?;
        let terminal = Self {
            socket: format!("kindling-{name}-{columns}-{}", std::process::id()),
        };
        let size = ["-x", &columns.to_string(), "-y", &lines.to_string()].map(str::to_string);
        let mut new = terminal.tmux(&["-f", "/dev/null", "new-session", "-d"]);
        // On a build server, too, it is a terminal to draw on.
        let shell = ["env", "-u", "CI", "PS1=$ ", "sh"];
        let started = new.args(size).args(shell).status().unwrap();
        assert!(started.success(), "tmux does not start");
        Some(terminal)
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

/// A path as a word for the terminal's shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display())
}

/// Begins a training of many epochs, and waits for the dashboard.
fn begin(terminal: &Terminal, out: &Path) {
    begin_with(terminal, out, "");
    terminal.shows(&["Accuracy", "Learning Rate", "Epochs", "Train", "Valid"]);
}

fn begin_with(terminal: &Terminal, out: &Path, more: &str) {
    let line = format!(
        "clear; {} train mlp --quick --set epochs=500 --out {} {more}; echo code $?; stty -a",
        quoted(Path::new(env!("CARGO_BIN_EXE_xtask"))),
        quoted(out)
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
        wait_until(|| place.out().join("matrix.json").exists());
        let out = place.out();
        let line = format!(
            "clear; {} watch --out {}",
            quoted(Path::new(env!("CARGO_BIN_EXE_xtask"))),
            quoted(&out)
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

/// What a program sends to the terminal while `line` runs there: the bytes, as they are.
fn sent(terminal: &Terminal, log: &Path, line: &str, end: &str) -> String {
    let _ = std::fs::remove_file(log);
    let pipe = format!("cat > {}", quoted(log));
    let piped = terminal.tmux(&["pipe-pane", &pipe]).status().unwrap();
    assert!(piped.success());
    // Not as one word: the line that is typed is sent back as well.
    terminal.press(&[&format!("{line}; echo {end} '' over"), "Enter"]);
    let end = format!("{end}  over");
    let mut printed = String::new();
    wait_until(|| {
        let bytes = std::fs::read(log).unwrap_or_default();
        printed = String::from_utf8_lossy(&bytes).into_owned();
        printed.contains(&end)
    });
    terminal.tmux(&["pipe-pane"]).status().unwrap();
    printed
}

/// What says of a terminal whether it can draw, and whether it does.
const TERMINALS: [(&str, bool); 4] = [
    ("env TERM=dumb", false),
    ("env -u TERM", false),
    ("env CI=true", false),
    ("env", true),
];

#[test]
fn a_terminal_that_cannot_draw_gets_plain_lines() {
    let Some(terminal) = Terminal::open("dumb", 100, 40) else {
        return;
    };
    let place = Place::new();
    let (log, xtask) = (place.path("sent"), env!("CARGO_BIN_EXE_xtask"));
    let xtask = quoted(Path::new(xtask));
    let fake = format!(
        "KINDLING_BIN={} FAKE_LOG={} FAKE_VERSION={}",
        quoted(&place.path("kindling")),
        quoted(&place.path("log")),
        kindling_formats::VERSION
    );
    let experiments = "experiments --only mlp --seeds 1 --jobs 1";
    for (number, (terms, draws)) in TERMINALS.iter().enumerate() {
        let (out, draws) = (quoted(&place.path(&number.to_string())), *draws);
        let line = format!("{terms} {fake} {xtask} {experiments} --out {out}");
        let printed = sent(&terminal, &log, &line, &format!("matrix{number}"));
        assert_eq!(printed.contains('\x1b'), draws, "{terms}: {printed:?}");
        // A line for the start of a run and one for its end; bars show no start.
        assert_eq!(
            printed.contains("start   mlp 0"),
            !draws,
            "{terms}: {printed}"
        );
        assert!(printed.contains("done    mlp 0"), "{terms}: {printed}");

        let line = format!("{terms} {xtask} watch --out {out}");
        let printed = sent(&terminal, &log, &line, &format!("watch{number}"));
        assert!(printed.contains("2 of 2 done"), "{terms}: {printed}");
        assert!(draws || !printed.contains('\x1b'), "{terms}: {printed:?}");
    }
}

#[test]
fn a_terminal_that_cannot_draw_gets_no_dashboard() {
    let Some(terminal) = Terminal::open("lines", 100, 40) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("sent");
    let xtask = quoted(Path::new(env!("CARGO_BIN_EXE_xtask")));
    for (number, (terms, draws)) in TERMINALS.iter().enumerate() {
        let out = quoted(&folder.path().join(number.to_string()));
        let line = format!("{terms} {xtask} train linear --quick --out {out}");
        let printed = sent(&terminal, &log, &line, &format!("train{number}"));
        // The dashboard is on the alternate screen.
        assert_eq!(
            printed.contains("\x1b[?1049h"),
            *draws,
            "{terms}: {printed:?}"
        );
        assert_eq!(
            printed.contains("epoch   1/1  train"),
            !draws,
            "{terms}: {printed}"
        );
    }
}
