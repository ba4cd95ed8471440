//! Softmax cross-entropy.

use burn::tensor::activation::log_softmax;
use burn::tensor::{Int, Tensor};

use crate::cpu_backend::cpu_backend;

/// The cross-entropy between the softmax of the logits and the label of each image, in
/// nats: `-log(exp(z[label]) / sum_k exp(z[k]))`.
///
/// Burn's own loss returns only the mean of a batch. With a loss per image, batches of
/// different sizes can be averaged exactly.
///
/// # Shapes
///
/// - logits: `[batch, classes]`
/// - labels: `[batch]`, 0 to classes - 1
/// - output: `[batch]`
///
/// # Panics
///
/// If there is not one label for each row of logits, or a label is no class, as in Burn's
/// operations.
pub fn cross_entropy(logits: Tensor<2>, labels: Tensor<1, Int>) -> Tensor<1> {
    match cpu_backend(&logits.device()) {
        #[cfg(any(feature = "flex", feature = "ndarray"))]
        Some(_) => Tensor::from_dispatch(
            <burn::backend::Dispatch as crate::extension::Operations>::cross_entropy(
                logits.into_dispatch(),
                // Floats hold integers up to 2^24 exactly.
                labels.float().into_dispatch(),
            ),
        ),
        _ => cross_entropy_of_burn(logits, labels),
    }
}

/// [`cross_entropy`] composed of Burn's operations. Backends without our operations use it,
/// and tests compare our operation with it.
pub fn cross_entropy_of_burn(logits: Tensor<2>, labels: Tensor<1, Int>) -> Tensor<1> {
    log_softmax(logits, 1)
        .gather(1, labels.unsqueeze_dim(1))
        .squeeze_dim::<1>(1)
        .neg()
}
