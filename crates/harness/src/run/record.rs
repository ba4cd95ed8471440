//! The record of a run: the results that the family has measured, and everything that is
//! needed to repeat the run.

use std::collections::BTreeMap;

use kindling_formats::{BURN_VERSION, HistoryRow, Host, Record, RunStatus, VERSION};

use super::program::program_hash;
use super::run_context::RunContext;
use crate::error::RunError;
use crate::tensorboard::{ensure_event_file, write_projector};

/// The results that a family has measured. The rest of the record comes from the
/// [`RunContext`].
#[derive(Debug, Clone, Default)]
pub struct RunResults {
    /// The number of trained parameters.
    pub parameters: usize,
    /// The loss on the training images at the end; see [`Record::train_loss`].
    pub train_loss: Option<f64>,
    /// The loss on the test images at the end; see [`Record::test_loss`].
    pub test_loss: Option<f64>,
    /// The accuracy on the training images in [0, 1]; see [`Record::train_accuracy`].
    pub train_accuracy: Option<f64>,
    /// The accuracy on the test images in [0, 1]; see [`Record::test_accuracy`].
    pub test_accuracy: Option<f64>,
    /// Further figures of the family, by name. The record leaves out figures that are NaN or
    /// infinite.
    pub metrics: BTreeMap<String, f64>,
    /// The fingerprint of the data, or `"generated"` if the data are generated from the seed.
    pub data_fingerprint: String,
}

impl RunResults {
    /// The losses and accuracies of the last row of a history.
    pub fn of_history(history: &[HistoryRow]) -> Self {
        let last = history.last();
        Self {
            train_loss: last.map(|row| row.train_loss),
            test_loss: last.map(|row| row.test_loss),
            train_accuracy: last.and_then(|row| row.train_accuracy),
            test_accuracy: last.and_then(|row| row.test_accuracy),
            ..Self::default()
        }
    }
}

impl RunContext {
    /// Makes the record of a complete run.
    pub fn complete_record(&self, results: RunResults) -> Record {
        self.record(results, RunStatus::Complete, None)
    }

    /// Makes the record of a run that failed with `error`.
    pub fn failed_record(&self, error: &RunError) -> Record {
        self.record(
            RunResults::default(),
            RunStatus::Failed,
            Some(error.to_string()),
        )
    }

    /// Writes the record of a complete run, with the digest of every file in its folder, and
    /// removes its checkpoints.
    ///
    /// # Errors
    ///
    /// If a loss or an accuracy is NaN or infinite, if a file that this family writes is
    /// missing, or if a file cannot be read or written.
    pub fn finish(&self, mut record: Record) -> Result<(), RunError> {
        if self.tensorboard {
            ensure_event_file(&self.dir, &self.config)?;
            write_projector(&self.dir)?;
        }
        for (name, figure) in [
            ("train_loss", record.train_loss),
            ("test_loss", record.test_loss),
            ("train_accuracy", record.train_accuracy),
            ("test_accuracy", record.test_accuracy),
        ] {
            // JSON has no NaN. It would be written as null, which means that there is no figure.
            if let Some(figure) = figure.filter(|figure| !figure.is_finite()) {
                return Err(RunError::Other(format!(
                    "the run's {name} is {figure}; it must be a finite number"
                )));
            }
        }
        record.files = self.dir.digests()?;
        let missing: Vec<&str> = record.lacks(&self.config.task).collect();
        if !missing.is_empty() {
            return Err(RunError::Other(format!(
                "{} is missing in {}: did another process remove it? Train the run again",
                missing.join(", "),
                self.dir.path().display()
            )));
        }
        self.dir.write_record(&record)?;
        // A complete run never reads its checkpoints, so a checkpoint that cannot be removed
        // does no harm.
        let _ = std::fs::remove_dir_all(self.dir.checkpoints());
        Ok(())
    }

    fn record(&self, results: RunResults, status: RunStatus, error: Option<String>) -> Record {
        let config = &self.config;
        Record {
            version: VERSION.to_string(),
            section: config.section.clone(),
            cell: config.cell.clone(),
            family: config.task.family().to_string(),
            backend: config.backend,
            seed: config.seed,
            epochs: config.task.epochs(),
            parameters: results.parameters,
            train_loss: results.train_loss,
            test_loss: results.test_loss,
            train_accuracy: results.train_accuracy,
            test_accuracy: results.test_accuracy,
            seconds: self.stopwatch().seconds(),
            status,
            error,
            // JSON has no NaN, so such a figure is left out.
            metrics: results
                .metrics
                .into_iter()
                .filter(|(_, value)| value.is_finite())
                .collect(),
            config_hash: config.hash(),
            data_fingerprint: results.data_fingerprint,
            program: program_hash().map_or_else(|_| "unknown".into(), str::to_string),
            revision: std::env::var("KINDLING_REVISION").unwrap_or_else(|_| "unknown".into()),
            burn_version: BURN_VERSION.to_string(),
            host: Host {
                adapter: self.device.adapter(),
                ..Host::detect(threads())
            },
            files: BTreeMap::new(),
        }
    }
}

/// The number of threads that rayon uses. The CPU backends compute on rayon's threads.
fn threads() -> usize {
    std::env::var("RAYON_NUM_THREADS")
        .ok()
        .and_then(|threads| threads.parse().ok())
        .filter(|&threads| threads > 0)
        .unwrap_or_else(Host::cores)
}
