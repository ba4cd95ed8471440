//! Checkpoints: one file after every epoch. The last two files are kept.
//!
//! burn-train saves the model, the optimizer and the learning rate one by one, each on a
//! separate thread. Each thread writes its part to the file, one after the other, so that no two
//! parts are in memory as bytes. The thread that writes the last part ends the file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burn::tensor::Bytes;
use burn_train::checkpoint::{Checkpoint as Part, Checkpointer, CheckpointerError};
use kindling_formats::{
    Checkpoint, CheckpointState, CheckpointWriter, Error, RunDir, RunIdentity, UnfinishedFile,
    if_there,
};

use super::history::SharedLog;
use crate::error::RunError;
use crate::run::Stopwatch;

/// The number of checkpoints that are kept. If the last checkpoint is damaged, the one before
/// it is used.
const KEPT: usize = 2;
/// The extension of a checkpoint's file. The name before the extension is the epoch.
const EXTENSION: &str = "ckpt";

/// Writes the checkpoints of a training, and holds the checkpoint from which the training is
/// resumed.
#[derive(Clone)]
pub(super) struct Checkpoints {
    folder: PathBuf,
    identity: RunIdentity,
    /// The source of the history and the timing.
    log: SharedLog,
    stopwatch: Stopwatch,
    /// The files of epochs whose three parts are not all written yet.
    unfinished: Arc<Mutex<BTreeMap<usize, CheckpointWriter<UnfinishedFile>>>>,
    /// The parts of the checkpoint from which the training is resumed, until burn-train takes them.
    restored: Arc<Mutex<[Option<Vec<u8>>; 3]>>,
}

/// The newest checkpoint that has this `identity` and is not damaged.
///
/// Newer checkpoints cannot be used, so they are removed. `warn` is called for each damaged
/// checkpoint.
///
/// # Errors
///
/// If a file cannot be read or removed.
pub(super) fn newest_checkpoint(
    dir: &RunDir,
    identity: &RunIdentity,
    warn: &mut dyn FnMut(String),
) -> Result<Option<Checkpoint>, RunError> {
    for (_, path) in files_by_epoch(&dir.checkpoints())?.into_iter().rev() {
        let bytes = std::fs::read(&path).map_err(Error::io("read", &path))?;
        match Checkpoint::from_bytes(&bytes) {
            Ok(checkpoint) if checkpoint.state.identity == *identity => {
                return Ok(Some(checkpoint));
            }
            // The checkpoint belongs to another config, other data or another program.
            Ok(_) => {}
            Err(problem) => warn(format!(
                "{}: {problem}; this checkpoint is ignored",
                path.display()
            )),
        }
        remove(&path)?;
    }
    Ok(None)
}

/// The paths of the checkpoints in a folder, by epoch. There are none if the folder does not
/// exist.
fn files_by_epoch(folder: &Path) -> Result<BTreeMap<usize, PathBuf>, RunError> {
    let mut found = BTreeMap::new();
    let entries = if_there("read", folder, std::fs::read_dir(folder))?;
    for entry in entries.into_iter().flatten() {
        let path = entry.map_err(Error::io("read", folder))?.path();
        let epoch = path.file_stem().and_then(|stem| stem.to_str());
        if path
            .extension()
            .is_some_and(|extension| extension == EXTENSION)
            && let Some(epoch) = epoch.and_then(|epoch| epoch.parse().ok())
        {
            found.insert(epoch, path);
        }
    }
    Ok(found)
}

fn remove(path: &Path) -> Result<(), RunError> {
    Ok(std::fs::remove_file(path).map_err(Error::io("remove", path))?)
}

impl Checkpoints {
    /// Writes checkpoints to the checkpoint folder of `dir`. `from` is the checkpoint from
    /// which the training is resumed.
    pub(super) fn new(
        dir: &RunDir,
        identity: RunIdentity,
        log: SharedLog,
        stopwatch: Stopwatch,
        from: Option<&Checkpoint>,
    ) -> Self {
        let restored = from.map(|from| from.parts.clone().map(Some));
        Self {
            folder: dir.checkpoints(),
            identity,
            log,
            stopwatch,
            unfinished: Arc::default(),
            restored: Arc::new(Mutex::new(restored.unwrap_or_default())),
        }
    }

