//! Finds the checkpoint from which a training is resumed.

use kindling_formats::{Checkpoint, History, HistoryRow, RunDir, RunIdentity, Split, if_there};

use super::checkpoints::newest_checkpoint;
use super::history::TrainingLog;
use crate::error::RunError;
use crate::progress::report_warning;

/// The folders that a training makes in the folder of its run.
const FOLDERS: [&str; 5] = ["train", "valid", "test", "checkpoint", "tensorboard"];

/// The start of a training: a checkpoint of an earlier attempt, or epoch 1.
pub(super) struct ResumePoint {
    /// The identity of this run, which its checkpoints hold.
    pub identity: RunIdentity,
    /// The checkpoint to resume from; `None` if the training starts with epoch 1.
    pub checkpoint: Option<Checkpoint>,
}

impl ResumePoint {
    /// Finds the newest usable checkpoint in the folder of a run. If there is none, it removes
    /// the folders of earlier attempts.
    ///
    /// # Errors
    ///
    /// If a file cannot be read or removed.
    pub(super) fn find(dir: &RunDir, identity: RunIdentity) -> Result<Self, RunError> {
        let checkpoint = newest_checkpoint(dir, &identity, &mut report_warning)?;
        if checkpoint.is_none() {
            for name in FOLDERS {
                let folder = dir.file(name);
                if_there("remove", &folder, std::fs::remove_dir_all(&folder))?;
            }
        }
        Ok(Self {
            identity,
            checkpoint,
        })
    }

    /// The number of epochs that are done.
    pub(super) fn epochs_done(&self) -> usize {
        self.checkpoint.as_ref().map_or(0, |from| from.state.epoch)
    }

    /// The history of the epochs that are done.
    pub(super) fn history(&self) -> &[HistoryRow] {
        self.checkpoint
            .as_ref()
            .map_or(&[], |from| &from.state.history)
    }

    /// The log of the epochs that are done. `split` is the split on which the training is
    /// evaluated.
    pub(super) fn log(&self, split: Split) -> TrainingLog {
        match &self.checkpoint {
            None => TrainingLog::new(split),
            Some(from) => TrainingLog {
                history: History {
                    split,
                    rows: from.state.history.clone(),
                },
                timing: from.state.timing.clone(),
                failure: None,
            },
        }
    }
}
