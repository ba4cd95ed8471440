//! The options of the operations.

use burn::tensor::Tensor;
use burn::tensor::activation::{relu, sigmoid};

/// The operations that [`conv2d`](crate::conv2d) does before and after the convolution, and
/// its padding.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Conv {
    /// Before the convolution, replaces every pixel by a 2x2 square of the same value. This
    /// doubles the height and the width.
    pub double: bool,
    /// The number of rows and columns of zeros on each side of the image.
    pub padding: usize,
    /// After the convolution, applies ReLU: `max(x, 0)`.
    pub relu: bool,
    /// After the convolution, keeps the largest value of each 2x2 window. If the height or
    /// width is odd, the last row or column is in no window.
    pub pool: bool,
}

/// The activation function of a layer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Activation {
    /// The identity.
    #[default]
    None,
    /// ReLU: max(x, 0).
    Relu,
    /// The logistic function: 1 / (1 + e^-x).
    Sigmoid,
}

impl Activation {
    /// Applies the activation to `x` of any shape, with Burn's operations.
    pub fn apply<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        match self {
            Self::None => x,
            Self::Relu => relu(x),
            Self::Sigmoid => sigmoid(x),
        }
    }
}
