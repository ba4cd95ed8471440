//! Runs one training process: starts it, reads its progress, and returns how it ended as a
//! [`RunEnd`].

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::{ChildStdin, Command, ExitStatus, Stdio};
use std::time::Instant;

use kindling_formats::{Progress, Record};

use crate::program::TrainingProgram;
use crate::slot::{Recorded, RunSlot};
use crate::{Result, RunnerError};

/// The exit code of a training that was stopped before its last epoch: 128 plus the number
/// of SIGINT, as in shells.
pub const INTERRUPTED: u8 = 130;

/// The options that are the same for all runs of a matrix.
#[derive(Debug, Clone)]
pub struct TrainingSetup {
    /// The program that trains.
    pub program: TrainingProgram,
    /// The number of threads that each run uses.
    pub threads: usize,
    /// Whether to train a run that has its result already.
    pub fresh: bool,
}

/// How a run ended.
#[derive(Debug, Default)]
pub struct RunEnd {
    /// The record of the run. It is in the result folder or, if the run failed, in the
    /// training folder. `None` for a run that was stopped or not started.
    pub record: Option<Record>,
    /// Why the run failed, in one line; `None` for a run that did not fail.
    pub failure: Option<String>,
    /// Problems that did not stop the run, such as a damaged checkpoint.
    pub warnings: Vec<String>,
}

impl RunEnd {
    /// The end of a run that could not start. Its folders belong to another process, so
    /// nothing is written there.
    fn not_started(reason: impl Into<String>) -> Self {
        Self {
            failure: Some(reason.into()),
            ..Self::default()
        }
    }

    /// Whether the run was stopped, or not started because the others were stopped.
    pub fn is_unfinished(&self) -> bool {
        self.record.is_none() && self.failure.is_none()
    }
}

/// Why a process wrote no result.
enum ProcessError {
    /// The training was stopped.
    Stopped,
    /// The training failed for this reason.
    Failed(String),
}

impl From<String> for ProcessError {
    fn from(reason: String) -> Self {
        Self::Failed(reason)
    }
}

