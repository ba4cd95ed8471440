//! Standard output and standard error. If standard output cannot be written, as on a full
//! disk, that is an error. If its reader closed the pipe, the program ends without an error.

use std::io::{self, Write};
use std::path::Path;

use kindling_harness::RunError;

/// Whether a path on the command line is `-`, which means standard input or output.
pub fn is_standard_stream(path: &Path) -> bool {
    path == Path::new("-")
}

/// Prints `text` and a line break to standard output.
///
/// # Errors
///
/// If standard output cannot be written, as on a full disk.
pub fn print(text: &str) -> Result<(), RunError> {
    let mut output = io::stdout().lock();
    writeln!(output, "{text}")
        .and_then(|()| output.flush())
        .map_err(stdout_error)
}

/// Writes `bytes`, and nothing else, to standard output.
///
/// # Errors
///
/// If standard output cannot be written, as on a full disk.
pub fn print_bytes(bytes: &[u8]) -> Result<(), RunError> {
    let mut output = io::stdout().lock();
    output
        .write_all(bytes)
        .and_then(|()| output.flush())
        .map_err(stdout_error)
}

/// Turns an error of writing to standard output into a [`RunError`]. If the reader closed
/// the pipe, as `head` does, this function ends the program with exit code 0 instead.
pub fn stdout_error(error: io::Error) -> RunError {
    if error.kind() == io::ErrorKind::BrokenPipe {
        std::process::exit(0);
    }
    RunError::Other(format!(
        "cannot write to standard output: {error}; free some space, or redirect the output to \
         another place"
    ))
}

/// Prints an error, a warning or a note to standard error.
#[expect(clippy::print_stderr, reason = "errors and warnings belong there")]
pub fn print_to_stderr(text: &str) {
    eprintln!("{text}");
}

/// Prints what clap reports, and returns the exit code. Help and version go to standard
/// output, errors to standard error.
///
/// # Errors
///
/// If help or version cannot be written to standard output.
pub fn print_clap_report(report: &clap::Error) -> Result<i32, RunError> {
    let printed = report.print().and_then(|()| io::stdout().flush());
    match printed {
        Err(problem) if !report.use_stderr() => Err(stdout_error(problem)),
        _ => Ok(report.exit_code()),
    }
}

/// The error of an argument that does not fit the other arguments.
pub fn argument_error(argument: &str, problem: impl ToString) -> RunError {
    let (argument, problem) = (argument.to_string(), problem.to_string());
    kindling_formats::Error::Argument { argument, problem }.into()
}
