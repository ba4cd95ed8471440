//! The error type of this crate. An error says where the problem is, what the problem is, and
//! how to solve it.

use std::path::{Path, PathBuf};

/// The result of a function that may fail with an [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// An error. Its text names the file or argument, the problem and the remedy.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A key of a file or of `--set` is missing or unknown, or has a wrong value.
    #[error("{origin}: `{key}`: {problem}")]
    Key {
        /// The file, or the argument, that holds the key.
        origin: String,
        /// The dotted path of the key.
        key: String,
        /// What is wrong, and the remedy.
        problem: String,
    },
    /// A file does not have the format that it should have.
    #[error("{}: {problem}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What is wrong, and the remedy.
        problem: String,
    },
    /// Another version of Kindling wrote a record.
    #[error("{}: {problem}; the files of this run are not changed", file.display())]
    Version {
        /// The record.
        file: PathBuf,
        /// Which version wrote the record.
        problem: String,
    },
    /// A command-line argument is wrong.
    #[error("{argument}: {problem}")]
    Argument {
        /// The argument as it was typed.
        argument: String,
        /// What is wrong, and the remedy.
        problem: String,
    },
    /// The operating system refused an action on a file or a folder.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// The action, as "read" or "write".
        action: &'static str,
        /// The file or the folder.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
}

impl Error {
    /// Whether the error is that another version of Kindling wrote a record.
    pub fn is_of_version(&self) -> bool {
        matches!(self, Error::Version { .. })
    }

    /// Turns an I/O error into an [`Error`] that names the action and the path.
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
