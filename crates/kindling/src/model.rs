//! Finds a trained run, and makes its network again.

use std::path::Path;

use burn::tensor::{Device, Tensor};
use kindling_autoencoder::Coder;
use kindling_classifiers::Classifier;
use kindling_formats::{Error, Layout, MNIST, Precision, RunConfig, RunDir, RunStatus, Task};
use kindling_harness::{OpenDevice, RunError, images_to_tensor, to_f64s};

use crate::cli::Model;
use crate::output::complain;
use crate::runs;

/// A run that is whole, and what computes.
pub struct Trained {
    /// Its folder.
    pub dir: RunDir,
    /// Its config.
    pub config: RunConfig,
    device: OpenDevice,
    is_of_mnist: bool,
}

impl Trained {
    /// Finds the run that `model` names: a folder, or else a cell below `--out`.
    ///
    /// # Errors
    ///
    /// If there is none, it is not whole, or the device cannot be had.
    pub fn find(model: &Model) -> Result<Self, RunError> {
        let named = RunDir::new(&model.cell);
        let is_folder = named.config().exists();
        let dir = if is_folder {
            named
        } else {
            Layout::new(&model.out, model.size()).finished(&model.cell, model.seed)
        };
        let place = dir.path().display();
        let Some(record) = dir.read_record()? else {
            return Err(RunError::BadModel(if is_folder {
                format!(
                    "{place}: no trained run is there yet; train it by `kindling train {place}`"
                )
            } else {
                format!("{place}: no trained run is there; {}", runs::instead(model))
            }));
        };
        if record.status == RunStatus::Failed {
            return Err(RunError::BadModel(format!(
                "{place}: its training failed ({}); mend that, and train it again",
                record
                    .error
                    .as_deref()
                    .unwrap_or("for no reason that is known")
            )));
        }
        let config = dir.read_config()?;
        let damaged = dir.damaged(&record, &config)?;
        if !damaged.is_empty() {
            return Err(RunError::BadModel(format!(
                "{}: {} is damaged; train it again",
                dir.path().display(),
                damaged.join(", ")
            )));
        }
        let compiled = kindling_harness::compiled_backends();
        let usual = if compiled.contains(&config.backend) {
            config.backend
        } else {
            // Where there is none, opening the config's says so.
            *compiled.first().unwrap_or(&config.backend)
        };
        let device = model.device.unwrap_or(usual.into());
        Ok(Self {
            device: kindling_harness::open_device(device, Precision::Full)?,
            is_of_mnist: record.data_fingerprint == MNIST,
            dir,
            config,
        })
    }

    /// Says on standard error that pictures are made like MNIST's digits, if the network
    /// has learnt from other images: it may answer nonsense then.
    pub fn warn_of_other_data(&self) {
        if self.is_of_mnist {
            return;
        }
        let data = self.config.images().and_then(|data| data.dir.as_deref());
        let from = data.map_or("other data".into(), |dir| dir.display().to_string());
        complain(&format!(
            "note: {} has learnt from {from}, not from the MNIST of this repository; pictures are \
             made like MNIST's digits, upright and light on dark, and what it says of them is wrong \
             if its images lie otherwise, as EMNIST's do, which are transposed",
            self.config.cell
        ));
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
        images_to_tensor(bytes, &self.device.device)
    }

    /// What the network answers, in plain numbers.
    ///
    /// # Errors
    ///
    /// If one is none: its weights are of no use.
    pub fn answer(&self, output: Tensor<2>) -> Result<Vec<f64>, RunError> {
        let numbers = to_f64s(output)?;
        if numbers.iter().all(|number| number.is_finite()) {
            return Ok(numbers);
        }
        Err(RunError::Other(format!(
            "{}: the network answers with NaN or infinity; train it again, with a smaller \
             learning rate",
            self.dir.path().display()
        )))
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

#[cfg(test)]
mod tests {
    use super::*;
    use kindling_formats::ImageData;

    #[test]
    fn the_repository_s_mnist_is_known() {
        let data = ImageData {
            dir: None,
            train: Some(1),
            test: Some(1),
        };
        let loaded = kindling_datasets::load_images(&data).expect("images");
        assert_eq!(loaded.fingerprint, MNIST);
    }
}
