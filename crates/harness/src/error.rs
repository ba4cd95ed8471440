//! Why a run has no result.

use kindling_datasets::DataError;

/// Why a run has no result.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The config, or a file of the run, is wrong or cannot be reached.
    #[error(transparent)]
    Spec(#[from] kindling_spec::Error),
    /// The images cannot be had.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The config wants a backend that this build lacks.
    #[error(
        "backend `{0}` is not compiled in; build kindling with `--features {0}`, \
         or use `cargo xtask ... --backend {0}`"
    )]
    NoBackend(&'static str),
    /// The loss left the numbers.
    #[error("{0}; a smaller learning rate may help")]
    Diverged(String),
    /// Somebody stopped it after so many epochs of so many.
    #[error("stopped by hand after {0} of {1} epochs; only a whole training leaves a result")]
    Stopped(usize, usize),
    /// Burn failed.
    #[error("training failed: {0}")]
    Training(String),
    /// Something else that should not have happened.
    #[error("{0}")]
    Other(String),
}

impl RunError {
    /// Whether the remedy lies with who called (exit code 2), not with the
    /// training (1).
    pub fn is_bad_input(&self) -> bool {
        matches!(
            self,
            RunError::Spec(_) | RunError::Data(_) | RunError::NoBackend(_)
        )
    }
}
