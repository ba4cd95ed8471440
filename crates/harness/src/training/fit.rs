//! The training loop.
//!
//! [`fit`] sets the loop up, and burn-train's `SupervisedTraining::launch` runs it. In
//! every epoch it
//!
//! 1. takes each batch of training images, calls the model's `TrainStep::step` (forward
//!    pass, loss, backward pass), asks [`Rates`] for the learning rate of the step, and then
//!    takes the optimizer's step, for which [`ClippedModel`] clips the gradients;
//! 2. takes each batch of the images to evaluate on (the validation images of a trial, the test
//!    images of a final run), and calls the model's `InferenceStep::step` (forward
//!    pass and loss, without gradients);
//! 3. reports to the [`BurnTrainAdapter`], which adds a row to `history.csv` and shows the
//!    progress. The adapter also checks the loss of every batch, and stops a training
//!    whose loss diverges;
//! 4. saves a checkpoint with [`Checkpoints`];
//! 5. asks [`StopOnRequest`] whether to stop.
//!
//! The evaluation decides nothing: its loss does not stop the training early, and does not
//! select a checkpoint.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use burn::data::dataset::Dataset;
use burn::module::ModuleDisplay;
use burn::tensor::Device;
use burn_train::checkpoint::KeepLastNCheckpoints;
use burn_train::metric::LearningRateMetric;
use burn_train::{
    InferenceStep, Interrupter, Learner, LearnerModel, SupervisedTraining, TrainStep,
};
use kindling_datasets::Images;
use kindling_formats::{History, RunDir, Split, Train};

use super::burn_train_adapter::{AdapterParts, BurnTrainAdapter};
use super::checkpoints::Checkpoints;
use super::clipped_model::ClippedModel;
use super::history::SharedLog;
use super::metric_logs::MetricLogs;
use super::resume::ResumePoint;
use super::stop_request::StopOnRequest;
use crate::data::{ImageBatch, ImageLoader};
use crate::error::RunError;
use crate::model::{Rates, new_optimizer};
use crate::progress::ProgressDisplay;
use crate::run::Stopwatch;
use crate::tensorboard::EventWriter;

/// The number of images per batch of the evaluation. The results do not depend on it.
const EVALUATION_BATCH: usize = 250;

/// The inputs of [`fit`], except the model and its metrics.
pub(super) struct FitInputs<'a> {
    /// The number of epochs, the batch size and the optimizer.
    pub settings: &'a Train,
    /// The training images.
    pub train_images: Arc<Images>,
    /// The images on which the model is evaluated after every epoch.
    pub evaluated_images: Arc<Images>,
    /// The split that these images are: the validation split or the test split.
    pub evaluated_split: Split,
    /// The seed for the order of the images and for dropout.
    pub seed: u64,
    /// The device, without autodiff.
    pub device: &'a Device,
    /// The folder of the run.
    pub dir: &'a RunDir,
    /// The epoch and the checkpoint from which the training starts.
    pub resume_point: ResumePoint,
    /// The wall time of the run so far. Checkpoints store it.
    pub stopwatch: Stopwatch,
    /// How progress is shown.
    pub display: ProgressDisplay,
    /// The writer for TensorBoard, if the run has one.
    pub events: Option<EventWriter>,
}

/// A trained model with the history of its training.
pub(super) struct FittedModel<M> {
    /// The model, on the device without autodiff.
    pub model: M,
    /// The losses and accuracies of each epoch.
    pub history: History,
}

