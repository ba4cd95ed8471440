//! A temporary folder in which tests run xtask, with a script that stands in for kindling.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::path::{Path, PathBuf};

use kindling_formats::{Layout, Record, RunDir, Size, VERSION};
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The script that stands in for kindling. It writes a complete record at once. Environment
/// variables change what it does:
///
/// - `FAKE_LOG`: a file to which each run adds a line.
/// - `FAKE_VERSION`: the version of Kindling in records.
/// - `FAKE_PROGRAM`: the digest of the program in records.
/// - `FAKE_FAIL`, `FAKE_KILL`: a pattern of `cell seed`; such runs fail or are killed.
/// - `FAKE_DIVERGE`: a pattern of `cell seed`; such runs diverge.
/// - `FAKE_SCORES`: a file of lines `cell seed accuracy loss`, which such runs have.
/// - `FAKE_SECONDS`: the seconds in records.
/// - `FAKE_HOLD`: a file that each run waits for.
/// - `FAKE_STOP`: each run waits for a line on its standard input, and then for this file.
/// - `FAKE_DATA`: an error about the data.
/// - `FAKE_GPU`: if it is set, there is a GPU.
/// - `FAKE_STEPS`: the steps that parity takes.
/// - `FAKE_PART`: the step of parity in which a gradient differs.
/// - `FAKE_SPREAD`: a cell whose test loss differs between seeds.
/// - `FAKE_WORSE`: a backend with a lower test accuracy.
const KINDLING: &str = include_str!("kindling.sh");

/// A temporary folder with a fake kindling in it.
pub struct Place {
    folder: TempDir,
}

impl Place {
    /// Creates the folder, and writes the script to it.
    pub fn new() -> Self {
        let place = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        let script = place.path("kindling");
        std::fs::write(&script, KINDLING).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&script, PermissionsExt::from_mode(0o755)).unwrap();
        }
        place
    }

    /// The path of the file or folder `name` in the temporary folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The output folder.
    pub fn out(&self) -> PathBuf {
        self.path("out")
    }

    /// The folder of the variant `name`.
    pub fn variant(&self, name: &str) -> Layout {
        Layout::new(&self.out(), Size::Full).variant(name)
    }

    /// The result folder of the run of `cell` with `seed`.
    pub fn finished(&self, cell: &str, seed: u64) -> RunDir {
        Layout::new(&self.out(), Size::Full).finished(cell, seed)
    }

    /// The training folder of the run of `cell` with `seed`.
    pub fn partial(&self, cell: &str, seed: u64) -> RunDir {
        Layout::new(&self.out(), Size::Full).partial(cell, seed)
    }

    /// The record of the complete run of `cell` with `seed`.
    pub fn record(&self, cell: &str, seed: u64) -> Record {
        self.finished(cell, seed).read_record().unwrap().unwrap()
    }

    /// The command `xtask WORDS --out OUT`. The caller may add arguments.
    pub fn xtask(&self, words: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command
            .args(words.split_whitespace())
            .arg("--out")
            .arg(self.out())
            .env("KINDLING_BIN", self.path("kindling"))
            .env("FAKE_LOG", self.path("log"))
            .env("FAKE_VERSION", VERSION);
        command
    }

    /// The runs that were trained since the last call, as `cell seed`, sorted.
    pub fn trained(&self) -> Vec<String> {
        let log = self.path("log");
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        let _ = std::fs::remove_file(log);
        let mut runs: Vec<String> = text.lines().map(str::to_string).collect();
        runs.sort();
        runs
    }
}

/// The repository's configs.
pub fn configs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs")
}

/// The text of the study's `study.toml` without the figures at its end. The figures name cells
/// that a smaller study does not have.
pub fn study_without_figures() -> String {
    let text = std::fs::read_to_string(configs().join("study.toml")).unwrap();
    let (before, _) = text.split_once("[[figures.").unwrap();
    before.to_string()
}

/// Copies a folder.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The standard output of a command.
pub fn stdout(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The standard error of a command.
pub fn stderr(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Sends `child` the signal of Ctrl-C. If these tests run in the background of a script, `child`
/// ignores that signal, and is sent SIGTERM instead.
pub fn interrupt(child: &std::process::Child) {
    let name = match kindling_terminal::is_interrupt_ignored() {
        true => "TERM",
        false => "INT",
    };
    signal(name, child.id());
}

/// Sends a process a signal.
pub fn signal(name: &str, process: u32) {
    let kill = format!("kill -{name} {process}");
    let killed = Command::new("sh").args(["-c", &kill]).status().unwrap();
    assert!(killed.success());
}

/// Waits until `condition` returns true, and fails after two minutes.
#[track_caller]
pub fn wait_until(mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(
            start.elapsed() < Duration::from_secs(120),
            "the condition was not met in two minutes"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Creates a data set in `folder`. Its training and test images are both the test images of
/// MNIST. Returns its files.
pub fn other_data(folder: &Path) -> Vec<PathBuf> {
    std::fs::create_dir(folder).unwrap();
    let mnist = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/datasets/mnist");
    let mut files = Vec::new();
    for kind in ["images-idx3-ubyte.gz", "labels-idx1-ubyte.gz"] {
        for split in ["train", "t10k"] {
            let path = folder.join(format!("{split}-{kind}"));
            std::fs::copy(mnist.join(format!("t10k-{kind}")), &path).unwrap();
            files.push(path);
        }
    }
    files
}
