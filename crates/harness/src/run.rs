//! A run: a config, a folder, a device, and the record at the end.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io::Write;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Instant;

use burn::module::Module;
use burn::tensor::Device;
use kindling_datasets::ImageSet;
use kindling_formats::{
    BURN_VERSION, Checkpoint, DeviceName, HistoryRow, Host, Progress, Record, RunConfig, RunDir,
    RunStatus, Stamp, VERSION, hex, if_there, write_atomic,
};
use sha2::{Digest, Sha256};

use crate::parameters::numbered;
use crate::recorder::{tell, tell_json};
use crate::tensorboard::{self, Events};
use crate::weights::write_weights;
use crate::{Display, Opened, RunError, checkpoint, device};

/// A run under way.
pub struct Run {
    config: RunConfig,
    dir: RunDir,
    device: Opened,
    display: Display,
    /// Whether it writes for TensorBoard.
    tensorboard: bool,
    clock: OnceLock<Clock>,
    started: Instant,
    /// Held for its lock: two trainings of one run would mix their files.
    _folder: Option<File>,
}

/// The wall time of a run, with that of the attempts that it goes on from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    started: Instant,
    /// Seconds.
    earlier: f64,
}

impl Clock {
    pub(crate) fn seconds(&self) -> f64 {
        self.earlier + self.started.elapsed().as_secs_f64()
    }
}

/// What a family found; the rest of the record the run knows itself.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// Trained parameters.
    pub parameters: usize,
    /// Losses and accuracies at the end.
    pub train_loss: Option<f64>,
    /// See [`Record::test_loss`].
    pub test_loss: Option<f64>,
    /// See [`Record::train_accuracy`].
    pub train_accuracy: Option<f64>,
    /// See [`Record::test_accuracy`].
    pub test_accuracy: Option<f64>,
    /// Figures of the family's own.
    pub metrics: BTreeMap<String, f64>,
    /// Fingerprint of the data; `"generated"` where it is.
    pub data_fingerprint: String,
}

impl Outcome {
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

impl Run {
    /// Reads `config.toml` in `dir` and opens its device, or the one that is
    /// named. If that is of another backend, the config is changed to say so.
    ///
    /// # Errors
    ///
    /// If the config is wrong, or the device cannot be had; see [`device::open`].
    ///
    /// `tensorboard` is whether to write for TensorBoard.
    pub fn open(
        dir: &Path,
        named: Option<DeviceName>,
        display: Display,
        tensorboard: bool,
    ) -> Result<Self, RunError> {
        let dir = RunDir::new(dir);
        let folder = lock(dir.path())?;
        let mut config = dir.read_config()?;
        let device = device::open(named.unwrap_or(config.backend.into()), config.precision)?;
        if config.backend != device.name.backend {
            config.backend = device.name.backend;
            write_atomic(&dir.config(), config.to_toml().as_bytes())?;
        }
        Ok(Self {
            device,
            config,
            dir,
            display,
            tensorboard,
            clock: OnceLock::new(),
            started: Instant::now(),
            _folder: folder,
        })
    }

    /// The resolved config.
    pub fn config(&self) -> &RunConfig {
        &self.config
    }

    /// The folder for everything it leaves.
    pub fn dir(&self) -> &RunDir {
        &self.dir
    }

    /// Where its tensors live, without autodiff; `.autodiff()` for training.
    pub fn device(&self) -> &Device {
        &self.device.device
    }

    /// Who looks on.
    pub fn display(&self) -> Display {
        self.display
    }

    /// What TensorBoard is told while it trains, with what has been so far.
    pub(crate) fn events(&self, history: &[HistoryRow]) -> Result<Option<Events>, RunError> {
        self.tensorboard
            .then(|| Events::begin(&self.dir, &self.config, history))
            .transpose()
    }

    /// Its wall time so far.
    pub(crate) fn clock(&self) -> Clock {
        *self.clock.get_or_init(|| Clock {
            started: self.started,
            earlier: 0.0,
        })
    }

    /// Where a training on this data goes on, if it was stopped before: the newest
    /// of its checkpoints. Without one the folder is emptied of what others left.
    ///
    /// # Errors
    ///
    /// If a file cannot be read or removed.
    pub(crate) fn resume(
        &self,
        data_fingerprint: &str,
    ) -> Result<(Stamp, Option<Checkpoint>), RunError> {
        let stamp = Stamp {
            config_hash: self.config.hash(),
            data_fingerprint: data_fingerprint.to_string(),
            program: program()?.to_string(),
        };
        let from = checkpoint::newest(&self.dir, &stamp, &mut warn)?;
        match &from {
            Some(from) => {
                let _ = self.clock.set(Clock {
                    started: self.started,
                    earlier: from.seconds,
                });
                if self.display == Display::Lines {
                    tell(&format!("going on after epoch {}", from.epoch));
                }
            }
            None => {
                for left in ["train", "valid", "checkpoint", "tensorboard"] {
                    let folder = self.dir.file(left);
                    if_there("remove", &folder, std::fs::remove_dir_all(&folder))?;
                }
            }
        }
        Ok((stamp, from))
    }

