//! The steps that all families of image networks have in common, from the data to the record.

use std::collections::BTreeMap;
use std::sync::Arc;

use burn::module::{Module, ModuleDisplay};
use burn::tensor::{Device, Tensor};
use burn_train::{InferenceStep, LearnerModel, SupervisedTraining, TrainStep};
use kindling_datasets::Images;
use kindling_formats::{ChannelScale, DataInfo, ImageData, Record, Split, Train};

use super::fit::{FitInputs, fit};
use super::resume::ResumePoint;
use crate::data::ImageBatch;
use crate::error::RunError;
use crate::progress::{ProgressDisplay, report_progress};
use crate::run::{RunContext, RunResults};

/// A network that learns from images. A family implements this trait, and
/// [`train_on_images`] and [`compare_on_images`](crate::compare_on_images) do the rest.
///
/// `TrainStep` is the training step (forward pass, loss, backward pass), `InferenceStep`
/// the evaluation of a batch. Both give a loss `[batch]` per image.
pub trait ImageModel:
    LearnerModel + ModuleDisplay + TrainStep<Input = ImageBatch> + InferenceStep<Input = ImageBatch>
{
    /// The family's part of a config.
    type Task;

    /// The images from which the network learns.
    fn image_data(task: &Self::Task) -> &ImageData;

    /// The number of epochs, the batch size and the optimizer.
    fn train_settings(task: &Self::Task) -> &Train;

    /// Makes the network for images as `data` describes them, with the initial weights of
    /// `seed`.
    ///
    /// # Errors
    ///
    /// If the config does not describe a network for these images. This does not happen for a
    /// checked config.
    fn build(
        task: &Self::Task,
        data: &DataInfo,
        seed: u64,
        device: &Device,
    ) -> Result<Self, RunError>;

    /// Adds the metrics for the history. One of them must be burn-train's
    /// `LossMetric`. `L` is this network inside burn-train's loop.
    fn add_metrics<L>(training: SupervisedTraining<L>) -> SupervisedTraining<L>
    where
        L: LearnerModel
            + TrainStep<Output = <Self as TrainStep>::Output>
            + InferenceStep<Output = <Self as InferenceStep>::Output>;

    /// The losses `[batch]` of the images, from the output of a training step.
    fn losses(output: &<Self as TrainStep>::Output) -> Tensor<1>;

    /// Evaluates the trained network on the test images, and writes the tables from which
    /// the report makes its figures. It returns further figures for the record, by name.
    ///
    /// # Errors
    ///
    /// If an output of the network is NaN or infinite, or a file cannot be written.
    fn write_test_tables(
        &self,
        task: &Self::Task,
        run: &RunContext,
        data: &DataInfo,
        test_images: &Images,
    ) -> Result<BTreeMap<String, f64>, RunError>;
}

/// Trains and evaluates one network, and returns the record. All other files that the report
/// needs are then in the folder of the run. [`RunContext::finish`] writes the record.
///
/// # Errors
///
/// If the images cannot be loaded, if the loss becomes NaN or infinite, if the training is
/// stopped, or if a file cannot be written.
pub fn train_on_images<M: ImageModel>(
    task: &M::Task,
    run: &RunContext,
) -> Result<Record, RunError> {
    let data = run.load_images(M::image_data(task))?;
    let scale = data.train.scale().map(<[ChannelScale]>::to_vec);
    let evaluated_images = Arc::new(data.evaluated);
    let seed = run.config().seed;
    let model = M::build(task, &data.info, seed, &run.device().clone().autodiff())?;
    let parameters = Module::num_params(&model);

    let resume_point = ResumePoint::find(run.dir(), run.identity(&data.fingerprint)?)?;
    if let Some(checkpoint) = &resume_point.checkpoint {
        run.add_earlier_seconds(checkpoint.state.seconds);
        if run.display() == ProgressDisplay::Lines {
            report_progress(&format!("resuming after epoch {}", checkpoint.state.epoch));
        }
    }
    let inputs = FitInputs {
        settings: M::train_settings(task),
        train_images: Arc::new(data.train),
        evaluated_images: evaluated_images.clone(),
        evaluated_split: data.evaluated_split,
        seed,
        device: run.device(),
        dir: run.dir(),
        events: run.event_writer(Some(&data.info), resume_point.history())?,
        resume_point,
        stopwatch: run.stopwatch(),
        display: run.display(),
    };
    let fitted = fit(inputs, model, M::add_metrics)?;
    run.save_model(fitted.model.clone())?;

    let metrics = match data.evaluated_split {
        Split::Test => fitted
            .model
            .write_test_tables(task, run, &data.info, &evaluated_images)?,
        Split::Train | Split::Validation => BTreeMap::new(),
    };
    Ok(run.complete_record(RunResults {
        parameters,
        metrics,
        data_fingerprint: data.fingerprint,
        data: Some(data.info),
        scale,
        ..RunResults::of_history(&fitted.history)
    }))
}