/// Trains `model` and evaluates it after every epoch.
///
/// `add_metrics` adds the family's metrics. One of them must be burn-train's `LossMetric`
/// over a loss `[batch]` per image, so that a smaller last batch counts for less.
///
/// It writes `history.csv`, `timing.csv`, checkpoints and burn-train's own metric logs to the
/// folder of the run. A training that was stopped is resumed from its last checkpoint. It ends
/// with the same weights and history, bit for bit, as a training that was not stopped.
///
/// # Errors
///
/// If the loss becomes NaN or infinite, if the training is stopped, or if a file cannot be
/// written.
pub(super) fn fit<M>(
    inputs: FitInputs<'_>,
    model: M,
    add_metrics: impl FnOnce(SupervisedTraining<ClippedModel<M>>) -> SupervisedTraining<ClippedModel<M>>,
) -> Result<FittedModel<M>, RunError>
where
    M: LearnerModel
        + ModuleDisplay
        + TrainStep<Input = ImageBatch>
        + InferenceStep<Input = ImageBatch>,
{
    let FitInputs {
        settings,
        train_images,
        evaluated_images,
        evaluated_split,
        seed,
        device,
        dir,
        resume_point,
        stopwatch,
        display,
        events,
    } = inputs;
    let epochs = settings.epochs;
    let descent = settings.descent(train_images.len());
    let epochs_done = resume_point.epochs_done();
    let log = SharedLog::new(resume_point.log(evaluated_split));
    let interrupter = Interrupter::new();
    let adapter = BurnTrainAdapter::new(AdapterParts {
        dir: dir.clone(),
        display,
        interrupter: interrupter.clone(),
        events,
        log: log.clone(),
    });
    let logs = MetricLogs::new(dir, evaluated_split, interrupter.clone(), log.clone());
    let ResumePoint {
        identity,
        checkpoint,
    } = resume_point;
    let checkpoints = Checkpoints::new(dir, identity, log.clone(), stopwatch, checkpoint.as_ref());
    let [model_part, optimizer_part, rate_part] = checkpoints.part_checkpointers();

    let train_batches = ImageLoader::shuffled(
        train_images,
        settings.batch_size,
        seed,
        &device.clone().autodiff(),
    )
    .from_epoch(epochs_done + 1);
    let evaluated_batches = ImageLoader::in_order(evaluated_images, EVALUATION_BATCH, device);
    let mut training = SupervisedTraining::new(
        dir.path(),
        Arc::new(train_batches),
        Arc::new(evaluated_batches),
    )
    .renderer(Box::new(adapter))
    .with_interrupter(interrupter)
    .with_application_logger(None)
    .with_metric_logger(logs)
    .with_custom_checkpointers(model_part, optimizer_part, rate_part)
    .with_checkpointing_strategy(KeepLastNCheckpoints::new(1))
    .early_stopping(StopOnRequest)
    .num_epochs(epochs);
    if epochs_done > 0 {
        training = training.checkpoint(epochs_done);
    }
    let training = add_metrics(training).metric_train_numeric(LearningRateMetric::new());
    let learner = Learner::new(
        ClippedModel {
            model,
            clip: descent.clip,
        },
        new_optimizer(descent.optimizer),
        Rates::new(descent),
    );
    let result = unless_killed(|| training.launch(learner));

    let log = log.take();
    if let Some(failure) = log.failure {
        return Err(failure);
    }
    // burn-train does not report whether a training was stopped. A stopped training has a
    // shorter history.
    let epochs_done = log.history.rows.len();
    let Some(result) = result else {
        return Err(RunError::Stopped(epochs_done, epochs));
    };
    if let Some(error) = result.error {
        return Err(RunError::Training(error.to_string()));
    }
    if epochs_done < epochs {
        return Err(RunError::Stopped(epochs_done, epochs));
    }
    Ok(FittedModel {
        model: result.model.model,
        history: log.history,
    })
}

/// The message of the panic with which burn-train's dashboard stops a training immediately.
const KILLED: &str = "Killing training from user input.";

/// Runs `training`; `None` if the dashboard has stopped it immediately.
fn unless_killed<T>(training: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(training)) {
        Ok(result) => Some(result),
        Err(panic) if panic.downcast_ref::<&str>() == Some(&KILLED) => None,
        Err(panic) => resume_unwind(panic),
    }
}
