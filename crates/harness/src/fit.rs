//! Training on images, by burn-train.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, PoisonError};

use burn_train::checkpoint::KeepLastNCheckpoints;
use burn_train::logger::FileMetricLogger;
use burn_train::{
    InferenceStep, Interrupter, Learner, LearnerModel, SupervisedTraining, TrainStep,
};
use kindling_datasets::Images;
use kindling_formats::{HistoryRow, Train};

use crate::checkpoint::Checkpoints;
use crate::recorder::{Log, Recorder};
use crate::stop::WhenAsked;
use crate::{ImageBatch, ImageLoader, Run, RunError, optimizer};

/// Test images in a batch of the evaluation. It changes no result.
const TEST_BATCH: usize = 1000;

/// A trained model with the history of its training.
pub struct Fitted<M> {
    /// The model, on the device without autodiff.
    pub model: M,
    /// A row an epoch.
    pub history: Vec<HistoryRow>,
}

/// Trains `model` on `images` and evaluates it on `test` after every epoch.
///
/// `register` adds the family's metrics; one of them must be burn-train's
/// `LossMetric` over the losses `[batch]` of single images, so that a smaller
/// last batch weighs less. Leaves `history.csv`, `timing.csv`, `model.bpk` and
/// burn-train's metric logs in the run's folder.
///
/// A training that was stopped goes on from its last checkpoint, and ends with the
/// same bytes as one that was not.
///
/// # Errors
///
/// If the loss leaves the numbers, if somebody stops the training, or if a file
/// cannot be written.
pub fn fit<M>(
    run: &Run,
    model: M,
    train: &Train,
    images: &Arc<Images>,
    test: &Arc<Images>,
    data_fingerprint: &str,
    register: impl FnOnce(SupervisedTraining<M>) -> SupervisedTraining<M>,
) -> Result<Fitted<M>, RunError>
where
    M: LearnerModel + TrainStep<Input = ImageBatch> + InferenceStep<Input = ImageBatch>,
{
    let seed = run.config().seed;
    let device = run.device();
    let interrupter = Interrupter::new();
    let learning_rate = train.optimizer.learning_rate();
    let (stamp, from) = run.resume(data_fingerprint)?;
    let done = from.as_ref().map_or(0, |from| from.epoch);
    let before = from.as_ref().map_or_else(Log::default, |from| Log {
        history: from.history.clone(),
        timing: from.timing.clone(),
        failure: None,
    });
    let recorder = Recorder::new(
        run.dir().clone(),
        learning_rate,
        run.display(),
        interrupter.clone(),
        run.events(&before.history)?,
        before,
    );
    let log = recorder.log();
    let checkpoints = Checkpoints::new(run, stamp, log.clone(), from.as_ref());
    let [model_part, optimizer_part, rate_part] = checkpoints.parts();
    let loader = ImageLoader::shuffled(
        images.clone(),
        train.batch_size,
        seed,
        &device.clone().autodiff(),
    );
    let mut training = SupervisedTraining::new(
        run.dir().path(),
        Arc::new(loader.from_epoch(done + 1)),
        Arc::new(ImageLoader::in_order(test.clone(), TEST_BATCH, device)),
    )
    .renderer(Box::new(recorder))
    .with_interrupter(interrupter)
    .with_application_logger(None)
    .with_metric_logger(FileMetricLogger::new(run.dir().path()))
    .with_custom_checkpointers(model_part, optimizer_part, rate_part)
    .with_checkpointing_strategy(KeepLastNCheckpoints::new(1))
    .early_stopping(WhenAsked)
    .num_epochs(train.epochs);
    if done > 0 {
        training = training.checkpoint(done);
    }

    let learner = Learner::new(model, optimizer(train.optimizer), learning_rate);
    let training = register(training);
    let result = unless_killed(|| training.launch(learner));

    let log = std::mem::take(&mut *log.lock().unwrap_or_else(PoisonError::into_inner));
    if let Some(failure) = log.failure {
        return Err(failure);
    }
    let Some(result) = result else {
        return Err(RunError::Stopped(log.history.len(), train.epochs));
    };
    if let Some(error) = result.error {
        return Err(RunError::Training(error.to_string()));
    }
    // The dashboard forgets that it was told to stop; the history does not.
    let done = log.history.len();
    if done < train.epochs {
        return Err(RunError::Stopped(done, train.epochs));
    }
    run.save_model(result.model.clone())?;
    Ok(Fitted {
        model: result.model,
        history: log.history,
    })
}

/// What the dashboard panics with when it is told to end a training at once.
const KILLED: &str = "Killing training from user input.";

/// Runs `training`; `None` if the dashboard was told to end it at once.
fn unless_killed<T>(training: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(training)) {
        Ok(result) => Some(result),
        Err(panic) if panic.downcast_ref::<&str>() == Some(&KILLED) => None,
        Err(panic) => resume_unwind(panic),
    }
}
