//! A trained run on disk, and its network with the trained weights.

use std::path::Path;

use burn::tensor::{Device, Tensor};
use kindling_autoencoder::Coder;
use kindling_classifiers::Classifier;
use kindling_datasets::MNIST_SHAPE;
use kindling_formats::{ChannelScale, DataInfo, Error, MNIST, Precision, RunConfig, RunDir, Task};
use kindling_harness::{OpenDevice, RunError, images_to_tensor, to_f64s};

use super::suggestion::suggest;
use crate::cli::TrainedRunFlags;
use crate::output::{argument_error, print_to_stderr};
use crate::picture::Preparation;

/// A run that is completely trained, and the device on which its network is computed.
pub struct TrainedRun {
    /// The folder of the run.
    pub dir: RunDir,
    /// The config that the run was trained with.
    pub config: RunConfig,
    device: OpenDevice,
    is_trained_on_mnist: bool,
    data: Option<DataInfo>,
    scale: Option<Vec<ChannelScale>>,
}

impl TrainedRun {
    /// Finds the run that the command line names, and opens the device. The name is the
    /// folder of a run, or a cell in the folder `--out`.
    ///
    /// # Errors
    ///
    /// If there is no such run, its training failed, a file of it is damaged, or the device
    /// cannot be opened.
    pub fn open(flags: &TrainedRunFlags) -> Result<Self, RunError> {
        let named = RunDir::new(&flags.cell);
        let is_folder = named.config().exists();
        let dir = if is_folder {
            named
        } else {
            flags.layout().finished(&flags.cell, flags.seed)
        };
        let place = dir.path().display();
        let Some(record) = dir.read_record()? else {
            return Err(RunError::BadModel(if is_folder {
                format!("{place}: this run is not trained yet; run `kindling train {place}`")
            } else {
                format!("{place}: there is no trained run; {}", suggest(flags))
            }));
        };
        if record.status.is_failure() {
            return Err(RunError::BadModel(format!(
                "{place}: the training of this run failed ({}); correct the cause, and train the run \
                 again",
                record.error.as_deref().unwrap_or("the cause is unknown")
            )));
        }
        let config = dir.read_config()?;
        let damaged = dir.damaged(&record, &config)?;
        if !damaged.is_empty() {
            return Err(RunError::BadModel(format!(
                "{}: {} is damaged; train the run again",
                dir.path().display(),
                damaged.join(", ")
            )));
        }
        let compiled = kindling_harness::compiled_backends();
        let default = if compiled.contains(&config.backend) {
            config.backend
        } else {
            // If no backend is compiled in, opening the config's backend reports that.
            *compiled.first().unwrap_or(&config.backend)
        };
        let device = flags.device.unwrap_or(default.into());
        Ok(Self {
            device: kindling_harness::open_device(device, Precision::Full)?,
            is_trained_on_mnist: record.data_fingerprint == MNIST,
            data: record.data,
            scale: record.scale,
            dir,
            config,
        })
    }

    /// What the images are that the run learned from.
    ///
    /// # Errors
    ///
    /// If the run did not learn from images.
    pub fn data(&self) -> Result<&DataInfo, RunError> {
        self.data
            .as_ref()
            .ok_or_else(|| self.wrong_family("a cell that learns from images, such as convnet"))
    }

    /// The scale of each channel; `None` if the network sees pixels in [0, 1].
    pub fn scale(&self) -> Option<&[ChannelScale]> {
        self.scale.as_deref()
    }

