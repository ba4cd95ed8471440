//! A small file system that can be filled, to test what happens on a full disk.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context;

/// A file system in memory that is mounted until this value is dropped.
pub struct Disk {
    folder: PathBuf,
}

impl Disk {
    /// Mounts a file system of `bytes` bytes on `folder`. `None` if this process may not mount.
    pub fn mount(folder: &Path, bytes: u64) -> anyhow::Result<Option<Self>> {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
        let size = format!("size={bytes}");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(folder)
            .stderr(Stdio::null())
            .status();
        let folder = folder.to_path_buf();
        Ok(mounted
            .is_ok_and(|status| status.success())
            .then_some(Self { folder }))
    }

    /// Fills the file system until at most `left` bytes are free. Dropping the returned file
    /// frees its space again.
    pub fn fill(&self, left: u64) -> anyhow::Result<tempfile::NamedTempFile> {
        let mut filler = tempfile::NamedTempFile::new_in(&self.folder)?;
        let mut filled = 0;
        // The last write before the disk is full may write only a part of its block.
        while let Ok(written) = filler.write(&[1; 4096]) {
            filled += written as u64;
        }
        let file: &File = filler.as_file();
        file.set_len(filled.saturating_sub(left))?;
        Ok(filler)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.folder).status();
    }
}
