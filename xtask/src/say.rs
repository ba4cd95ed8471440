//! Lines to the terminal or the pipe. `println!` panics where a line cannot be written;
//! these do not, since a training that nobody watches still counts. A reader who has
//! gone, as after `| head`, has read enough. Any other failure of standard output, as a
//! full disk, is said at once and makes the command end with exit code 1.

use std::fmt::Display;
use std::io::{ErrorKind, Write};
use std::process::ExitCode;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether nothing is said but results, warnings and errors.
static QUIET: AtomicBool = AtomicBool::new(false);

/// Why standard output could not be written the first time.
static UNWRITTEN: OnceLock<ErrorKind> = OnceLock::new();

/// From now on nothing is said but results, warnings and errors.
pub fn hush() {
    QUIET.store(true, Ordering::Relaxed);
}

/// Whether that was asked.
pub fn is_hushed() -> bool {
    QUIET.load(Ordering::Relaxed)
}

/// A line on standard error on what is going on.
pub fn note(line: impl Display) {
    if !is_hushed() {
        err(line);
    }
}

/// A value as a line of JSON on standard output.
///
/// # Errors
///
/// If a number in it is none.
pub fn json(value: &impl serde::Serialize) -> serde_json::Result<()> {
    out(serde_json::to_string(value)?);
    Ok(())
}

/// A line on standard output.
pub fn out(line: impl Display) {
    look(writeln!(std::io::stdout().lock(), "{line}"));
}

/// Whether standard output has taken all lines so far. Where it has not, no later line
/// will be read either.
pub fn is_heard() -> bool {
    UNWRITTEN.get().is_none()
}

/// The exit code of a command that would end with `code`: a failure instead of a success
/// where standard output could not be written and somebody still reads it.
pub fn code(code: ExitCode) -> ExitCode {
    look(std::io::stdout().lock().flush());
    match UNWRITTEN.get() {
        None | Some(ErrorKind::BrokenPipe) => code,
        Some(_) if code == ExitCode::SUCCESS => ExitCode::FAILURE,
        Some(_) => code,
    }
}

/// Keeps the first failure of standard output, and says what it is.
fn look(written: std::io::Result<()>) {
    if let Err(error) = written
        && UNWRITTEN.set(error.kind()).is_ok()
        && error.kind() != ErrorKind::BrokenPipe
    {
        err(format_args!("error: cannot write standard output: {error}"));
    }
}

/// A line on standard error: a warning, or an error.
pub fn err(line: impl Display) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// A number of four significant digits, as losses are shown; `-` where there is
/// none.
pub fn number(value: Option<f64>) -> String {
    match value {
        None => "-".into(),
        Some(value) if value != 0.0 && value.abs() < 1e-3 => format!("{value:.1e}"),
        Some(value) if value.abs() >= 1e4 => format!("{value:.1e}"),
        Some(value) if value.abs() >= 100.0 => format!("{value:.1}"),
        Some(value) if value.abs() >= 10.0 => format!("{value:.2}"),
        Some(value) => format!("{value:.4}"),
    }
}

/// Seconds as a clock shows them: `0:07`, `12:30`, `1:02:30`.
pub fn clock(seconds: f64) -> String {
    let seconds = seconds.max(0.0).round() as u64;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

/// `text`, or its beginning and `...` where it is longer than `width`.
pub fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_string();
    }
    let kept: String = text.chars().take(width.saturating_sub(3)).collect();
    format!("{}...", kept.trim_end())
}

/// `1 run`, `2 runs`.
pub fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_width() {
        for (value, shown) in [
            (None, "-"),
            (Some(0.0), "0.0000"),
            (Some(0.071_23), "0.0712"),
            (Some(0.000_12), "1.2e-4"),
            (Some(19.456), "19.46"),
            (Some(345.67), "345.7"),
            (Some(1e9), "1.0e9"),
            (Some(f64::NAN), "NaN"),
        ] {
            assert_eq!(number(value), shown);
        }
    }

    #[test]
    fn clocks_and_cuts() {
        assert_eq!(clock(7.4), "0:07");
        assert_eq!(clock(3750.0), "1:02:30");
        assert_eq!(cut("a long line", 8), "a lon...");
        assert_eq!(cut("short", 8), "short");
    }
}
