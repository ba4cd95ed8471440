//! The output in a terminal, which tmux emulates: the dashboard of burn-train, and plain lines
//! if the terminal cannot draw.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use common::{Place, wait_until};

/// A terminal that runs a shell. It is closed when this value is dropped.
struct Terminal {
    socket: String,
}

impl Terminal {
    /// Opens a terminal with this number of columns and lines. `None` if tmux is not installed.
    #[track_caller]
    fn open(name: &str, columns: u32, lines: u32) -> Option<Self> {
        kindling_testing::program("tmux", "install tmux")?;
        let terminal = Self {
            socket: format!("kindling-{name}-{columns}-{}", std::process::id()),
        };
        let size = ["-x", &columns.to_string(), "-y", &lines.to_string()].map(str::to_string);
        let mut new = terminal.tmux(&["-f", "/dev/null", "new-session", "-d"]);
        // The variable CI is removed: with it, a program would not draw.
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

    /// Types a line, or presses a key that tmux knows by name.
    fn press(&self, keys: &[&str]) {
        let sent = self.tmux(&["send-keys"]).args(keys).status().unwrap();
        assert!(sent.success());
    }

    fn screen(&self) -> String {
        let Output { stdout, .. } = self.tmux(&["capture-pane", "-p"]).output().unwrap();
        String::from_utf8_lossy(&stdout).into_owned()
    }

    /// Waits until the screen shows all of `words`, and returns it.
    fn wait_for(&self, words: &[&str]) -> String {
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

/// A path, quoted for the shell in the terminal.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display())
}

/// Starts a training of many epochs, and waits for the dashboard.
fn begin(terminal: &Terminal, out: &Path) {
    begin_with(terminal, out, "");
    terminal.wait_for(&["Accuracy", "Learning Rate", "Epochs", "Train", "Valid"]);
}

fn begin_with(terminal: &Terminal, out: &Path, more: &str) {
    let line = format!(
        "clear; {} train mlp --quick --set epochs=500 --out {} {more}; echo code $?; stty -a",
        quoted(Path::new(env!("CARGO_BIN_EXE_xtask"))),
        quoted(out)
    );
    terminal.press(&[&line, "Enter"]);
    terminal.wait_for(&["Accuracy", "Learning Rate", "Epochs"]);
}

/// Checks that the training has stopped, and that the shell can use the terminal again.
fn check_terminal_is_restored(terminal: &Terminal) -> String {
    let screen = terminal.wait_for(&["was stopped", "code 130", "-echoprt"]);
    let modes: Vec<&str> = screen.split_whitespace().collect();
    for mode in ["isig", "icanon", "echo", "opost"] {
        assert!(modes.contains(&mode), "{mode} in: {screen}");
    }
    assert!(!screen.contains("panicked"), "{screen}");
    terminal.press(&["clear", "Enter"]);
    terminal.press(&["echo a shell $((6 * 7))", "Enter"]);
    terminal.wait_for(&["a shell 42"]);
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
        terminal.wait_for(&["0 of 4 done, 2 begun", "mlp 0"]);
        // Watching can be stopped and started again. It ends when the matrix has ended.
        terminal.press(&["C-c"]);
        terminal.press(&["echo left $((6 * 7))", "Enter"]);
        terminal.wait_for(&["left 42"]);
        terminal.press(&[&line, "Enter"]);
        terminal.wait_for(&["0 of 4 done, 2 begun"]);
        std::fs::write(place.path("hold"), "").unwrap();
        let screen = terminal.wait_for(&["4 of 4 done, 0 begun", "mlp-10 1  done in 0:02"]);
        // The last view has replaced the earlier ones.
        assert_eq!(screen.matches("of 4 done").count(), 1, "{screen}");
        assert!(matrix.wait().unwrap().success());
    }
}

#[test]
fn ctrl_c_and_the_quit_key_stop_a_training_and_restore_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    for (columns, lines) in [(80, 24), (200, 50)] {
        let Some(terminal) = Terminal::open("quit", columns, lines) else {
            return;
        };
        let out = folder.path().join(columns.to_string());
        let partial = out.join("train/quick/runs/mlp/seed-0.partial");
        begin(&terminal, &out);
        terminal.press(&["Right"]);
        // One Ctrl-C stops the training after its epoch.
        terminal.press(&["C-c"]);
        check_terminal_is_restored(&terminal);
        assert!(partial.join("checkpoint").exists());
        // Two Ctrl-C stop the training at once, in the middle of a long epoch.
        let long = "--set data.train=60000 --set batch_size=8";
        begin_with(
            &terminal,
            &folder.path().join(format!("{columns}-long")),
            long,
        );
        terminal.press(&["C-c"]);
        terminal.wait_for(&["Status: stopping"]);
        terminal.press(&["C-c"]);
        let screen = check_terminal_is_restored(&terminal);
        assert!(!screen.contains("stopped after"), "{screen}");
        // The dashboard has its own keys to stop. It asks for confirmation.
        for (key, answer) in [("s", "Stop the training."), ("k", "Kill the program")] {
            begin(&terminal, &out);
            terminal.press(&["q"]);
            terminal.wait_for(&["Quit", answer]);
            terminal.press(&[key]);
            check_terminal_is_restored(&terminal);
        }
        // Each training continued from the one before.
        let first = std::fs::read_to_string(partial.join("history.csv")).unwrap();
        assert!(first.lines().count() > 1, "{first}");
        assert!(!partial.join("record.json").exists());
    }
}

/// Runs `line` in the terminal, and returns all bytes that were sent to the terminal, including
/// escape codes. `end` is a word that is printed after the line has ended.
fn sent(terminal: &Terminal, log: &Path, line: &str, end: &str) -> String {
    let _ = std::fs::remove_file(log);
    let pipe = format!("cat > {}", quoted(log));
    let piped = terminal.tmux(&["pipe-pane", &pipe]).status().unwrap();
    assert!(piped.success());
    // The terminal also shows the typed line. So the typed text must differ from the printed text
    // that this function waits for.
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

/// Settings of the environment, and whether a program may draw on the terminal with them.
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
        // Plain lines show the start and the end of a run. Bars do not show the start.
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
        // The dashboard switches to the alternate screen with this escape code.
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
