//! The entries of the family: training one classifier, and comparing two devices on it.

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor};
use burn_train::metric::{AccuracyMetric, LossMetric};
use burn_train::{
    ClassificationOutput, InferenceStep, LearnerModel, SupervisedTraining, TrainStep,
};
use kindling_datasets::Images;
use kindling_formats::{ClassifierTask, DataInfo, ImageData, ParityStep, Record, Train};
use kindling_harness::{
    ImageModel, Lockstep, RunContext, RunError, compare_on_images, train_on_images,
};

use crate::classifier::Classifier;
use crate::test_predictions::write_test_predictions;

/// Trains and evaluates one classifier, and writes its predictions of the test images.
///
/// # Errors
///
/// If the images cannot be loaded or the training fails; see [`train_on_images`].
pub fn train(task: &ClassifierTask, run: &RunContext) -> Result<Record, RunError> {
    train_on_images::<Classifier>(task, run)
}

/// Trains one classifier on two devices, and reports how far the results of the devices
/// differ after every step.
///
/// # Errors
///
/// If the images cannot be loaded, or a device fails.
pub fn parity(
    task: &ClassifierTask,
    lockstep: &Lockstep,
    report_step: &mut dyn FnMut(ParityStep),
) -> Result<(), RunError> {
    compare_on_images::<Classifier>(task, lockstep, report_step)
}

impl ImageModel for Classifier {
    type Task = ClassifierTask;

    fn image_data(task: &ClassifierTask) -> &ImageData {
        &task.data
    }

    fn train_settings(task: &ClassifierTask) -> &Train {
        &task.train
    }

    fn build(
        task: &ClassifierTask,
        data: &DataInfo,
        seed: u64,
        device: &Device,
    ) -> Result<Self, RunError> {
        Classifier::new(&task.model, data, seed, device)
    }

    fn add_metrics<L>(training: SupervisedTraining<L>) -> SupervisedTraining<L>
    where
        L: LearnerModel
            + TrainStep<Output = ClassificationOutput>
            + InferenceStep<Output = ClassificationOutput>,
    {
        training.metrics((AccuracyMetric::new(), LossMetric::new()))
    }

    fn losses(output: &ClassificationOutput) -> Tensor<1> {
        output.loss.clone()
    }

    fn write_test_tables(
        &self,
        _task: &ClassifierTask,
        run: &RunContext,
        data: &DataInfo,
        test_images: &Images,
    ) -> Result<BTreeMap<String, f64>, RunError> {
        write_test_predictions(run, self, data.classes.len(), test_images)
    }
}
