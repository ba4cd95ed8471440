//! Checkpoints of a training by burn-train, after every epoch: one file each, whole
//! or not at all, of which the last two are kept.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use burn::tensor::Bytes;
use burn_train::checkpoint::{Checkpoint as Part, Checkpointer, CheckpointerError};
use kindling_formats::{Checkpoint, Error, RunDir, RunIdentity, if_there, write_atomic};

use crate::recorder::Log;
use crate::run::Clock;
use crate::{Run, RunError};

/// How many are kept: where the last is damaged, the one before it serves.
const KEPT: usize = 2;
/// Behind the epoch in a file's name.
const EXTENSION: &str = "ckpt";

/// Model, optimizer and learning rate, as far as they are there.
type Parts = [Option<Vec<u8>>; 3];

/// The checkpoints of a training.
#[derive(Clone)]
pub(crate) struct Checkpoints {
    folder: PathBuf,
    stamp: RunIdentity,
    /// Where history and timing are taken from.
    log: Arc<Mutex<Log>>,
    clock: Clock,
    /// Those of an epoch, until all are there. burn-train saves each on a thread
    /// of its own.
    parts: Arc<Mutex<BTreeMap<usize, Parts>>>,
}

/// The newest checkpoint that can be used.
///
/// Others are named in `warn` where they are damaged, and removed.
///
/// # Errors
///
/// If a file cannot be read or removed.
pub(crate) fn newest(
    dir: &RunDir,
    stamp: &RunIdentity,
    warn: &mut dyn FnMut(String),
) -> Result<Option<Checkpoint>, RunError> {
    for (_, path) in files(&dir.checkpoints())?.into_iter().rev() {
        let bytes = std::fs::read(&path).map_err(Error::io("read", &path))?;
        match Checkpoint::from_bytes(&bytes) {
            Ok(checkpoint) if checkpoint.identity == *stamp => return Ok(Some(checkpoint)),
            // Of another config, other data or another program: none of ours.
            Ok(_) => {}
            Err(problem) => warn(format!(
                "{}: {problem}; going on without it",
                path.display()
            )),
        }
        remove(&path)?;
    }
    Ok(None)
}

/// The checkpoints in a folder by epoch; none where there is no folder.
fn files(folder: &Path) -> Result<BTreeMap<usize, PathBuf>, RunError> {
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
    /// Of the training of `run`, whose log is `log`; `from` is where it goes on.
    pub(crate) fn new(
        run: &Run,
        stamp: RunIdentity,
        log: Arc<Mutex<Log>>,
        from: Option<&Checkpoint>,
    ) -> Self {
        let restored = from.map(|from| (from.epoch, from.parts.clone().map(Some)));
        Self {
            folder: run.dir().checkpoints(),
            stamp,
            log,
            clock: run.clock(),
            parts: Arc::new(Mutex::new(restored.into_iter().collect())),
        }
    }

    /// What burn-train saves model, optimizer and learning rate by.
    pub(crate) fn parts(&self) -> [PartCheckpointer; 3] {
        [0, 1, 2].map(|index| PartCheckpointer {
            of: self.clone(),
            index,
        })
    }

    /// Writes the checkpoint of an epoch whose parts are all there.
    fn write(&self, epoch: usize, parts: [Vec<u8>; 3]) -> Result<(), RunError> {
        let (history, timing) = {
            // A training that has gone on meanwhile may know of a later epoch.
            let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
            let history = log.history.iter().take_while(|row| row.epoch <= epoch);
            let timing = log.timing.iter().take_while(|row| row.epoch <= epoch);
            (history.cloned().collect(), timing.cloned().collect())
        };
        let checkpoint = Checkpoint {
            identity: self.stamp.clone(),
            epoch,
            seconds: self.clock.seconds(),
            history,
            timing,
            parts,
        };
        let bytes = checkpoint.to_bytes().map_err(RunError::Other)?;
        let path = self.folder.join(format!("{epoch}.{EXTENSION}"));
        write_atomic(&path, &bytes)?;
        let all = files(&self.folder)?;
        for path in all.values().rev().skip(KEPT) {
            remove(path)?;
        }
        Ok(())
    }
}

/// One of the three parts.
pub(crate) struct PartCheckpointer {
    of: Checkpoints,
    index: usize,
}

impl<P: Part> Checkpointer<P> for PartCheckpointer {
    fn save(&self, epoch: usize, part: P) -> Result<(), CheckpointerError> {
        let bytes = part
            .checkpoint_into_bytes()
            .map_err(CheckpointerError::Record)?;
        let whole = {
            let mut parts = self.of.parts.lock().unwrap_or_else(PoisonError::into_inner);
            let of_epoch = parts.entry(epoch).or_default();
            of_epoch[self.index] = Some(bytes.to_vec());
            match of_epoch {
                [Some(_), Some(_), Some(_)] => parts.remove(&epoch),
                _ => None,
            }
        };
        if let Some([Some(model), Some(optimizer), Some(rate)]) = whole {
            self.of
                .write(epoch, [model, optimizer, rate])
                .map_err(|error| CheckpointerError::Unknown(error.to_string()))?;
        }
        Ok(())
    }

    fn restore(&self, epoch: usize) -> Result<P, CheckpointerError> {
        let mut parts = self.of.parts.lock().unwrap_or_else(PoisonError::into_inner);
        let part = parts
            .get_mut(&epoch)
            .and_then(|parts| parts[self.index].take())
            .ok_or_else(|| CheckpointerError::Unknown(format!("no checkpoint of epoch {epoch}")))?;
        P::checkpoint_from_bytes(Bytes::from_bytes_vec(part)).map_err(CheckpointerError::Record)
    }

    /// Nothing: [`Checkpoints::write`] removes the old ones, as whole files.
    fn delete(&self, _epoch: usize) -> Result<(), CheckpointerError> {
        Ok(())
    }
}
