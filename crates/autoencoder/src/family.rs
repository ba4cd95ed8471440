//! The entries of the family `autoencoder`: training one network, and comparing two devices
//! on it.

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor};
use burn_train::metric::LossMetric;
use burn_train::{InferenceStep, LearnerModel, RegressionOutput, SupervisedTraining, TrainStep};
use kindling_datasets::Images;
use kindling_formats::{AutoencoderTask, DataInfo, ImageData, ParityStep, Record, Train};
use kindling_harness::{
    ImageModel, Lockstep, RunContext, RunError, compare_on_images, train_on_images,
};

use crate::autoencoder::Autoencoder;
use crate::test_codes::write_test_codes_and_errors;

/// Trains and evaluates one autoencoder, and writes the codes of the test images.
///
/// The losses are mean squared errors over pixels in [0, 1].
///
/// # Errors
///
/// If the images cannot be loaded or the training fails; see [`train_on_images`].
pub fn train(task: &AutoencoderTask, run: &RunContext) -> Result<Record, RunError> {
    train_on_images::<Autoencoder>(task, run)
}

/// Trains one autoencoder on two devices, and reports how far the results of the devices
/// differ after every step.
///
/// # Errors
///
/// If the images cannot be loaded, or a device fails.
pub fn parity(
    task: &AutoencoderTask,
    lockstep: &Lockstep,
    report_step: &mut dyn FnMut(ParityStep),
) -> Result<(), RunError> {
    compare_on_images::<Autoencoder>(task, lockstep, report_step)
}

impl ImageModel for Autoencoder {
    type Task = AutoencoderTask;

    fn image_data(task: &AutoencoderTask) -> &ImageData {
        &task.data
    }

    fn train_settings(task: &AutoencoderTask) -> &Train {
        &task.train
    }

    fn build(
        task: &AutoencoderTask,
        data: &DataInfo,
        seed: u64,
        device: &Device,
    ) -> Result<Self, RunError> {
        Autoencoder::new(&task.model, data.shape, seed, device)
    }

    fn add_metrics<L>(training: SupervisedTraining<L>) -> SupervisedTraining<L>
    where
        L: LearnerModel
            + TrainStep<Output = RegressionOutput>
            + InferenceStep<Output = RegressionOutput>,
    {
        training.metrics((LossMetric::new(),))
    }

    fn losses(output: &RegressionOutput) -> Tensor<1> {
        output.loss.clone()
    }

    fn write_test_tables(
        &self,
        task: &AutoencoderTask,
        run: &RunContext,
        _data: &DataInfo,
        test_images: &Images,
    ) -> Result<BTreeMap<String, f64>, RunError> {
        write_test_codes_and_errors(run, test_images, task.scatter.images, self)
    }
}
