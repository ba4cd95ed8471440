//! The sigmoid of the values of a tensor.

use burn::tensor::Tensor;

use crate::cpu_backend::cpu_backend;
use crate::options::Activation;

/// Applies the `activation` to `x` of any shape, with our [`sigmoid`].
pub fn activate<const D: usize>(x: Tensor<D>, activation: Activation) -> Tensor<D> {
    match activation {
        Activation::Sigmoid => sigmoid(x),
        other => other.apply(x),
    }
}

/// The sigmoid (logistic function) of each value: 1 / (1 + e^-x). The tensor may have any shape.
///
/// On the CPU it is computed in vectors and on all threads, and its gradient in one pass.
pub fn sigmoid<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    match cpu_backend(&x.device()) {
        #[cfg(any(feature = "flex", feature = "ndarray"))]
        Some(_) => Tensor::from_dispatch(
            <burn::backend::Dispatch as crate::extension::Operations>::logistic(x.into_dispatch()),
        ),
        _ => burn::tensor::activation::sigmoid(x),
    }
}
