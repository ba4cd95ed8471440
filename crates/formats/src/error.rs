//! The one error type of this crate: where, what, and what to do about it.

use std::path::{Path, PathBuf};

/// The result of anything in this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// An error whose text names the place and the remedy.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A key of a file (or of `--set`) is missing, unknown, or has a wrong value.
    #[error("{origin}: `{key}`: {problem}")]
    Key {
        /// The file, or the argument, that holds the key.
        origin: String,
        /// Its dotted path.
        key: String,
        /// What is wrong, and the remedy.
        problem: String,
    },
    /// A file as a whole cannot be understood.
    #[error("{}: {problem}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What is wrong, and the remedy.
        problem: String,
    },
    /// A record was left by another version of Kindling.
    #[error("{}: {problem}; what it left is left alone", file.display())]
    Version {
        /// The record.
        file: PathBuf,
        /// By which.
        problem: String,
    },
    /// A command-line argument names something that does not exist.
    #[error("{argument}: {problem}")]
    Argument {
        /// The argument as typed.
        argument: String,
        /// What is wrong, and the remedy.
        problem: String,
    },
    /// The operating system refused.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried: "read", "write", ...
        action: &'static str,
        /// On which path.
        path: PathBuf,
        /// The system's own words.
        source: std::io::Error,
    },
}

impl Error {
    /// Whether another version of Kindling is the reason.
    pub fn is_of_version(&self) -> bool {
        matches!(self, Error::Version { .. })
    }

    /// Wraps an I/O error with what was tried on which path.
    pub fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
        move |source| Error::Io {
            action,
            path: path.to_path_buf(),
            source,
        }
    }

    pub(crate) fn key(origin: &str, key: impl Into<String>, problem: impl Into<String>) -> Error {
        Error::Key {
            origin: origin.to_string(),
            key: key.into(),
            problem: problem.into(),
        }
    }

    pub(crate) fn file(file: &Path, problem: impl ToString) -> Error {
        Error::File {
            file: file.to_path_buf(),
            problem: problem.to_string(),
        }
    }
}
