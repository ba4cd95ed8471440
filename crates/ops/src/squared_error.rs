//! The mean squared error of each row.

use burn::tensor::Tensor;

use crate::cpu_backend::cpu_backend;

/// The mean of the squared differences between each row of `x` and of `target`. Only `x`
/// receives a gradient.
///
/// It reads the values once in the forward pass and once in the backward pass, where Burn's
/// operations read them several times.
///
/// # Shapes
///
/// - x, target: `[batch, columns]`
/// - output: `[batch]`
///
/// # Panics
///
/// If the shapes differ, as in Burn's operations.
pub fn squared_error(x: Tensor<2>, target: Tensor<2>) -> Tensor<1> {
    match cpu_backend(&x.device()) {
        #[cfg(any(feature = "flex", feature = "ndarray"))]
        Some(_) => Tensor::from_dispatch(
            <burn::backend::Dispatch as crate::extension::Operations>::squared_error(
                x.into_dispatch(),
                target.into_dispatch(),
            ),
        ),
        _ => squared_error_of_burn(x, target),
    }
}

/// [`squared_error`] composed of Burn's operations. Backends without our operations use it,
/// and tests compare our operation with it.
pub fn squared_error_of_burn(x: Tensor<2>, target: Tensor<2>) -> Tensor<1> {
    let difference = x - target.detach();
    difference.powi_scalar(2).mean_dim(1).squeeze_dim(1)
}
