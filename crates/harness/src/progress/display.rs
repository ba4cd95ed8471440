//! The forms in which progress can be shown.

use std::io::Write;

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProgressDisplay {
    /// burn-train's dashboard, for a person at a terminal.
    Dashboard,
    /// One line of text per epoch, and one every ten seconds within long epochs, for a pipe or
    /// a log.
    Lines,
    /// A [`Progress`](kindling_formats::Progress) in JSON a few times a second, for the
    /// program that has started this training.
    Json,
}

/// Prints a line of `text` to standard output. If nothing reads standard output any more,
/// the training continues.
pub fn report_progress(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// Prints a warning to standard error.
pub(crate) fn report_warning(problem: String) {
    let _ = writeln!(std::io::stderr().lock(), "warning: {problem}");
}