    /// The three checkpointers that burn-train needs: for the model, the optimizer and the
    /// learning rate.
    pub(super) fn part_checkpointers(&self) -> [PartCheckpointer; 3] {
        [0, 1, 2].map(|index| PartCheckpointer {
            checkpoints: self.clone(),
            index,
        })
    }

    /// Writes a part of the checkpoint of an epoch. `make` makes its bytes. After the last part, the
    /// file gets its name, and the old checkpoints are removed.
    fn write(
        &self,
        epoch: usize,
        part: usize,
        make: impl FnOnce() -> Result<Bytes, CheckpointerError>,
    ) -> Result<(), CheckpointerError> {
        // Other threads wait, so at most one part is in memory as bytes.
        let mut unfinished = lock(&self.unfinished);
        let path = self.path(epoch);
        let failed =
            |error| CheckpointerError::Unknown(Error::io("write", &path)(error).to_string());
        let mut writer = match unfinished.remove(&epoch) {
            Some(writer) => writer,
            None => UnfinishedFile::create(&self.folder)
                .and_then(CheckpointWriter::new)
                .map_err(failed)?,
        };
        writer.add(part, &make()?).map_err(failed)?;
        if !writer.has_all_parts() {
            unfinished.insert(epoch, writer);
            return Ok(());
        }
        drop(unfinished);
        self.finish(epoch, writer)
            .map_err(|error| CheckpointerError::Unknown(error.to_string()))
    }

    fn path(&self, epoch: usize) -> PathBuf {
        self.folder.join(format!("{epoch}.{EXTENSION}"))
    }

    /// Ends the checkpoint of an epoch and removes the old ones.
    fn finish(
        &self,
        epoch: usize,
        writer: CheckpointWriter<UnfinishedFile>,
    ) -> Result<(), RunError> {
        let (history, timing) = {
            // The training continues while this thread writes, so the log may already hold
            // a later epoch.
            let log = self.log.lock();
            let history = log.history.rows.iter().take_while(|row| row.epoch <= epoch);
            let timing = log.timing.iter().take_while(|row| row.epoch <= epoch);
            (history.cloned().collect(), timing.cloned().collect())
        };
        let state = CheckpointState {
            identity: self.identity.clone(),
            epoch,
            seconds: self.stopwatch.seconds(),
            history,
            timing,
        };
        let path = self.path(epoch);
        writer
            .finish(state)
            .and_then(|file| file.finish(&path))
            .map_err(Error::io("write", &path))?;
        let all = files_by_epoch(&self.folder)?;
        for path in all.values().rev().skip(KEPT) {
            remove(path)?;
        }
        Ok(())
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Saves and restores one of the three parts of a checkpoint.
pub(super) struct PartCheckpointer {
    checkpoints: Checkpoints,
    index: usize,
}

impl<P: Part> Checkpointer<P> for PartCheckpointer {
    fn save(&self, epoch: usize, part: P) -> Result<(), CheckpointerError> {
        self.checkpoints.write(epoch, self.index, || {
            let bytes = part.checkpoint_into_bytes();
            bytes.map_err(CheckpointerError::Record)
        })
    }

    fn restore(&self, epoch: usize) -> Result<P, CheckpointerError> {
        let part = lock(&self.checkpoints.restored)[self.index].take();
        let part = part.ok_or_else(|| {
            CheckpointerError::Unknown(format!("there is no checkpoint of epoch {epoch}"))
        })?;
        P::checkpoint_from_bytes(Bytes::from_bytes_vec(part)).map_err(CheckpointerError::Record)
    }

    /// Does nothing, because [`Checkpoints::finish`] removes old files.
    fn delete(&self, _epoch: usize) -> Result<(), CheckpointerError> {
        Ok(())
    }
}
