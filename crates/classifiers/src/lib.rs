//! Digits to labels: fully connected and convolutional networks.
//!
//! ```
//! use burn::tensor::{Device, Tensor};
//! use kindling_classifiers::{Classifier, probabilities};
//! use kindling_formats::ClassifierModel;
//!
//! let model = ClassifierModel {
//!     hidden: vec![32],
//!     dropout: 0.0,
//!     conv: None,
//! };
//! let device = Device::default();
//! let network = Classifier::new(&model, 0, &device)?;
//! let logits = network.forward(Tensor::ones([1, 784], &device), None);
//! let probabilities = probabilities(&kindling_harness::numbers(logits)?);
//! assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-9);
//! # Ok::<(), kindling_harness::RunError>(())
//! ```

mod dropout;
mod evidence;
mod loss;
mod model;

use std::sync::Arc;

use burn::module::Module;
use burn_train::metric::{AccuracyMetric, LearningRateMetric, LossMetric};
use kindling_formats::{ClassifierTask, ParityStep, Record};
use kindling_harness::{Lockstep, Outcome, Run, RunError, fit};

pub use dropout::dropout;
pub use evidence::probabilities;
pub use loss::cross_entropy;
pub use model::Classifier;

/// Trains and evaluates one classifier.
///
/// # Errors
///
/// If the images cannot be had, or the training fails; see [`fit`].
pub fn train(task: &ClassifierTask, run: &Run) -> Result<Record, RunError> {
    let data = kindling_datasets::load_images(&task.data)?;
    run.write_classes(&data)?;
    let test = Arc::new(data.test);
    let device = run.device().clone().autodiff();
    let model = Classifier::new(&task.model, run.config().seed, &device)?;
    let parameters = model.num_params();
    let fitted = fit(
        run,
        model,
        &task.train,
        &Arc::new(data.train),
        &test,
        &data.fingerprint,
        |training| {
            training
                .metrics((AccuracyMetric::new(), LossMetric::new()))
                .metric_train_numeric(LearningRateMetric::new())
        },
    )?;
    evidence::write_evidence(run, &fitted.model, &test)?;
    Ok(run.complete(Outcome {
        parameters,
        data_fingerprint: data.fingerprint,
        ..Outcome::of_history(&fitted.history)
    }))
}

/// Follows the training of one classifier on two devices.
///
/// # Errors
///
/// If the images cannot be had, or a device fails.
pub fn parity(
    task: &ClassifierTask,
    lockstep: &Lockstep,
    tell: &mut dyn FnMut(ParityStep),
) -> Result<(), RunError> {
    let data = kindling_datasets::load_images(&task.data)?;
    lockstep.follow_on_images(
        &task.train,
        data.train,
        |device| Classifier::new(&task.model, lockstep.seed, device),
        |output| output.loss.clone(),
        tell,
    )
}