    /// Warns of what is not as it should be in the folder of the images, and leaves the
    /// names of the classes, where they are no digits, for the report.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn write_classes(&self, data: &ImageSet) -> Result<(), RunError> {
        data.warnings.iter().cloned().for_each(warn);
        let path = self.dir.classes();
        match &data.classes {
            Some(classes) => write_atomic(&path, (classes.join("\n") + "\n").as_bytes())?,
            // A training that was stopped may have had other data.
            None => drop(if_there("remove", &path, std::fs::remove_file(&path))?),
        }
        Ok(())
    }

    /// Reports that `done` of `total` iterations are done, to the matrix alone.
    pub fn tell_iterations(&self, done: usize, total: usize, row: &HistoryRow) {
        if self.display == Display::Progress {
            tell_json(&Progress {
                epoch: done,
                epochs: total,
                fraction: done as f64 / total as f64,
                train_loss: Some(row.train_loss),
                test_loss: Some(row.test_loss),
                test_accuracy: row.test_accuracy,
            });
        }
    }

    /// Writes `model.bpk`, and the same weights to `weights.safetensors`.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn save_model<M: Module>(&self, model: M) -> Result<(), RunError> {
        write_weights(&model, &self.dir.weights())?;
        let model = numbered(model);
        let path = self.dir.model();
        model
            .save_file(&path)
            .map_err(|error| RunError::Other(format!("cannot write {}: {error}", path.display())))
    }

    /// Writes the record of a run that came to its end, with the digest of every file
    /// that it left.
    ///
    /// # Errors
    ///
    /// If a figure is no number, if a file that such a run leaves is not there, or if one
    /// cannot be read or written.
    pub fn leave(&self, mut record: Record) -> Result<(), RunError> {
        if self.tensorboard {
            tensorboard::finish(&self.dir, &self.config)?;
        }
        for (name, figure) in [
            ("train_loss", record.train_loss),
            ("test_loss", record.test_loss),
            ("train_accuracy", record.train_accuracy),
            ("test_accuracy", record.test_accuracy),
        ] {
            // JSON has no NaN: it would read as if there were no such figure.
            if let Some(figure) = figure.filter(|figure| !figure.is_finite()) {
                return Err(RunError::Other(format!(
                    "its {name} is {figure}, no number"
                )));
            }
        }
        record.files = self.dir.digests()?;
        let gone: Vec<&str> = record.lacks(&self.config.task).collect();
        if !gone.is_empty() {
            return Err(RunError::Other(format!(
                "{} is gone from {}: did another process remove it? Train it again",
                gone.join(", "),
                self.dir.path().display()
            )));
        }
        self.dir.write_record(&record)?;
        // Whole, it has no use for them. What cannot be removed harms nothing.
        let _ = std::fs::remove_dir_all(self.dir.checkpoints());
        Ok(())
    }

    /// The record of a run that came to its end.
    pub fn complete(&self, outcome: Outcome) -> Record {
        self.record(outcome, RunStatus::Complete, None)
    }

    /// The record of a run that did not.
    pub fn failed(&self, error: &RunError) -> Record {
        self.record(
            Outcome::default(),
            RunStatus::Failed,
            Some(error.to_string()),
        )
    }

    fn record(&self, outcome: Outcome, status: RunStatus, error: Option<String>) -> Record {
        let config = &self.config;
        Record {
            version: VERSION.to_string(),
            section: config.section.clone(),
            cell: config.cell.clone(),
            family: config.task.family().to_string(),
            backend: config.backend,
            seed: config.seed,
            epochs: config.task.epochs(),
            parameters: outcome.parameters,
            train_loss: outcome.train_loss,
            test_loss: outcome.test_loss,
            train_accuracy: outcome.train_accuracy,
            test_accuracy: outcome.test_accuracy,
            seconds: self.clock().seconds(),
            status,
            error,
            // JSON has no NaN; a figure that is none is left out.
            metrics: outcome
                .metrics
                .into_iter()
                .filter(|(_, value)| value.is_finite())
                .collect(),
            config_hash: config.hash(),
            data_fingerprint: outcome.data_fingerprint,
            program: program().map_or_else(|_| "unknown".into(), str::to_string),
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

/// SHA-256 of the program that runs.
fn program() -> Result<&'static str, RunError> {
    static PROGRAM: OnceLock<String> = OnceLock::new();
    if let Some(known) = PROGRAM.get() {
        return Ok(known);
    }
    let failed = |error| RunError::Other(format!("cannot read this program: {error}"));
    let path = std::env::current_exe().map_err(failed)?;
    let digest = hex(&Sha256::digest(std::fs::read(path).map_err(failed)?));
    Ok(PROGRAM.get_or_init(|| digest))
}

/// Locks the folder of a run, as long as the file that is returned is open. Where a
/// folder cannot be opened, as on Windows, or locked, as on some file systems, nothing is
/// locked.
fn lock(folder: &Path) -> Result<Option<File>, RunError> {
    let Ok(file) = File::open(folder) else {
        return Ok(None);
    };
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(RunError::Busy(folder.to_path_buf())),
        Ok(()) | Err(TryLockError::Error(_)) => Ok(Some(file)),
    }
}

/// Says what was wrong and costs nothing.
fn warn(problem: String) {
    let _ = writeln!(std::io::stderr().lock(), "warning: {problem}");
}

/// The threads that rayon, on which the CPU backends run, takes.
fn threads() -> usize {
    std::env::var("RAYON_NUM_THREADS")
        .ok()
        .and_then(|threads| threads.parse().ok())
        .filter(|&threads| threads > 0)
        .unwrap_or_else(Host::cores)
}
