//! The lock on an output folder: only one matrix at a time writes there.

use std::fs::{File, TryLockError};
use std::path::Path;

use crate::{Result, RunnerError};

/// The exclusive right to write to an output folder, until this value is dropped.
///
/// The operating system holds the lock on an open file and releases it when the process ends.
/// So the lock file of a killed process blocks no other process.
#[derive(Debug)]
pub struct OutputLock(File);

impl Drop for OutputLock {
    /// Closing the file is not enough: a process that another thread is starting at this moment
    /// holds a copy of the open file until its program begins.
    fn drop(&mut self) {
        // If this fails, the lock ends when the last copy is closed.
        let _ = self.0.unlock();
    }
}

impl OutputLock {
    /// Checks that [`OutputLock::take`] would succeed now, and creates no file. A command
    /// calls this before a build of several minutes, and takes the lock after it.
    ///
    /// # Errors
    ///
    /// As [`OutputLock::take`].
    pub fn check(file: &Path) -> Result<()> {
        let folder = file.parent().unwrap_or(Path::new("."));
        if file.exists() {
            return Self::take(file).map(drop);
        }
        let existing = folder.ancestors().find(|ancestor| ancestor.exists());
        // This temporary file has no name, so it disappears when it is closed.
        match existing.map(tempfile::tempfile_in) {
            None | Some(Ok(_)) => Ok(()),
            Some(Err(source)) => Err(unwritable(folder, source)),
        }
    }

    /// Creates the folder of the lock file `file` if it is missing, checks that the folder is
    /// writable, and locks the file.
    ///
    /// # Errors
    ///
    /// [`RunnerError::Locked`] if another process holds the lock, and
    /// [`RunnerError::Unwritable`] if the folder cannot be written.
    pub fn take(file: &Path) -> Result<Self> {
        let folder = file.parent().unwrap_or(Path::new("."));
        let unwritable = |source| unwritable(folder, source);
        std::fs::create_dir_all(folder).map_err(unwritable)?;
        // An existing lock file does not show that the folder is writable, so this creates a
        // new file.
        tempfile::tempfile_in(folder).map_err(unwritable)?;
        let mut options = File::options();
        let lock = options.create(true).truncate(false).write(true);
        let lock = lock.open(file).map_err(unwritable)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self(lock)),
            Err(TryLockError::WouldBlock) => Err(RunnerError::Locked {
                folder: folder.to_path_buf(),
            }),
            Err(TryLockError::Error(source)) => Err(unwritable(source)),
        }
    }
}

fn unwritable(folder: &Path, source: std::io::Error) -> RunnerError {
    RunnerError::Unwritable {
        folder: folder.to_path_buf(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_creates_no_file_and_finds_a_lock_that_is_held() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("a").join("b").join(".lock");
        OutputLock::check(&file).expect("the folder can be made");
        assert!(!folder.path().join("a").exists());
        let _lock = OutputLock::take(&file).expect("the folder is free");
        let error = OutputLock::check(&file).expect_err("the folder is locked");
        assert!(matches!(error, RunnerError::Locked { .. }), "{error}");
    }

    #[test]
    fn a_second_lock_is_refused_until_the_first_is_dropped() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("results").join(".lock");
        let first = OutputLock::take(&file).expect("the folder is free");
        let second = OutputLock::take(&file).expect_err("the folder is locked");
        assert!(matches!(second, RunnerError::Locked { .. }), "{second}");
        assert!(second.is_refusal());
        drop(first);
        OutputLock::take(&file).expect("the folder is free again");
    }

    #[test]
    fn the_error_names_a_folder_that_cannot_be_created() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("file");
        std::fs::write(&file, "").expect("a file");
        for attempt in [OutputLock::check, |file: &Path| {
            OutputLock::take(file).map(drop)
        }] {
            let error = attempt(&file.join("out").join(".lock")).expect_err("a file is no folder");
            assert!(matches!(error, RunnerError::Unwritable { .. }), "{error}");
            assert!(error.to_string().contains("file"), "{error}");
        }
    }
}