    /// How pictures are prepared for this network: like digits if it learned from MNIST, or if
    /// `as_digits` asks for it; otherwise they are resized. A note on standard error says how, if
    /// digits of the shape of MNIST's are not prepared like them.
    ///
    /// # Errors
    ///
    /// If the run did not learn from images, or `as_digits` is given although its images have
    /// another shape than MNIST's.
    pub fn preparation(&self, as_digits: bool) -> Result<Preparation, RunError> {
        let shape = self.data()?.shape;
        let is_like_mnist = shape == MNIST_SHAPE;
        if as_digits && !is_like_mnist {
            return Err(argument_error(
                "--as-digits",
                format!(
                    "MNIST's digits are grey and have 28x28 pixels, and {} learned from other \
                     images; leave the flag out",
                    self.config.cell
                ),
            ));
        }
        if as_digits || (is_like_mnist && self.is_trained_on_mnist) {
            return Ok(Preparation::Digit);
        }
        if is_like_mnist {
            let data = self.config.images().and_then(|data| data.dir.as_deref());
            let from = data.map_or("other images".into(), |dir| dir.display().to_string());
            print_to_stderr(&format!(
                "note: {} was trained on {from}, so pictures are resized as they are; with \
                 --as-digits they are prepared like MNIST's digits",
                self.config.cell
            ));
        }
        Ok(Preparation::Resized(shape))
    }

    /// The network of a classifier, with the trained weights.
    ///
    /// # Errors
    ///
    /// If the run is not a classifier, or its weights cannot be read.
    pub fn classifier(&self) -> Result<Classifier, RunError> {
        let device = &self.device.device;
        match &self.config.task {
            Task::Classifier(task) => {
                Classifier::load(&task.model, self.data()?, &self.dir.model(), device)
            }
            _ => Err(self.wrong_family("a classifier, such as convnet")),
        }
    }

    /// The encoder and decoder of an autoencoder or a PCA.
    ///
    /// # Errors
    ///
    /// If the run is neither an autoencoder nor a PCA, or its weights cannot be read.
    pub fn coder(&self) -> Result<Coder, RunError> {
        let device = &self.device.device;
        match &self.config.task {
            Task::Autoencoder(task) => {
                let shape = self.data()?.shape;
                Coder::network(&task.model, shape, &self.dir.model(), device)
            }
            Task::Pca(_) => Coder::pca(&self.dir, self.data()?.shape, device),
            _ => Err(self.wrong_family("an autoencoder or a PCA, such as ae or pca")),
        }
    }

    /// The bytes of `n` images, as the network's input `[n, channels, height, width]` on the
    /// run's device.
    ///
    /// # Errors
    ///
    /// If the run did not learn from images.
    pub fn pixels(&self, bytes: &[u8]) -> Result<Tensor<4>, RunError> {
        let shape = self.data()?.shape;
        let scale = self.scale.as_deref();
        Ok(images_to_tensor(bytes, shape, scale, &self.device.device))
    }

    /// The values of the network's output, in row-major order.
    ///
    /// # Errors
    ///
    /// If a value is NaN or infinite, because the training went wrong.
    pub fn finite_values(&self, output: Tensor<2>) -> Result<Vec<f64>, RunError> {
        let values = to_f64s(output)?;
        if values.iter().all(|value| value.is_finite()) {
            return Ok(values);
        }
        Err(RunError::Other(format!(
            "{}: the network's output has NaN or infinite values; train the run again with a \
             smaller learning rate",
            self.dir.path().display()
        )))
    }

    /// The device on which the network is computed.
    pub fn device(&self) -> &Device {
        &self.device.device
    }

    fn wrong_family(&self, wanted: &str) -> RunError {
        RunError::BadModel(format!(
            "{} is of family {}; name {wanted}",
            self.config.cell,
            self.config.task.family()
        ))
    }
}

/// The error that `file` cannot be read, or that its content is wrong.
pub fn file_error(file: &Path, problem: impl ToString) -> RunError {
    let (file, problem) = (file.to_path_buf(), problem.to_string());
    Error::File { file, problem }.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use kindling_formats::ImageData;

    #[test]
    fn the_fingerprint_of_the_repository_s_mnist_is_right() {
        let data = ImageData::all(None);
        let loaded = kindling_datasets::load_images(&data).expect("images");
        assert_eq!(loaded.fingerprint, MNIST);
    }
}
