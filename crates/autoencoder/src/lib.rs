//! Digits to a code of a few numbers and back: by networks, and by PCA, the
//! linear answer to the same question.
//!
//! ```
//! use burn::tensor::{Device, Tensor};
//! use kindling_autoencoder::Autoencoder;
//! use kindling_formats::{Activation, AutoencoderModel};
//!
//! let model = AutoencoderModel {
//!     hidden: vec![64],
//!     code: 2,
//!     activation: Activation::Relu,
//!     code_activation: Activation::None,
//!     output: Activation::Sigmoid,
//!     conv: None,
//! };
//! let device = Device::default();
//! let network = Autoencoder::new(&model, 0, &device)?;
//! let codes = network.encode(Tensor::ones([5, 784], &device));
//! assert_eq!(codes.dims(), [5, 2]);
//! assert_eq!(network.decode(codes).dims(), [5, 784]);
//! # Ok::<(), kindling_harness::RunError>(())
//! ```

mod coder;
mod evidence;
mod model;
mod pca;
mod separation;

use std::sync::Arc;

use burn::module::Module;
use burn_train::metric::{LearningRateMetric, LossMetric};
use kindling_formats::{AutoencoderTask, ParityStep, Record};
use kindling_harness::{Lockstep, Outcome, Run, RunError, fit};

pub use coder::Coder;
pub use model::Autoencoder;
pub use pca::{Pca, Projection, pca};

/// Trains and evaluates one autoencoder, and writes what its code keeps of the
/// test images.
///
/// The losses are mean squared errors over pixels in [0, 1].
///
/// # Errors
///
/// If the images cannot be had, or the training fails; see [`fit`].
pub fn train(task: &AutoencoderTask, run: &Run) -> Result<Record, RunError> {
    let data = kindling_datasets::load_images(&task.data)?;
    run.write_classes(&data)?;
    let test = Arc::new(data.test);
    let device = run.device().clone().autodiff();
    let model = Autoencoder::new(&task.model, run.config().seed, &device)?;
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
                .metrics((LossMetric::new(),))
                .metric_train_numeric(LearningRateMetric::new())
        },
    )?;
    let model = &fitted.model;
    let metrics = evidence::write_evidence(
        run,
        &test,
        task.scatter.images,
        |images| model.encode(images),
        |codes| model.decode(codes),
    )?;
    Ok(run.complete(Outcome {
        parameters,
        metrics,
        data_fingerprint: data.fingerprint,
        ..Outcome::of_history(&fitted.history)
    }))
}

/// Follows the training of one autoencoder on two devices.
///
/// # Errors
///
/// If the images cannot be had, or a device fails.
pub fn parity(
    task: &AutoencoderTask,
    lockstep: &Lockstep,
    tell: &mut dyn FnMut(ParityStep),
) -> Result<(), RunError> {
    let data = kindling_datasets::load_images(&task.data)?;
    lockstep.follow_on_images(
        &task.train,
        data.train,
        |device| Autoencoder::new(&task.model, lockstep.seed, device),
        |output| output.loss.clone(),
        tell,
    )
}
