//! Finds a trained run, and makes its network again.

use std::path::Path;

use burn::tensor::{Device, Tensor};
use kindling_autoencoder::Coder;
use kindling_classifiers::Classifier;
use kindling_harness::{Opened, RunError, pixels};
use kindling_spec::{Error, Layout, Precision, RunConfig, RunDir, Task};

use crate::cli::Model;

/// A run that is whole, and what computes.
pub struct Trained {
    /// Its folder.
    pub dir: RunDir,
    /// Its config.
    pub config: RunConfig,
    device: Opened,
}

impl Trained {
    /// Finds the run that `model` names: a folder, or else a cell below `--out`.
    ///
    /// # Errors
    ///
    /// If there is none, it is not whole, or the device cannot be had.
    pub fn find(model: &Model) -> Result<Self, RunError> {
        let layout = Layout::new(&model.out, model.size());
        let named = RunDir::new(&model.cell);
        let dir = if named.config().exists() {
            named
        } else {
            layout.finished(&model.cell, model.seed)
        };
        let missing = || {
            RunError::BadModel(format!(
                "{}: no trained run is there; train it by `cargo xtask experiments --only {}`, or \
                 say where it is with --out, --seed or --quick",
                dir.path().display(),
                model.cell
            ))
        };
        let record = dir.read_record()?.ok_or_else(missing)?;
        let config = dir.read_config()?;
        let damaged = dir.damaged(&record, &config)?;
        if !damaged.is_empty() {
            return Err(RunError::BadModel(format!(
                "{}: {} is damaged; train it again",
                dir.path().display(),
                damaged.join(", ")
            )));
        }
        let compiled = kindling_harness::compiled();
        let usual = if compiled.contains(&config.backend) {
            config.backend
        } else {
            compiled[0]
        };
        let device = model.device.unwrap_or(usual.into());
        Ok(Self {
            device: kindling_harness::open(device, Precision::Full)?,
            dir,
            config,
        })
    }

    /// Its classifier.
    ///
    /// # Errors
    ///
    /// If it is none, or cannot be read.
    pub fn classifier(&self) -> Result<Classifier, RunError> {
        match &self.config.task {
            Task::Classifier(task) => {
                Classifier::load(&task.model, &self.dir.model(), &self.device.device)
            }
            _ => Err(self.unfit("a classifier, as convnet")),
        }
    }

    /// What makes its codes.
    ///
    /// # Errors
    ///
    /// If it makes none, or cannot be read.
    pub fn coder(&self) -> Result<Coder, RunError> {
        let device = &self.device.device;
        match &self.config.task {
            Task::Autoencoder(task) => Coder::network(&task.model, &self.dir.model(), device),
            Task::Pca(_) => Coder::pca(&self.dir, device),
            _ => Err(self.unfit("an autoencoder or a PCA, as ae or pca")),
        }
    }

    /// `[n, 784]` bytes of images as pixels in [0, 1].
    pub fn pixels(&self, bytes: &[u8]) -> Tensor<2> {
        pixels(bytes, &self.device.device)
    }

    /// The names of its classes.
    ///
    /// # Errors
    ///
    /// If they cannot be read.
    pub fn classes(&self) -> Result<Vec<String>, RunError> {
        Ok(self.dir.read_classes()?)
    }

    /// Where its tensors live.
    pub fn device(&self) -> &Device {
        &self.device.device
    }

    fn unfit(&self, wanted: &str) -> RunError {
        RunError::BadModel(format!(
            "{} is of family {}; name {wanted}",
            self.config.cell,
            self.config.task.family()
        ))
    }
}

/// An error of reading `file`.
pub fn problem(file: &Path, problem: impl ToString) -> RunError {
    let (file, problem) = (file.to_path_buf(), problem.to_string());
    Error::File { file, problem }.into()
}
