//! The error of what should be like something else.

use burn::tensor::Tensor;

use crate::own::own;

/// The mean of the squared differences between the rows of `x` and of `target`.
/// The gradient goes to `x` alone.
///
/// # Shapes
///
/// - x, target: `[batch, numbers]`
/// - output: `[batch]`
///
/// One pass each way, where Burn takes several. (The same for the cross-entropy of ten
/// logits gained nothing.)
///
/// # Panics
///
/// If the shapes differ, as Burn's operations do.
pub fn squared_error(x: Tensor<2>, target: Tensor<2>) -> Tensor<1> {
    match own(&x.device()) {
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

/// [`squared_error`] composed of Burn's operations.
pub fn squared_error_of_burn(x: Tensor<2>, target: Tensor<2>) -> Tensor<1> {
    let difference = x - target.detach();
    difference.powi_scalar(2).mean_dim(1).squeeze_dim(1)
}
