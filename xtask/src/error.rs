//! The errors of commands and their exit codes.

use std::process::ExitCode;

use anyhow::anyhow;
use kindling_formats::TreeKind;
use kindling_runner::RunnerError;

use crate::ui::path;

/// What a command returns: its exit code, or the error that ended it.
pub type CommandResult = Result<ExitCode, CommandError>;

/// The exit code of bad input. clap uses the same one for its own errors.
pub const BAD_INPUT: u8 = 2;

/// Why a command has ended early.
///
/// `?` turns a [`RunnerError`] that is a refusal into [`CommandError::BadInput`], and any other
/// error into [`CommandError::Failure`].
#[derive(Debug)]
pub enum CommandError {
    /// The arguments, the configs or the data are wrong. Nothing was written.
    BadInput(anyhow::Error),
    /// The input was right, but something failed.
    Failure(anyhow::Error),
}

impl CommandError {
    /// Turns an error into bad input; for use with `map_err`.
    pub fn input(error: impl Into<anyhow::Error>) -> Self {
        CommandError::BadInput(error.into())
    }

    /// Bad input. The text names the problem and the remedy.
    pub fn bad_input(text: impl Into<String>) -> Self {
        CommandError::BadInput(anyhow::Error::msg(text.into()))
    }

    /// The exit code.
    pub fn code(&self) -> ExitCode {
        match self {
            CommandError::BadInput(_) => ExitCode::from(BAD_INPUT),
            CommandError::Failure(_) => ExitCode::FAILURE,
        }
    }

    /// The error and its causes in one line.
    pub fn text(&self) -> String {
        let (CommandError::BadInput(error) | CommandError::Failure(error)) = self;
        let mut text = String::new();
        for cause in error.chain().map(ToString::to_string) {
            // Some errors quote their cause. It is not printed a second time.
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

impl<E: Into<anyhow::Error>> From<E> for CommandError {
    fn from(error: E) -> Self {
        let error = error.into();
        match error.downcast_ref::<RunnerError>() {
            Some(refusal) if refusal.is_refusal() => CommandError::BadInput(with_flags(refusal)),
            _ => CommandError::Failure(error),
        }
    }
}

/// The text of a refusal of the runner. The remedy names the flag of this command line.
fn with_flags(refusal: &RunnerError) -> anyhow::Error {
    match refusal {
        RunnerError::Locked { folder } => anyhow!(
            "--out {}: another cargo xtask is training there; wait for it, stop it, or choose \
             another folder with --out",
            path(folder)
        ),
        RunnerError::Unwritable { folder, source } => anyhow!(
            "--out {}: cannot write there: {source}; choose another folder with --out",
            path(folder)
        ),
        RunnerError::OtherVersion { source, runs } => anyhow!(
            "{source}: choose another folder with --out, or move {} away",
            path(runs)
        ),
        RunnerError::NoMatrix { folder, kind } => anyhow!(
            "no matrix has been started in {}; start `cargo xtask {}`, or name its folder with \
             --out and its size with --quick or --smoke",
            path(folder),
            match kind {
                TreeKind::Written => "experiments",
                TreeKind::Tuned => "experiments --protocol tuned",
                TreeKind::Trials => "tune",
            }
        ),
        other => anyhow!("{other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn a_quoted_cause_is_printed_once() {
        let quoted = kindling_formats::Error::Io {
            action: "read",
            path: "a.toml".into(),
            source: std::io::Error::other("disk on fire"),
        };
        assert_eq!(
            CommandError::input(quoted).text(),
            "cannot read a.toml: disk on fire"
        );
        let chained: anyhow::Result<()> = Err(anyhow!("b")).context("a");
        let error = CommandError::Failure(chained.expect_err("an error"));
        assert_eq!(error.text(), "a: b");
    }

    #[test]
    fn a_refusal_of_the_runner_is_bad_input_and_names_the_flag() {
        let folder = "results".into();
        let kind = TreeKind::Trials;
        let error = CommandError::from(RunnerError::NoMatrix { folder, kind });
        assert!(matches!(error, CommandError::BadInput(_)), "{error:?}");
        assert_eq!(
            error.text(),
            "no matrix has been started in results; start `cargo xtask tune`, or name its folder \
             with --out and its size with --quick or --smoke"
        );
        let error = CommandError::from(RunnerError::Slurm("sbatch failed: no".into()));
        assert!(matches!(error, CommandError::Failure(_)), "{error:?}");
        assert_eq!(error.text(), "sbatch failed: no");
    }
}
