//! A fully connected layer with what usually follows it.

use burn::module::{Module, Param};
use burn::tensor::activation::{relu, sigmoid};
use burn::tensor::{Tensor, module};

use crate::own::own;

/// What follows the sums of a layer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Activation {
    /// Nothing.
    #[default]
    None,
    /// max(x, 0)
    Relu,
    /// 1 / (1 + e^-x)
    Sigmoid,
}

impl Activation {
    /// `x` after it, by Burn's operations.
    pub fn apply<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        match self {
            Self::None => x,
            Self::Relu => relu(x),
            Self::Sigmoid => sigmoid(x),
        }
    }
}

/// A fully connected layer: its parameters, and the activation behind it.
#[derive(Module, Debug)]
pub struct DenseLayer {
    weight: Param<Tensor<2>>,
    bias: Param<Tensor<1>>,
    #[module(skip)]
    activation: Activation,
}

impl DenseLayer {
    /// `weight` is `[inputs, outputs]`, `bias` `[outputs]`.
    pub fn new(weight: Param<Tensor<2>>, bias: Param<Tensor<1>>, activation: Activation) -> Self {
        Self {
            weight,
            bias,
            activation,
        }
    }

    /// See [`dense`].
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        dense(x, self.weight.val(), self.bias.val(), self.activation)
    }
}

/// `x` times `weight` plus `bias`, then the activation.
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
/// If the shapes do not fit, as Burn's operations do.
pub fn dense(
    x: Tensor<2>,
    weight: Tensor<2>,
    bias: Tensor<1>,
    activation: Activation,
) -> Tensor<2> {
    match own(&x.device()) {
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

/// [`dense`] composed of Burn's operations, for the backends that have none of
/// ours; and what ours are compared with.
pub fn dense_of_burn(
    x: Tensor<2>,
    weight: Tensor<2>,
    bias: Tensor<1>,
    activation: Activation,
) -> Tensor<2> {
    activation.apply(module::linear(x, weight, Some(bias)))
}
