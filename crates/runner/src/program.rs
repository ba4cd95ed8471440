//! The program that trains a run, and copies of it that a later build does not replace.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use kindling_formats::{DeviceName, hex};
use sha2::{Digest, Sha256};

use crate::{Result, RunnerError};

/// A copy of a program is removed if no training was started with it for this long.
const UNUSED: Duration = Duration::from_secs(24 * 60 * 60);

/// The program `kindling`, and the options with which it trains.
#[derive(Debug, Clone)]
pub struct TrainingProgram {
    /// The path of the program.
    pub path: PathBuf,
    /// The revision of the code that the program was built from. Records hold it.
    pub revision: String,
    /// The device that the program trains on.
    pub device: DeviceName,
    /// Whether trainings write files for TensorBoard.
    pub tensorboard: bool,
    /// The folder in which the program is started. Relative paths in configs start there.
    pub working_folder: PathBuf,
}

impl TrainingProgram {
    /// A command that starts the program. The caller adds the arguments.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command.current_dir(&self.working_folder);
        command
    }

    /// As [`TrainingProgram::command`], with the number of threads that CPU backends use.
    pub fn command_with_threads(&self, threads: usize) -> Command {
        let mut command = self.command();
        command
            .env("RAYON_NUM_THREADS", threads.to_string())
            .env("MATMUL_NUM_THREADS", threads.to_string());
        command
    }

    /// A command that trains the run whose `config.toml` is in `folder`.
    pub fn train_command(&self, folder: &Path, threads: usize) -> Command {
        // A copy is removed after a day without use, and a matrix may take longer than that.
        mark_as_used(&self.path);
        let mut command = self.command_with_threads(threads);
        command
            .arg("train")
            .arg(folder)
            .args(["--device", &self.device.to_string()])
            .env("KINDLING_REVISION", &self.revision);
        if !self.tensorboard {
            command.arg("--no-tensorboard");
        }
        command
    }
}

/// Copies the program `built` to `folder/DIGEST/`, and removes the copies there that have
/// not been used for a day. Returns the path of the copy. A later build is copied to another
/// folder, so a matrix uses the same program from its first run to its last.
///
/// # Errors
///
/// If the program cannot be read, or the copy cannot be written.
pub fn keep_program(built: &Path, folder: &Path) -> Result<PathBuf> {
    let name = built.file_name().unwrap_or_default();
    let copy = copy_by_content(built, |digest| folder.join(digest).join(name))?;
    mark_as_used(&copy);
    remove_unused(folder, name.as_ref());
    Ok(copy)
}

/// Copies a program to a path that depends on its content, unless the copy exists already.
/// `place` turns the first twelve hexadecimal digits of the program's SHA-256 into the path.
/// Returns the path.
///
/// # Errors
///
/// If the program cannot be read, or the copy cannot be written.
pub fn copy_by_content(program: &Path, place: impl FnOnce(&str) -> PathBuf) -> Result<PathBuf> {
    let failed = |action| {
        move |source| RunnerError::Program {
            action,
            program: program.to_path_buf(),
            source,
        }
    };
    let bytes = std::fs::read(program).map_err(failed("read"))?;
    let digest = format!("{:.12}", hex(&Sha256::digest(&bytes)));
    let copy = place(&digest);
    let is_whole = copy
        .metadata()
        .is_ok_and(|copy| copy.len() == bytes.len() as u64);
    if !is_whole {
        write_copy(program, &copy).map_err(failed("copy"))?;
    }
    Ok(copy)
}

/// Writes the copy under a temporary name first, so that an incomplete copy is never started.
fn write_copy(program: &Path, copy: &Path) -> std::io::Result<()> {
    let folder = copy.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let temporary = tempfile::Builder::new()
        .prefix(".kindling-")
        .tempfile_in(folder)?
        .into_temp_path();
    std::fs::copy(program, &temporary)?; // copies the permissions too
    temporary.persist(copy)?;
    Ok(())
}

/// Sets the time of the program file to now, so that [`remove_unused`] keeps the program. An
/// error is ignored: such a program belongs to another user and is not one of our copies.
fn mark_as_used(program: &Path) {
    // The file is opened for reading, because a file that is open for writing cannot be
    // executed.
    let opened = File::open(program);
    let _ = opened.and_then(|file| file.set_modified(SystemTime::now()));
}

/// Removes the programs called `name` in the folders below `folder` that have not been
/// used for a day. A folder that cannot be removed stays.
fn remove_unused(folder: &Path, name: &Path) {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.path().is_dir()) {
        let metadata = entry.path().join(name).metadata();
        let used = metadata.and_then(|program| program.modified()).ok();
        let age = used.and_then(|used| used.elapsed().ok());
        if age.is_some_and(|age| age > UNUSED) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_build_does_not_replace_the_program_of_a_running_matrix() {
        let target = tempfile::tempdir().expect("a temporary folder");
        let built = target.path().join("release").join("kindling");
        let folder = target.path().join("kindling").join("flex");
        std::fs::create_dir_all(built.parent().expect("a parent")).expect("makes");
        let keep = |content: &str| {
            std::fs::write(&built, content).expect("writes");
            keep_program(&built, &folder).expect("copies")
        };
        let read = |path: &Path| std::fs::read_to_string(path).expect("reads");
        let first = keep("one");
        assert!(first.starts_with(&folder));
        let second = keep("other");
        assert_ne!(first, second);
        assert_eq!(
            (read(&first), read(&second)),
            ("one".into(), "other".into())
        );
        assert_eq!(keep("one"), first);
        // A program that was not used for two days is removed; a program in use is kept.
        let old = SystemTime::now() - 2 * UNUSED;
        for path in [&first, &second] {
            let file = File::options().append(true).open(path).expect("opens");
            file.set_modified(old).expect("sets");
        }
        mark_as_used(&first);
        let third = keep("third");
        assert!(first.exists() && third.exists() && !second.exists());
    }

    #[test]
    fn the_error_names_a_missing_program() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let error = keep_program(&folder.path().join("kindling"), folder.path());
        let error = error.expect_err("there is no program").to_string();
        assert!(error.starts_with("cannot read") && error.contains("kindling"));
    }
}
