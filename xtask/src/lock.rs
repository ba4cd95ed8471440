//! The folder of results, claimed: it can be written, and by nobody else.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::anyhow;

use crate::stop::Stop;
use crate::workspace::shown;

/// A folder that this process alone writes to, as long as it holds this.
///
/// The lock is the operating system's own, on an open file: it ends with the
/// process, so the file that a dead one leaves blocks nobody.
#[derive(Debug)]
pub struct Claim {
    file: PathBuf,
    /// Held for its lock, which closing it would give up.
    _lock: File,
    /// What had to be made for it, to be undone: outermost last.
    made: Vec<PathBuf>,
    made_file: bool,
}

impl Claim {
    /// Makes the folder of `file` where it is missing, tries to write there, and locks
    /// the file. `flag` names the folder in errors.
    pub fn take(file: &Path, flag: &str) -> Result<Self, Stop> {
        let folder = file.parent().unwrap_or(Path::new("."));
        let refused = |error: std::io::Error| {
            Stop::BadInput(anyhow!(
                "{flag} {}: cannot write there: {error}; name another folder with --out",
                shown(folder)
            ))
        };
        let made: Vec<PathBuf> = folder
            .ancestors()
            .take_while(|ancestor| !ancestor.exists())
            .map(Path::to_path_buf)
            .collect();
        std::fs::create_dir_all(folder).map_err(refused)?;
        let file = file.to_path_buf();
        let made_file = !file.exists();
        // An existing lock file proves nothing about the folder: write another.
        tempfile::tempfile_in(folder).map_err(refused)?;
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&file)
            .map_err(refused)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                file,
                _lock: lock,
                made,
                made_file,
            }),
            Err(TryLockError::WouldBlock) => Err(Stop::BadInput(anyhow!(
                "{flag} {}: another cargo xtask is training there; wait for it, stop it, or name \
                 another folder with --out",
                shown(folder)
            ))),
            Err(TryLockError::Error(error)) => Err(refused(error)),
        }
    }

    /// Keeps the claim if `step` went well; else leaves the folder as it was
    /// found, for input that turns out bad only later.
    pub fn keep_if<T>(self, step: Result<T, Stop>) -> Result<(Self, T), Stop> {
        match step {
            Ok(value) => Ok((self, value)),
            Err(stop) => {
                self.undo();
                Err(stop)
            }
        }
    }

    /// Folders that hold something by now stay.
    fn undo(self) {
        if self.made_file {
            let _ = std::fs::remove_file(&self.file);
        }
        for folder in &self.made {
            let _ = std::fs::remove_dir(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_claim_is_refused_until_the_first_ends() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let first = Claim::take(&folder.path().join(".lock"), "--out").expect("free");
        let second = Claim::take(&folder.path().join(".lock"), "--out").expect_err("taken");
        assert!(second.text().contains("another cargo xtask"), "{second:?}");
        drop(first);
        Claim::take(&folder.path().join(".lock"), "--out").expect("free again");
    }

    #[test]
    fn undone_it_leaves_what_was_there() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let below = folder.path().join("a").join("b");
        Claim::take(&below.join(".lock"), "--out")
            .expect("free")
            .undo();
        assert!(!folder.path().join("a").exists());
        assert!(folder.path().exists());
    }
}
