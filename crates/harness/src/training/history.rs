//! The history of a training: one row per epoch, in memory and in `history.csv`.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burn_train::Interrupter;
use kindling_formats::{History, HistoryRow, RunDir, Split, TimingRow, write_csv};

use crate::error::RunError;

/// The figures of one split in one epoch, as far as burn-train has reported them.
#[derive(Debug, Default)]
pub(super) struct SplitFigures {
    /// The mean loss over all images of the split.
    pub loss: Option<f64>,
    /// The accuracy in percent.
    pub accuracy_percent: Option<f64>,
    /// The number of images in the split.
    pub images: usize,
}

impl SplitFigures {
    /// The accuracy in [0, 1].
    ///
    /// burn-train averages the percentages of the batches, which causes rounding errors. The
    /// number of correct images is a whole number. So this function rounds to that number, and
    /// divides it once.
    pub(super) fn accuracy(&self) -> Option<f64> {
        let images = self.images as f64;
        self.accuracy_percent
            .map(|percent| (percent / 100.0 * images).round() / images)
    }
}

/// The history, the times and the error of a training so far.
#[derive(Debug)]
pub(super) struct TrainingLog {
    /// The losses and accuracies of each finished epoch.
    pub history: History,
    /// The seconds of each finished epoch.
    pub timing: Vec<TimingRow>,
    /// The first error that stopped the training.
    pub failure: Option<RunError>,
}

impl TrainingLog {
    /// The log of a training that has not begun. It will be evaluated on `split`.
    pub(super) fn new(split: Split) -> Self {
        Self {
            history: History::new(split),
            timing: Vec::new(),
            failure: None,
        }
    }

    /// Adds an epoch that took `seconds`, and writes `history.csv` and `timing.csv`.
    ///
    /// # Errors
    ///
    /// If a file cannot be written.
    pub(super) fn add_epoch(
        &mut self,
        row: HistoryRow,
        seconds: f64,
        dir: &RunDir,
    ) -> Result<(), RunError> {
        let epoch = row.epoch;
        self.history.rows.push(row);
        self.timing.push(TimingRow { epoch, seconds });
        self.history.write(&dir.history())?;
        write_csv(&dir.timing(), &self.timing)?;
        Ok(())
    }
}

/// The log of a training. burn-train's threads and the training loop share it.
#[derive(Debug, Clone)]
pub(super) struct SharedLog(Arc<Mutex<TrainingLog>>);

impl SharedLog {
    pub(super) fn new(log: TrainingLog) -> Self {
        Self(Arc::new(Mutex::new(log)))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, TrainingLog> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops the training because of `failure`. Only the first failure is kept.
    pub(super) fn fail(&self, failure: RunError, interrupter: &Interrupter) {
        let mut log = self.lock();
        if log.failure.is_none() {
            interrupter.stop(Some(&failure.to_string()));
            log.failure = Some(failure);
        }
    }

    /// Returns the log, and replaces it by an empty log.
    pub(super) fn take(&self) -> TrainingLog {
        let mut log = self.lock();
        let empty = TrainingLog::new(log.history.split);
        std::mem::replace(&mut *log, empty)
    }
}
