//! Checkpoints: one file after every epoch. The last two files are kept.
//!
//! burn-train saves the model, the optimizer and the learning rate one by one, each on a
//! separate thread. The three parts are collected here. The thread that saves the last part
//! writes the file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burn::tensor::Bytes;
use burn_train::checkpoint::{Checkpoint as Part, Checkpointer, CheckpointerError};
use kindling_formats::{Checkpoint, Error, RunDir, RunIdentity, if_there, write_atomic};

use super::history::SharedLog;
use crate::error::RunError;
use crate::run::Stopwatch;

/// The number of checkpoints that are kept. If the last checkpoint is damaged, the one before
/// it is used.
const KEPT: usize = 2;
/// The extension of a checkpoint's file. The name before the extension is the epoch.
const EXTENSION: &str = "ckpt";

/// The model, the optimizer and the learning rate of an epoch. A part is `None` until
/// burn-train has saved it.
type Parts = [Option<Vec<u8>>; 3];

/// Writes the checkpoints of a training, and holds the checkpoint from which the training is
/// resumed.
#[derive(Clone)]
pub(super) struct Checkpoints {
    folder: PathBuf,
    identity: RunIdentity,
    /// The source of the history and the timing.
    log: SharedLog,
    stopwatch: Stopwatch,
    /// The parts by epoch, for epochs whose three parts are not complete yet, and for the epoch
    /// from which the training is resumed.
    parts: Arc<Mutex<BTreeMap<usize, Parts>>>,
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
            Ok(checkpoint) if checkpoint.identity == *identity => return Ok(Some(checkpoint)),
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
        let restored = from.map(|from| (from.epoch, from.parts.clone().map(Some)));
        Self {
            folder: dir.checkpoints(),
            identity,
            log,
            stopwatch,
            parts: Arc::new(Mutex::new(restored.into_iter().collect())),
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

    fn lock_parts(&self) -> MutexGuard<'_, BTreeMap<usize, Parts>> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the checkpoint of an epoch and removes the old ones.
    fn write(&self, epoch: usize, parts: [Vec<u8>; 3]) -> Result<(), RunError> {
        let (history, timing) = {
            // The training continues while this thread writes, so the log may already hold
            // a later epoch.
            let log = self.log.lock();
            let history = log.history.rows.iter().take_while(|row| row.epoch <= epoch);
            let timing = log.timing.iter().take_while(|row| row.epoch <= epoch);
            (history.cloned().collect(), timing.cloned().collect())
        };
        let checkpoint = Checkpoint {
            identity: self.identity.clone(),
            epoch,
            seconds: self.stopwatch.seconds(),
            history,
            timing,
            parts,
        };
        let bytes = checkpoint.to_bytes().map_err(RunError::Other)?;
        let path = self.folder.join(format!("{epoch}.{EXTENSION}"));
        write_atomic(&path, &bytes)?;
        let all = files_by_epoch(&self.folder)?;
        for path in all.values().rev().skip(KEPT) {
            remove(path)?;
        }
        Ok(())
    }
}

/// Saves and restores one of the three parts of a checkpoint.
pub(super) struct PartCheckpointer {
    checkpoints: Checkpoints,
    index: usize,
}

impl<P: Part> Checkpointer<P> for PartCheckpointer {
    fn save(&self, epoch: usize, part: P) -> Result<(), CheckpointerError> {
        let bytes = part
            .checkpoint_into_bytes()
            .map_err(CheckpointerError::Record)?;
        let whole = {
            let mut parts = self.checkpoints.lock_parts();
            let of_epoch = parts.entry(epoch).or_default();
            of_epoch[self.index] =
                Some(bytes.try_into_vec().unwrap_or_else(|bytes| bytes.to_vec()));
            match of_epoch {
                [Some(_), Some(_), Some(_)] => parts.remove(&epoch),
                _ => None,
            }
        };
        if let Some([Some(model), Some(optimizer), Some(rate)]) = whole {
            self.checkpoints
                .write(epoch, [model, optimizer, rate])
                .map_err(|error| CheckpointerError::Unknown(error.to_string()))?;
        }
        Ok(())
    }

    fn restore(&self, epoch: usize) -> Result<P, CheckpointerError> {
        let mut parts = self.checkpoints.lock_parts();
        let part = parts
            .get_mut(&epoch)
            .and_then(|parts| parts[self.index].take())
            .ok_or_else(|| {
                CheckpointerError::Unknown(format!("there is no checkpoint of epoch {epoch}"))
            })?;
        P::checkpoint_from_bytes(Bytes::from_bytes_vec(part)).map_err(CheckpointerError::Record)
    }

    /// Does nothing, because [`Checkpoints::write`] removes old files.
    fn delete(&self, _epoch: usize) -> Result<(), CheckpointerError> {
        Ok(())
    }
}
