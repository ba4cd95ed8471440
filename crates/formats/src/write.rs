//! Writes files whole or not at all.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::error::{Error, Result};

/// Turns the error that `path` does not exist into `None`. `done` is the result of `action`,
/// as "read", on `path`.
///
/// # Errors
///
/// If the action failed for another reason.
pub fn if_there<T>(
    action: &'static str,
    path: &Path,
    done: std::io::Result<T>,
) -> Result<Option<T>> {
    match done {
        Ok(done) => Ok(Some(done)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io(action, path)(error)),
    }
}

/// The prefix of the names of temporary files.
pub(crate) const TEMPORARY: &str = ".kindling-tmp-";

/// Removes temporary files from `folder`. Writers that were killed leave such files. Call this
/// function only while nothing is written to the folder. A file that cannot be removed does no
/// harm.
pub fn remove_temporary(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Writes `bytes` to `path`, whole or not at all: it writes a temporary file in the same
/// folder, and renames this file to `path`. The folder is created if it does not exist. The
/// permissions are those of the file that is replaced, or else those that the umask allows.
///
/// If `path` is a symbolic link, the link stays, and its target is written. If `path` is a
/// pipe or a device, the bytes are written into it.
///
/// # Errors
///
/// If the folder cannot be created, or the file cannot be written.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<()> {
    let there = if_there("read", path, std::fs::metadata(path))?;
    if there.as_ref().is_some_and(is_stream) {
        let write = || File::options().write(true).open(path)?.write_all(bytes);
        return write().map_err(Error::io("write", path));
    }
    let target = behind_links(path).map_err(Error::io("follow the link", path))?;
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(folder).map_err(Error::io("create the folder", folder))?;
    let write = || -> std::io::Result<()> {
        let mut file = UnfinishedFile::in_folder(folder)?;
        if let Some(there) = there.filter(std::fs::Metadata::is_file) {
            file.0.as_file().set_permissions(there.permissions())?;
        }
        file.write_all(bytes)?;
        file.finish(&target)
    };
    write().map_err(Error::io("write", path))
}

/// A file that is written piece by piece. It gets its name when it is whole.
#[derive(Debug)]
pub struct UnfinishedFile(NamedTempFile);

impl UnfinishedFile {
    /// Makes an empty file in `folder`, which is created if it does not exist.
    ///
    /// # Errors
    ///
    /// If the folder or the file cannot be created.
    pub fn create(folder: &Path) -> std::io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        Self::in_folder(folder)
    }

    /// Makes an empty file in a folder that exists.
    fn in_folder(folder: &Path) -> std::io::Result<Self> {
        let file = writable_by_umask().prefix(TEMPORARY).tempfile_in(folder)?;
        Ok(Self(file))
    }

    /// Names the file `path`, which must be in the same folder.
    ///
    /// # Errors
    ///
    /// If the file cannot be written to the disk or renamed.
    pub fn finish(self, path: &Path) -> std::io::Result<()> {
        self.0.as_file().sync_all()?;
        self.0.persist(path)?;
        Ok(())
    }
}

impl Write for UnfinishedFile {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

impl Seek for UnfinishedFile {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.0.seek(to)
    }
}

/// Whether a path is a pipe, a device or a socket, and not a file or a folder.
fn is_stream(there: &std::fs::Metadata) -> bool {
    !there.is_file() && !there.is_dir()
}

/// Makes temporary files and folders with the permissions that the umask allows. By default,
/// only their owner could read them, also after they are renamed to their final names.
pub fn writable_by_umask<'a, 'b>() -> tempfile::Builder<'a, 'b> {
    #[allow(unused_mut, reason = "only Unix has such permissions")]
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder
}

/// The maximum number of links that are followed, as on Linux.
const MAX_LINKS: usize = 40;

/// The path at the end of a chain of symbolic links. It need not exist.
fn behind_links(path: &Path) -> std::io::Result<PathBuf> {
    let mut path = path.to_path_buf();
    for _ in 0..MAX_LINKS {
        match std::fs::symlink_metadata(&path) {
            Ok(there) if there.is_symlink() => {
                let target = std::fs::read_link(&path)?;
                // A relative target is relative to the folder of the link.
                path = path.parent().unwrap_or(Path::new("")).join(target);
            }
            _ => return Ok(path),
        }
    }
    Err(std::io::Error::other("the chain of links is too long"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_and_no_temporary_file_is_left() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("below").join("a.txt");
        write_atomic(&path, b"one").expect("writes");
        write_atomic(&path, b"two").expect("replaces");
        assert_eq!(std::fs::read(&path).expect("reads"), b"two");
        let beside = || {
            let folder = std::fs::read_dir(path.parent().expect("a parent"));
            folder.expect("lists").count()
        };
        assert_eq!(beside(), 1);
        // A writer that was killed leaves such a file.
        let left = path.with_file_name(format!("{TEMPORARY}x"));
        std::fs::write(left, b"tw").expect("writes");
        remove_temporary(path.parent().expect("a parent"));
        assert_eq!((beside(), path.exists()), (1, true));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_followed_and_stays_a_link() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("far")).expect("makes");
        std::fs::write(at("far/there"), b"old").expect("writes");
        for (link, target) in [
            ("link", "far/there"),
            ("second", "link"),
            ("dangling", "far/new"),
        ] {
            std::os::unix::fs::symlink(target, at(link)).expect("links");
            write_atomic(&at(link), link.as_bytes()).expect("writes");
            assert!(at(link).is_symlink(), "{link}");
            assert_eq!(std::fs::read(at(link)).expect("reads"), link.as_bytes());
        }
        assert_eq!(std::fs::read(at("far/there")).expect("reads"), b"second");
        assert_eq!(std::fs::read(at("far/new")).expect("reads"), b"dangling");
        std::os::unix::fs::symlink("round", at("round")).expect("links");
        assert!(write_atomic(&at("round"), b"x").is_err());
        let left = std::fs::read_dir(at("far")).expect("lists").count();
        assert_eq!(left, 2, "nothing stays beside a target");
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_and_a_device_are_written_into() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.expect("mkfifo").success());
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || std::fs::read(pipe)
        });
        write_atomic(&pipe, b"through").expect("writes");
        assert_eq!(reader.join().expect("ends").expect("reads"), b"through");
        let is_stream = |path: &Path| super::is_stream(&path.metadata().expect("is there"));
        assert!(is_stream(&pipe), "it is still a pipe");
        write_atomic(Path::new("/dev/null"), b"x").expect("writes");
        assert!(is_stream(Path::new("/dev/null")));
        #[cfg(target_os = "linux")]
        assert!(write_atomic(Path::new("/dev/full"), b"x").is_err());
    }
}
