//! The error type of this crate.

use std::path::{Path, PathBuf};

use kindling_formats::TreeKind;

/// The result of anything in this crate that can fail.
pub type Result<T> = std::result::Result<T, RunnerError>;

/// Why runs cannot be trained, or why their state cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RunnerError {
    /// Another process trains in the same output folder.
    #[error("{}: another process is training there; wait for it, stop it, or choose another folder", folder.display())]
    Locked {
        /// The output folder.
        folder: PathBuf,
    },
    /// The output folder cannot be written.
    #[error("{}: cannot write there: {source}; choose another folder", folder.display())]
    Unwritable {
        /// The output folder.
        folder: PathBuf,
        /// The reason that the operating system gives.
        source: std::io::Error,
    },
    /// The output folder holds results of another version of Kindling.
    #[error("{source}: choose another folder, or move {} away", runs.display())]
    OtherVersion {
        /// The first record of that version.
        source: kindling_formats::Error,
        /// The folder that holds the folders of all runs.
        runs: PathBuf,
    },
    /// No matrix was started in the output folder.
    #[error("no matrix has been started in {}", folder.display())]
    NoMatrix {
        /// The output folder.
        folder: PathBuf,
        /// Which runs it would hold.
        kind: TreeKind,
    },
    /// Runs that should be trained on this machine are still queued or running in Slurm.
    #[error(
        "Slurm still has {count} of these runs, such as {first}; wait for them, or cancel them \
         with scancel"
    )]
    WithSlurm {
        /// How many runs.
        count: usize,
        /// The name of the first one.
        first: String,
    },
    /// Runs that should be trained may still be queued or running in Slurm, and Slurm cannot be
    /// asked.
    #[error(
        "Slurm may still have {count} of these runs, such as {first}: they were submitted as job \
         {jobs}, and Slurm cannot be asked about it: {reason}; run this command where Slurm can be \
         asked, or, if you know that they have ended, remove {}", file.display()
    )]
    SlurmUnknown {
        /// How many runs.
        count: usize,
        /// The name of the first one.
        first: String,
        /// The job numbers, separated by commas.
        jobs: String,
        /// Why Slurm cannot be asked.
        reason: String,
        /// The file that lists the submitted runs.
        file: PathBuf,
    },
    /// An option for `sbatch` is malformed or cannot be passed on.
    #[error("{0}")]
    SlurmOption(String),
    /// A program of Slurm is missing, or it failed.
    #[error("{0}")]
    Slurm(String),
    /// Some runs were submitted to Slurm, and then something failed.
    #[error("{submitted}: {source}")]
    HalfSubmitted {
        /// Which runs were submitted, which were not, and the remedy.
        submitted: String,
        /// What failed.
        source: Box<RunnerError>,
    },
    /// The training program cannot be started, read or copied.
    #[error("cannot {action} {}: {source}", program.display())]
    Program {
        /// The action that failed: "start", "copy", ...
        action: &'static str,
        /// The program.
        program: PathBuf,
        /// The reason that the operating system gives.
        source: std::io::Error,
    },
    /// A file that this crate wrote is damaged.
    #[error("{} is damaged: {problem}", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A file of results cannot be read or written.
    #[error(transparent)]
    Formats(#[from] kindling_formats::Error),
}

impl RunnerError {
    /// Whether the request was refused before anything was written, and the user has to change
    /// something first. Other errors are failures.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Locked { .. }
            | Self::Unwritable { .. }
            | Self::OtherVersion { .. }
            | Self::NoMatrix { .. }
            | Self::WithSlurm { .. }
            | Self::SlurmUnknown { .. }
            | Self::SlurmOption(_) => true,
            Self::Slurm(_)
            | Self::HalfSubmitted { .. }
            | Self::Program { .. }
            | Self::Damaged { .. }
            | Self::Formats(_) => false,
        }
    }

    /// Wraps an error of the operating system with the action that failed and its path.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let wrap = kindling_formats::Error::io(action, path);
        move |source| wrap(source).into()
    }

    /// Wraps a JSON error with the path of the damaged file.
    pub(crate) fn damaged(file: &Path) -> impl FnOnce(serde_json::Error) -> Self {
        let file = file.to_path_buf();
        move |error| Self::Damaged {
            file,
            problem: error.to_string(),
        }
    }
}
