//! A place to run xtask in: a temporary folder, and a script in kindling's stead.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::path::{Path, PathBuf};

use kindling_formats::{Layout, Record, RunDir, Size, VERSION};
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// What the tests train with: it writes a complete record at once.
///
/// `FAKE_FAIL` and `FAKE_KILL` are patterns of `cell seed` that fail or are
/// killed, `FAKE_DATA` what is wrong with the data, `FAKE_PROGRAM` the digest of the
/// program, `FAKE_STEPS` the steps that parity takes, `FAKE_SPREAD` a cell whose losses differ by seed, `FAKE_LOG` a file that gets
/// a line for each run, `FAKE_HOLD` a file that a run waits for. With `FAKE_STOP` a
/// run waits to be told to stop, and then for that file.
const KINDLING: &str = include_str!("kindling.sh");

/// A temporary folder with a fake kindling in it.
pub struct Place {
    folder: TempDir,
}

impl Place {
    /// An empty one.
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

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where results go.
    pub fn out(&self) -> PathBuf {
        self.path("out")
    }

    /// The tree of runs that differ from the study's files.
    pub fn variant(&self, name: &str) -> Layout {
        Layout::new(&self.out(), Size::Full).variant(name)
    }

    /// The folder of the finished run of `cell` with `seed`.
    pub fn finished(&self, cell: &str, seed: u64) -> RunDir {
        Layout::new(&self.out(), Size::Full).finished(cell, seed)
    }

    /// The folder in which it trains, or has failed.
    pub fn partial(&self, cell: &str, seed: u64) -> RunDir {
        Layout::new(&self.out(), Size::Full).partial(cell, seed)
    }

    /// The record of a finished run.
    pub fn record(&self, cell: &str, seed: u64) -> Record {
        self.finished(cell, seed).read_record().unwrap().unwrap()
    }

    /// `xtask WORDS --out OUT`, to be given more.
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

    /// The runs that trained since the last call: `cell seed`, sorted.
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

/// The text of the study's `study.toml` without the figures at its end: these name cells
/// that a study of a few cells does not have.
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

/// What a command said on standard output.
pub fn stdout(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What a command said on standard error.
pub fn stderr(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Presses Ctrl-C, as far as `child` is concerned. Where a script has started these tests
/// with `&`, it ignores that, and is asked to end.
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

/// Waits for `what`, two minutes at most.
pub fn wait_until(mut what: impl FnMut() -> bool) {
    let start = Instant::now();
    while !what() {
        assert!(start.elapsed() < Duration::from_secs(120), "waited in vain");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Makes `folder` a data set in MNIST's place, of MNIST's test images, which serve as
/// training images too. Returns its files.
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
