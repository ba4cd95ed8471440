//! Why a command stops early, and the exit code that says so.

use std::process::ExitCode;

/// What a command returns: its exit code, or why it stopped.
pub type Outcome = Result<ExitCode, Stop>;

/// Exit code of bad input, the one that clap uses for its own.
pub const BAD_INPUT: u8 = 2;

/// Why a command stopped. `?` on any other error makes a [`Stop::Failure`].
#[derive(Debug)]
pub enum Stop {
    /// What was typed, or what a config says, cannot be. Nothing was written.
    BadInput(anyhow::Error),
    /// It could have been, and went wrong.
    Failure(anyhow::Error),
}

impl Stop {
    /// Marks an error as the fault of what was typed; for `map_err`.
    pub fn input(error: impl Into<anyhow::Error>) -> Self {
        Stop::BadInput(error.into())
    }

    /// The exit code.
    pub fn code(&self) -> ExitCode {
        match self {
            Stop::BadInput(_) => ExitCode::from(BAD_INPUT),
            Stop::Failure(_) => ExitCode::FAILURE,
        }
    }

    /// The error and its causes, on one line where they have one each.
    pub fn text(&self) -> String {
        let (Stop::BadInput(error) | Stop::Failure(error)) = self;
        let mut text = String::new();
        for cause in error.chain().map(ToString::to_string) {
            // Some errors quote their cause; saying it twice helps nobody.
            if !text.contains(&cause) {
                if !text.is_empty() {
                    text.push_str(": ");
                }
                text.push_str(&cause);
            }
        }
        text
    }
}

impl<E: Into<anyhow::Error>> From<E> for Stop {
    fn from(error: E) -> Self {
        Stop::Failure(error.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn a_quoted_cause_is_said_once() {
        let quoted = kindling_formats::Error::Io {
            action: "read",
            path: "a.toml".into(),
            source: std::io::Error::other("disk on fire"),
        };
        assert_eq!(
            Stop::input(quoted).text(),
            "cannot read a.toml: disk on fire"
        );
        let chained: anyhow::Result<()> = Err(anyhow::anyhow!("b")).context("a");
        assert_eq!(Stop::Failure(chained.expect_err("an error")).text(), "a: b");
    }
}
