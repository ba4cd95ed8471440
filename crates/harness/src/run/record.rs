//! The record of a run: the results that the family has measured, and everything that is
//! needed to repeat the run.

use std::collections::BTreeMap;

use kindling_formats::{
    BURN_VERSION, ChannelScale, DataInfo, History, Host, Record, RunStatus, Split, VERSION,
};

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
    /// The loss on the validation images at the end; see [`Record::validation_loss`].
    pub validation_loss: Option<f64>,
    /// The loss on the test images at the end; see [`Record::test_loss`].
    pub test_loss: Option<f64>,
    /// The accuracy on the training images in [0, 1]; see [`Record::train_accuracy`].
    pub train_accuracy: Option<f64>,
    /// The accuracy on the validation images in [0, 1]; see [`Record::validation_accuracy`].
    pub validation_accuracy: Option<f64>,
    /// The accuracy on the test images in [0, 1]; see [`Record::test_accuracy`].
    pub test_accuracy: Option<f64>,
    /// Further figures of the family, by name. The record leaves out figures that are NaN or
    /// infinite.
    pub metrics: BTreeMap<String, f64>,
    /// The fingerprint of the data, or `"generated"` if the data are generated from the seed.
    pub data_fingerprint: String,
    /// What the images are; `None` if the data are generated.
    pub data: Option<DataInfo>,
    /// The scale of the pixels; see [`Record::scale`].
    pub scale: Option<Vec<ChannelScale>>,
}

impl RunResults {
    /// The losses and accuracies of the last row of a history.
    pub fn of_history(history: &History) -> Self {
        let last = history.rows.last();
        let results = Self {
            train_loss: last.map(|row| row.train_loss),
            train_accuracy: last.and_then(|row| row.train_accuracy),
            ..Self::default()
        };
        let loss = last.map(|row| row.evaluated_loss);
        let accuracy = last.and_then(|row| row.evaluated_accuracy);
        results.with_evaluation(history.split, loss, accuracy)
    }

    /// Sets the loss and the accuracy on `split`, the split on which the run was evaluated.
    pub fn with_evaluation(self, split: Split, loss: Option<f64>, accuracy: Option<f64>) -> Self {
        match split {
            Split::Train => Self {
                train_loss: loss,
                train_accuracy: accuracy,
                ..self
            },
            Split::Validation => Self {
                validation_loss: loss,
                validation_accuracy: accuracy,
                ..self
            },
            Split::Test => Self {
                test_loss: loss,
                test_accuracy: accuracy,
                ..self
            },
        }
    }
}

impl RunContext {
    /// Makes the record of a complete run.
    pub fn complete_record(&self, results: RunResults) -> Record {
        self.record(results, RunStatus::Complete, None)
    }

    /// Makes the record of a run that failed or diverged with `error`.
    pub fn failed_record(&self, error: &RunError) -> Record {
        let status = match error {
            RunError::Diverged(_) => RunStatus::Diverged,
            _ => RunStatus::Failed,
        };
        self.record(RunResults::default(), status, Some(error.to_string()))
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
            let data = record.data.as_ref();
            ensure_event_file(&self.dir, &self.config, data)?;
            write_projector(&self.dir, data.map_or(&[], |data| &data.classes))?;
        }
        for (name, figure) in [
            ("train_loss", record.train_loss),
            ("validation_loss", record.validation_loss),
            ("test_loss", record.test_loss),
            ("train_accuracy", record.train_accuracy),
            ("validation_accuracy", record.validation_accuracy),
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
            validation_loss: results.validation_loss,
            test_loss: results.test_loss,
            train_accuracy: results.train_accuracy,
            validation_accuracy: results.validation_accuracy,
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
            data: results.data,
            scale: results.scale,
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
