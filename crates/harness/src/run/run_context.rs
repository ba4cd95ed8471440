//! The context in which a family trains its run: the config, the folder, the device, and how
//! progress is shown.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::OnceLock;

use burn::module::Module;
use burn::tensor::Device;
use kindling_datasets::ImageSet;
use kindling_formats::{
    DataInfo, DeviceName, HistoryRow, ImageData, Progress, RunConfig, RunDir, RunIdentity,
    write_atomic,
};

use super::program::program_hash;
use super::stopwatch::Stopwatch;
use crate::device::{OpenDevice, open_device};
use crate::error::RunError;
use crate::model::{save_burn_weights, save_safetensors};
use crate::progress::{ProgressDisplay, print_json, report_warning};
use crate::tensorboard::EventWriter;

/// A run that is being trained.
pub struct RunContext {
    pub(super) config: RunConfig,
    pub(super) dir: RunDir,
    pub(super) device: OpenDevice,
    display: ProgressDisplay,
    /// Whether the run writes files for TensorBoard.
    pub(super) tensorboard: bool,
    stopwatch: Stopwatch,
    /// The wall time in seconds of earlier, stopped attempts at this run.
    earlier_seconds: OnceLock<f64>,
    /// The folder, open and locked, so that no second process trains the same run.
    _folder_lock: Option<File>,
}

impl RunContext {
    /// Locks the folder `dir`, reads its `config.toml` and opens the device.
    ///
    /// `device` names the device. If it is `None`, the default device of the config's backend
    /// is used. If `device` has another backend, the backend in `config.toml` is changed.
    /// `tensorboard` says whether the run writes files for TensorBoard.
    ///
    /// # Errors
    ///
    /// If another process is training the run, if the config is wrong, or if the device cannot
    /// be opened.
    pub fn open(
        dir: &Path,
        device: Option<DeviceName>,
        display: ProgressDisplay,
        tensorboard: bool,
    ) -> Result<Self, RunError> {
        let dir = RunDir::new(dir);
        let folder_lock = lock_folder(dir.path())?;
        let mut config = dir.read_config()?;
        let device = open_device(device.unwrap_or(config.backend.into()), config.precision)?;
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
            stopwatch: Stopwatch::start(),
            earlier_seconds: OnceLock::new(),
            _folder_lock: folder_lock,
        })
    }

    /// The resolved config.
    pub fn config(&self) -> &RunConfig {
        &self.config
    }

    /// The folder for all files of the run.
    pub fn dir(&self) -> &RunDir {
        &self.dir
    }

    /// The device, without autodiff. To train on it, call `.autodiff()`.
    pub fn device(&self) -> &Device {
        &self.device.device
    }

    /// How progress is shown.
    pub fn display(&self) -> ProgressDisplay {
        self.display
    }

    /// The wall time of the run so far, with that of earlier, stopped attempts.
    pub(crate) fn stopwatch(&self) -> Stopwatch {
        let earlier = self.earlier_seconds.get().copied().unwrap_or_default();
        self.stopwatch.with_earlier(earlier)
    }

    /// Adds the wall time of earlier, stopped attempts at this run, in seconds.
    pub(crate) fn add_earlier_seconds(&self, seconds: f64) {
        let _ = self.earlier_seconds.set(seconds);
    }

    /// A writer for TensorBoard's event file; `None` if the run writes no files for
    /// TensorBoard. The file begins with the epochs of `history`. `data` is what the images are.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub(crate) fn event_writer(
        &self,
        data: Option<&DataInfo>,
        history: &[HistoryRow],
    ) -> Result<Option<EventWriter>, RunError> {
        self.tensorboard
            .then(|| EventWriter::create(&self.dir, &self.config, data, history))
            .transpose()
    }

    /// The identity of this run. The run can be resumed only from a checkpoint with the same
    /// identity.
    ///
    /// # Errors
    ///
    /// If the running program's file cannot be read.
    pub(crate) fn identity(&self, data_fingerprint: &str) -> Result<RunIdentity, RunError> {
        Ok(RunIdentity {
            config_hash: self.config.hash(),
            data_fingerprint: data_fingerprint.to_string(),
            program: program_hash()?.to_string(),
        })
    }

    /// Loads the images that the config names in `data`, prints the warnings about them, and
    /// checks that the config fits them.
    ///
    /// # Errors
    ///
    /// If the images cannot be loaded, or the config does not fit them.
    pub fn load_images(&self, data: &ImageData) -> Result<ImageSet, RunError> {
        let images = kindling_datasets::load_images(data)?;
        images.warnings.iter().cloned().for_each(report_warning);
        self.config.check_data(&images.info)?;
        Ok(images)
    }

    /// Reports as JSON that `done` of `total` iterations are done. It prints nothing if the
    /// display is not [`ProgressDisplay::Json`].
    pub fn report_iteration(&self, done: usize, total: usize, row: &HistoryRow) {
        if self.display == ProgressDisplay::Json {
            print_json(&Progress {
                epoch: done,
                epochs: total,
                fraction: done as f64 / total as f64,
                train_loss: Some(row.train_loss),
                evaluated_loss: Some(row.evaluated_loss),
                evaluated_accuracy: row.evaluated_accuracy,
            });
        }
    }

    /// Writes the weights of `model` to `model.bpk` and to `weights.safetensors`.
    ///
    /// # Errors
    ///
    /// If a file cannot be written.
    pub fn save_model<M: Module>(&self, model: M) -> Result<(), RunError> {
        save_safetensors(&model, &self.dir.weights())?;
        save_burn_weights(model, &self.dir.model())
    }
}

/// Locks the folder of a run until the returned file is closed. If the folder cannot be opened
/// as a file, as on Windows, it returns `None`. If the file system has no locks, it returns the
/// open file without a lock.
///
/// # Errors
///
/// If another process holds the lock.
fn lock_folder(folder: &Path) -> Result<Option<File>, RunError> {
    let Ok(file) = File::open(folder) else {
        return Ok(None);
    };
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(RunError::Busy(folder.to_path_buf())),
        Ok(()) | Err(TryLockError::Error(_)) => Ok(Some(file)),
    }
}
