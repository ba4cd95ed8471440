//! Standard output: what cannot be written there is an error, but for a reader who has
//! had enough.

use std::io::{self, Write};

use kindling_harness::RunError;

/// Prints `text` and ends the line.
///
/// # Errors
///
/// If standard output cannot be written, as on a full disk.
pub fn print(text: &str) -> Result<(), RunError> {
    let mut output = io::stdout().lock();
    writeln!(output, "{text}")
        .and_then(|()| output.flush())
        .map_err(unwritten)
}

/// Writes `bytes` to standard output, and nothing else.
///
/// # Errors
///
/// As of [`print()`].
pub fn print_bytes(bytes: &[u8]) -> Result<(), RunError> {
    let mut output = io::stdout().lock();
    output
        .write_all(bytes)
        .and_then(|()| output.flush())
        .map_err(unwritten)
}

/// The error of writing to standard output. Where its reader has closed it, as `head`
/// does, this process ends well and without a word.
pub fn unwritten(error: io::Error) -> RunError {
    if error.kind() == io::ErrorKind::BrokenPipe {
        std::process::exit(0);
    }
    RunError::Other(format!(
        "cannot write to standard output: {error}; make room there, or send it somewhere else"
    ))
}

/// Says `text` on standard error.
#[expect(clippy::print_stderr, reason = "where errors go")]
pub fn complain(text: &str) {
    eprintln!("{text}");
}

/// Prints what clap has to say: help and version on standard output, errors on standard
/// error. Returns the exit code.
pub fn print_clap(error: &clap::Error) -> Result<i32, RunError> {
    let printed = error.print().and_then(|()| io::stdout().flush());
    match printed {
        Err(problem) if !error.use_stderr() => Err(unwritten(problem)),
        _ => Ok(error.exit_code()),
    }
}

/// The error of a flag that does not fit the others.
pub fn misused(flag: &str, problem: impl ToString) -> RunError {
    let (argument, problem) = (flag.to_string(), problem.to_string());
    kindling_formats::Error::Argument { argument, problem }.into()
}
