//! Prints lines on standard output and standard error.
//!
//! `println!` panics if a line cannot be written. These functions do not, because a training
//! must not fail when its output is closed. A closed pipe, as after `| head`, is not an error.
//! Any other failure of standard output, such as a full disk, is reported at once, and the
//! command ends with exit code 1.

use std::fmt::Display;
use std::io::{ErrorKind, Write};
use std::process::ExitCode;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether `--quiet` was given.
static QUIET: AtomicBool = AtomicBool::new(false);

/// The first failure of standard output.
static FAILURE: OnceLock<ErrorKind> = OnceLock::new();

/// Lets this program print only results, warnings and errors from now on.
pub fn set_quiet() {
    QUIET.store(true, Ordering::Relaxed);
}

/// Whether only results, warnings and errors are printed.
pub fn is_quiet() -> bool {
    QUIET.load(Ordering::Relaxed)
}

/// Prints a result as a line on standard output.
pub fn print(line: impl Display) {
    check(writeln!(std::io::stdout().lock(), "{line}"));
}

/// Prints a value on standard output as a line of JSON.
///
/// # Errors
///
/// If the value cannot be written as JSON.
pub fn print_json(value: &impl serde::Serialize) -> serde_json::Result<()> {
    print(serde_json::to_string(value)?);
    Ok(())
}

/// Prints a line about progress on standard error, unless `--quiet` was given.
pub fn note(line: impl Display) {
    if !is_quiet() {
        warn(line);
    }
}

/// Prints a warning or an error as a line on standard error.
pub fn warn(line: impl Display) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// Whether standard output has accepted all lines so far. If not, printing more is useless.
pub fn is_read() -> bool {
    FAILURE.get().is_none()
}

/// The exit code of a command that would end with `code`. It is 1 instead of 0 if standard
/// output failed for another reason than a closed pipe.
pub fn exit_code(code: ExitCode) -> ExitCode {
    check(std::io::stdout().lock().flush());
    match FAILURE.get() {
        None | Some(ErrorKind::BrokenPipe) => code,
        Some(_) if code == ExitCode::SUCCESS => ExitCode::FAILURE,
        Some(_) => code,
    }
}

/// Keeps the first failure of standard output, and prints it unless the pipe was closed.
fn check(written: std::io::Result<()>) {
    if let Err(error) = written
        && FAILURE.set(error.kind()).is_ok()
        && error.kind() != ErrorKind::BrokenPipe
    {
        warn(format_args!("error: cannot write standard output: {error}"));
    }
}
