//! A fully connected layer with its activation.

use burn::module::{Module, Param};
use burn::tensor::{Tensor, module};

use crate::cpu_backend::cpu_backend;
use crate::options::Activation;

/// A fully connected layer with parameters.
#[derive(Module, Debug)]
pub struct DenseLayer {
    weight: Param<Tensor<2>>,
    bias: Param<Tensor<1>>,
    #[module(skip)]
    activation: Activation,
}

impl DenseLayer {
    /// Makes a layer with a `weight` `[inputs, outputs]` and a `bias` `[outputs]`.
    pub fn new(weight: Param<Tensor<2>>, bias: Param<Tensor<1>>, activation: Activation) -> Self {
        Self {
            weight,
            bias,
            activation,
        }
    }

    /// Computes [`dense`] of `x` `[batch, inputs]`.
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        dense(x, self.weight.val(), self.bias.val(), self.activation)
    }
}

/// The activation of `x` times `weight` plus `bias`.
///
/// # Shapes
///
/// - x: `[batch, inputs]`
/// - weight: `[inputs, outputs]`
/// - bias: `[outputs]`
/// - output: `[batch, outputs]`
///
/// # Panics
///
/// If the shapes do not fit together, as in Burn's operations.
pub fn dense(
    x: Tensor<2>,
    weight: Tensor<2>,
    bias: Tensor<1>,
    activation: Activation,
) -> Tensor<2> {
    match cpu_backend(&x.device()) {
        #[cfg(any(feature = "flex", feature = "ndarray"))]
        Some(_) => Tensor::from_dispatch(
            <burn::backend::Dispatch as crate::extension::Operations>::dense(
                x.into_dispatch(),
                weight.into_dispatch(),
                bias.into_dispatch(),
                activation,
            ),
        ),
        _ => dense_of_burn(x, weight, bias, activation),
    }
}

/// [`dense`] composed of Burn's operations. Backends without our operations use it, and
/// tests compare our operation with it.
pub fn dense_of_burn(
    x: Tensor<2>,
    weight: Tensor<2>,
    bias: Tensor<1>,
    activation: Activation,
) -> Tensor<2> {
    activation.apply(module::linear(x, weight, Some(bias)))
}