impl From<RunnerError> for ProcessError {
    fn from(error: RunnerError) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Trains `run` in its training folder. If the training succeeds, that folder becomes the
/// result folder. Every error is returned as the failure of the run.
///
/// `keep_stdin` receives the standard input of the process. The line `stop` written there
/// stops the training after its epoch, and closing it stops the training at once.
pub(crate) fn train(
    run: &RunSlot,
    setup: &TrainingSetup,
    keep_stdin: impl FnOnce(ChildStdin),
    report_progress: impl FnMut(Progress),
) -> RunEnd {
    let _lock = match run.lock() {
        Ok(Some(lock)) => lock,
        Ok(None) => {
            let reason = "another process is training this run; wait for it, or stop it";
            return RunEnd::not_started(reason);
        }
        Err(error) => return RunEnd::not_started(error.to_string()),
    };
    // Another process may have trained the run since it was found missing.
    if !setup.fresh && run.recorded() == Recorded::Complete {
        return RunEnd {
            record: run.result.read_record().ok().flatten(),
            ..RunEnd::default()
        };
    }
    let start = Instant::now();
    let ended = run_process(run, setup, keep_stdin, report_progress);
    let warnings = read_warnings(run);
    match ended.and_then(|()| Ok(run.read_result()?)) {
        Ok(record) => {
            remove_empty_stderr(run);
            // If the folder cannot be renamed, the complete result stays in the training folder.
            let failure = run.publish().err().map(|error| error.to_string());
            RunEnd {
                record: Some(record),
                failure,
                warnings,
            }
        }
        Err(ProcessError::Stopped) => RunEnd {
            warnings,
            ..RunEnd::default()
        },
        Err(ProcessError::Failed(reason)) => {
            let seconds = start.elapsed().as_secs_f64();
            let revision = &setup.program.revision;
            let (record, problem) = run.record_failure(&reason, seconds, revision, setup.threads);
            let problem = problem.map(|problem| problem.to_string());
            RunEnd {
                record: Some(record),
                failure: Some(reason),
                warnings: warnings.into_iter().chain(problem).collect(),
            }
        }
    }
}

/// Starts the process and waits for its end.
fn run_process(
    run: &RunSlot,
    setup: &TrainingSetup,
    keep_stdin: impl FnOnce(ChildStdin),
    mut report_progress: impl FnMut(Progress),
) -> std::result::Result<(), ProcessError> {
    run.begin()?;
    let stderr = run.training.stderr();
    let stderr = File::create(&stderr).map_err(RunnerError::io("write", &stderr))?;
    let mut command = setup
        .program
        .train_command(run.training.path(), setup.threads);
    command
        .arg("--progress")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(stderr);
    // The training has its own process group, so that it does not receive Ctrl-C from the
    // terminal. The caller receives Ctrl-C and decides what to do.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let status = read_progress(&mut command, keep_stdin, &mut report_progress, setup)?;
    if status.success() {
        return Ok(());
    }
    if status.code() == Some(INTERRUPTED.into()) {
        return Err(ProcessError::Stopped);
    }
    let stderr = std::fs::read(run.training.stderr()).unwrap_or_default();
    Err(failure_reason(status, &String::from_utf8_lossy(&stderr)).into())
}

/// Starts the process, reports each line of progress, and waits until the process ends.
fn read_progress(
    command: &mut Command,
    keep_stdin: impl FnOnce(ChildStdin),
    report_progress: &mut impl FnMut(Progress),
    setup: &TrainingSetup,
) -> Result<ExitStatus> {
    let failed = |action| {
        let program = setup.program.path.clone();
        move |source| RunnerError::Program {
            action,
            program,
            source,
        }
    };
    let mut child = command.spawn().map_err(failed("start"))?;
    if let Some(stdin) = child.stdin.take() {
        keep_stdin(stdin);
    }
    if let Some(stdout) = child.stdout.take() {
        // Libraries may print other lines. They are skipped.
        for line in BufReader::new(stdout).split(b'\n') {
            let Ok(line) = line else { break };
            if let Ok(progress) = serde_json::from_slice(&line) {
                report_progress(progress);
            }
        }
    }
    child.wait().map_err(failed("wait for"))
}

/// The lines that begin with `warning: ` in what the training wrote to standard error.
fn read_warnings(run: &RunSlot) -> Vec<String> {
    let stderr = std::fs::read(run.training.stderr()).unwrap_or_default();
    let stderr = String::from_utf8_lossy(&stderr);
    let warnings = stderr
        .lines()
        .filter_map(|line| line.strip_prefix("warning: "));
    warnings.map(str::to_string).collect()
}

/// Removes `stderr.txt` if nothing was written to it.
fn remove_empty_stderr(run: &RunSlot) {
    let path = run.training.stderr();
    if path.metadata().is_ok_and(|data| data.len() == 0) {
        let _ = std::fs::remove_file(path);
    }
}

/// Why a process failed, in one line: the last line of its standard error, its exit code,
/// or the signal that ended it.
pub fn failure_reason(status: ExitStatus, stderr: &str) -> String {
    let last_line = stderr
        .lines()
        .map(str::trim)
        // This skips the hint on backtraces that follows a panic.
        .rfind(|line| !line.is_empty() && !line.starts_with("note: "))
        .map(|line| line.strip_prefix("error: ").unwrap_or(line));
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        let last_line = last_line.map(|line| format!(" after: {line}"));
        return format!("killed by signal {signal}{}", last_line.unwrap_or_default());
    }
    match (last_line, status.code()) {
        (Some(line), _) => line.to_string(),
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
        assert_eq!(failure_reason(exit(101), panic), "out of range");
        assert_eq!(
            failure_reason(exit(1), "error: loss is NaN\n"),
            "loss is NaN"
        );
        assert_eq!(failure_reason(exit(3), ""), "exit code 3");
        let killed = ExitStatus::from_raw(9);
        assert_eq!(failure_reason(killed, ""), "killed by signal 9");
        assert_eq!(
            failure_reason(killed, "a warning\n"),
            "killed by signal 9 after: a warning"
        );
    }
}
