//! One training process: started, listened to, and judged by how it ended.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::{ChildStdin, Command, ExitStatus, Stdio};
use std::time::Instant;

use anyhow::Context;
use kindling_formats::{Progress, Record};

use crate::kindling::Kindling;
use crate::runs::{Recorded, Run};
use crate::signal::INTERRUPTED;

/// What is the same for every run of a matrix.
#[derive(Debug)]
pub struct Setup {
    /// What trains.
    pub kindling: Kindling,
    /// Threads each run is given.
    pub threads: usize,
    /// Whether to train what is recorded by now.
    pub fresh: bool,
}

/// How a run ended.
#[derive(Debug, Default)]
pub struct Ended {
    /// Its record, in the finished folder or, if it failed, in the partial one;
    /// `None`: it was stopped, or not begun.
    pub record: Option<Record>,
    /// Why it failed, in a line; `None`: it did not.
    pub failure: Option<String>,
    /// What was wrong and did no harm, as a damaged checkpoint.
    pub warnings: Vec<String>,
}

impl Ended {
    /// The end of a run that could not begin. What its folders hold belongs to another
    /// process.
    fn not_begun(why: impl Into<String>) -> Self {
        Self {
            failure: Some(why.into()),
            ..Self::default()
        }
    }

    /// Whether it was stopped, or never begun for that reason.
    pub fn is_open(&self) -> bool {
        self.record.is_none() && self.failure.is_none()
    }
}

/// Why the process has left no result.
enum Failure {
    Stopped,
    Failed(String),
}

impl From<String> for Failure {
    fn from(why: String) -> Self {
        Self::Failed(why)
    }
}

/// Trains `run` in its partial folder and, if all went well, puts the result in
/// place. Never fails itself: what goes wrong is the run's failure.
///
/// `hold` is given the process's standard input: a line `stop` there stops it after
/// its epoch, its end at once.
pub fn train(
    run: &Run,
    setup: &Setup,
    hold: impl FnOnce(ChildStdin),
    progress: impl FnMut(Progress),
) -> Ended {
    let _lock = match run.lock() {
        Ok(Some(lock)) => lock,
        Ok(None) => return Ended::not_begun("another process trains it; wait for it, or stop it"),
        Err(error) => return Ended::not_begun(format!("{error:#}")),
    };
    // Another process may have trained it since it was found missing.
    if !setup.fresh && run.recorded() == Recorded::Answered {
        return Ended {
            record: run.finished.read_record().ok().flatten(),
            ..Ended::default()
        };
    }
    let start = Instant::now();
    let outcome = supervise(run, setup, hold, progress);
    let warnings = warnings(run);
    match outcome.and_then(|()| Ok(run.result()?)) {
        Ok(record) => {
            tidy_stderr(run);
            // A result that cannot be put in place stays whole where it is.
            let failure = run.finish().err().map(|error| format!("{error:#}"));
            Ended {
                record: Some(record),
                failure,
                warnings,
            }
        }
        Err(Failure::Stopped) => Ended {
            warnings,
            ..Ended::default()
        },
        Err(Failure::Failed(error)) => {
            let seconds = start.elapsed().as_secs_f64();
            Ended {
                record: Some(run.fail(&error, seconds, setup.kindling.revision(), setup.threads)),
                failure: Some(error),
                warnings,
            }
        }
    }
}

/// What it said to warn of.
fn warnings(run: &Run) -> Vec<String> {
    let said = std::fs::read(run.partial.stderr()).unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    let warnings = said
        .lines()
        .filter_map(|line| line.strip_prefix("warning: "));
    warnings.map(str::to_string).collect()
}

/// Runs the process to its end.
fn supervise(
    run: &Run,
    setup: &Setup,
    hold: impl FnOnce(ChildStdin),
    mut progress: impl FnMut(Progress),
) -> Result<(), Failure> {
    let line = |error: anyhow::Error| format!("{error:#}");
    run.begin().map_err(line)?;
    let stderr = File::create(run.partial.stderr())
        .context("cannot write stderr.txt")
        .map_err(line)?;
    let mut command = setup.kindling.train(run.partial.path(), setup.threads);
    command
        .arg("--progress")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(stderr);
    // Not of the terminal's group: Ctrl-C is for us to hear, and theirs to be told.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let status = listen(&mut command, hold, &mut progress)
        .context("cannot run the training binary")
        .map_err(line)?;
    if status.success() {
        return Ok(());
    }
    if status.code() == Some(INTERRUPTED.into()) {
        return Err(Failure::Stopped);
    }
    let said = std::fs::read(run.partial.stderr()).unwrap_or_default();
    Err(reason(status, &String::from_utf8_lossy(&said)).into())
}

/// Passes on each line of progress until the process ends.
fn listen(
    command: &mut Command,
    hold: impl FnOnce(ChildStdin),
    progress: &mut impl FnMut(Progress),
) -> std::io::Result<ExitStatus> {
    let mut child = command.spawn()?;
    if let Some(stdin) = child.stdin.take() {
        hold(stdin);
    }
    if let Some(stdout) = child.stdout.take() {
        // Anything else on a line is noise of a library, and no reason to stop.
        for line in BufReader::new(stdout).split(b'\n') {
            match line {
                Ok(line) => {
                    if let Ok(step) = serde_json::from_slice(&line) {
                        progress(step);
                    }
                }
                Err(_) => break,
            }
        }
    }
    child.wait()
}

/// A successful run has no need of an empty `stderr.txt`.
fn tidy_stderr(run: &Run) {
    let path = run.partial.stderr();
    if path.metadata().is_ok_and(|data| data.len() == 0) {
        let _ = std::fs::remove_file(path);
    }
}

/// Why a process failed: its last words, and what ended it if not itself.
pub fn reason(status: ExitStatus, stderr: &str) -> String {
    let words = stderr
        .lines()
        .map(str::trim)
        // A panic's hint on backtraces is not the reason.
        .rfind(|line| !line.is_empty() && !line.starts_with("note: "))
        .map(|line| line.strip_prefix("error: ").unwrap_or(line));
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        let words = words.map(|words| format!(" after: {words}"));
        return format!("killed by signal {signal}{}", words.unwrap_or_default());
    }
    match (words, status.code()) {
        (Some(words), _) => words.to_string(),
        (None, Some(code)) => format!("exit code {code}"),
        (None, None) => "it was killed".into(),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    #[test]
    fn the_reason_is_the_last_line_or_the_code() {
        let exit = |code: i32| ExitStatus::from_raw(code << 8);
        let panic = "thread main panicked\nout of range\nnote: run with RUST_BACKTRACE=1\n\n";
        assert_eq!(reason(exit(101), panic), "out of range");
        assert_eq!(reason(exit(1), "error: loss is NaN\n"), "loss is NaN");
        assert_eq!(reason(exit(3), ""), "exit code 3");
        assert_eq!(reason(ExitStatus::from_raw(9), ""), "killed by signal 9");
        assert_eq!(
            reason(ExitStatus::from_raw(9), "a warning\n"),
            "killed by signal 9 after: a warning"
        );
    }
}
