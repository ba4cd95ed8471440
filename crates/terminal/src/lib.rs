//! What a program owes to whoever started it: a signal that they ignore stays ignored,
//! and nothing is drawn where their terminal cannot draw.

#[cfg_attr(unix, path = "unix.rs")]
#[cfg_attr(not(unix), path = "other.rs")]
mod signals;

use std::ffi::OsStr;
use std::io::IsTerminal;

pub use signals::{is_interrupt_ignored, on_interrupt};

/// Whether `stream` is a terminal that can move its cursor, so that bars and dashboards
/// can be drawn on it. Where it is not, plain lines are right, as in a pipe.
///
/// A terminal cannot where the variable `TERM` is `dumb` or missing, as in some editors,
/// and is not asked to where `CI` is set: what a build server shows is a log.
pub fn can_draw(stream: &impl IsTerminal) -> bool {
    let variable = |name| std::env::var_os(name);
    stream.is_terminal() && draws(variable("TERM").as_deref(), variable("CI").as_deref())
}

/// Whether a terminal draws, by the variables `TERM` and `CI`.
fn draws(term: Option<&OsStr>, ci: Option<&OsStr>) -> bool {
    let says = |value: &OsStr, words: &[&str]| words.iter().any(|word| value == *word);
    // Windows has no such variable, and terminals that draw.
    let able = term.map_or(cfg!(windows), |term| !says(term, &["", "dumb"]));
    able && ci.is_none_or(|ci| says(ci, &["", "0", "false"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_draws_by_its_variables() {
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
            let draws = draws(term.map(OsStr::new), ci.map(OsStr::new));
            assert_eq!(draws, expected, "TERM={term:?} CI={ci:?}");
        }
    }
}
