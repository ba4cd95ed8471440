//! Functions for programs that run in a terminal: handling Ctrl-C, keeping signals ignored
//! that were ignored when the program started, and detecting whether progress bars and
//! dashboards can be drawn.

#[cfg_attr(unix, path = "unix.rs")]
#[cfg_attr(not(unix), path = "other.rs")]
mod signals;

use std::ffi::OsStr;
use std::io::IsTerminal;

pub use signals::{is_interrupt_ignored, on_interrupt};

/// Whether progress bars and dashboards can be drawn on `stream`. If not, a program should
/// print plain lines, as it does to a pipe.
///
/// This is true if `stream` is a terminal, the environment variable `TERM` does not say that
/// the terminal cannot move its cursor, and `CI` is not set. `TERM` is `dumb` or missing in
/// some editors. Build servers, which show the output as a log, set `CI`; its values "", "0"
/// and "false" count as not set.
pub fn can_draw(stream: &impl IsTerminal) -> bool {
    let variable = |name| std::env::var_os(name);
    stream.is_terminal()
        && variables_allow_drawing(variable("TERM").as_deref(), variable("CI").as_deref())
}

/// Whether the values of `TERM` and `CI` allow progress bars and dashboards.
fn variables_allow_drawing(term: Option<&OsStr>, ci: Option<&OsStr>) -> bool {
    let is_one_of = |value: &OsStr, words: &[&str]| words.iter().any(|word| value == *word);
    // Windows does not set `TERM`, and its terminals can move the cursor.
    let can_move_cursor = term.map_or(cfg!(windows), |term| !is_one_of(term, &["", "dumb"]));
    can_move_cursor && ci.is_none_or(|ci| is_one_of(ci, &["", "0", "false"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawing_depends_on_the_variables_term_and_ci() {
        for (term, ci, expected) in [
            (Some("xterm"), None, true),
            (Some("xterm"), Some("false"), true),
            (Some("xterm"), Some(""), true),
            (Some("xterm"), Some("true"), false),
            (Some("xterm"), Some("1"), false),
            (Some("dumb"), None, false),
            (Some(""), None, false),
            (None, None, cfg!(windows)),
        ] {
            let can_draw = variables_allow_drawing(term.map(OsStr::new), ci.map(OsStr::new));
            assert_eq!(can_draw, expected, "TERM={term:?} CI={ci:?}");
        }
    }
}
