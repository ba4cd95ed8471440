//! A convolution, with the operations that often come before or after it.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use burn::tensor::module;
use burn::tensor::ops::{ConvOptions, MaxPoolOptions};

use crate::cpu_backend::cpu_backend;
use crate::options::Conv;

/// A convolution as a layer with parameters.
#[derive(Module, Debug)]
pub struct ConvLayer {
    weight: Param<Tensor<4>>,
    bias: Param<Tensor<1>>,
    #[module(skip)]
    conv: Conv,
}

impl ConvLayer {
    /// Makes a layer with a `weight` `[filters, channels, kernel, kernel]` and a `bias`
    /// `[filters]`.
    pub fn new(weight: Param<Tensor<4>>, bias: Param<Tensor<1>>, conv: Conv) -> Self {
        Self { weight, bias, conv }
    }

    /// Computes [`conv2d`] of `x` `[batch, channels, height, width]`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        conv2d(x, self.weight.val(), self.bias.val(), self.conv)
    }
}

/// A convolution of stride 1 with square kernels and a bias, and the other operations that
/// `conv` describes.
///
/// If several values of a pool's window are the largest, the first of them receives the
/// gradient. The gradient of ReLU at zero is zero.
///
/// # Shapes
///
/// - x: `[batch, channels, height, width]`
/// - weight: `[filters, channels, kernel, kernel]`
/// - bias: `[filters]`
/// - output: `[batch, filters, h, w]`, where `h = height + 2 * padding + 1 - kernel`.
///   `double` first doubles `height`, and `pool` halves `h`. The same holds for `w`.
///
/// # Panics
///
/// If the shapes do not fit together, as in Burn's operations.
pub fn conv2d(x: Tensor<4>, weight: Tensor<4>, bias: Tensor<1>, conv: Conv) -> Tensor<4> {
    // No network has both, so our operation does without this combination.
    if conv.double && conv.pool {
        let doubled = Conv {
            double: false,
            ..conv
        };
        return conv2d(double(x), weight, bias, doubled);
    }
    match cpu_backend(&x.device()) {
        #[cfg(any(feature = "flex", feature = "ndarray"))]
        Some(_) => Tensor::from_dispatch(
            <burn::backend::Dispatch as crate::extension::Operations>::conv2d(
                x.into_dispatch(),
                weight.into_dispatch(),
                bias.into_dispatch(),
                conv,
            ),
        ),
        _ => conv2d_of_burn(x, weight, bias, conv),
    }
}

/// [`conv2d`] composed of Burn's operations. Backends without our operations use it, and
/// tests and benchmarks compare our operation with it.
pub fn conv2d_of_burn(x: Tensor<4>, weight: Tensor<4>, bias: Tensor<1>, conv: Conv) -> Tensor<4> {
    let x = if conv.double { double(x) } else { x };
    let options = ConvOptions::new([1, 1], [conv.padding; 2], [1, 1], 1);
    let mut x = module::conv2d(x, weight, Some(bias), options);
    // ReLU and max-pool can be swapped. After the pool, ReLU has only a quarter of the values.
    if conv.pool {
        x = module::max_pool2d(x, MaxPoolOptions::new([2, 2]));
    }
    if conv.relu { relu(x) } else { x }
}

/// Replaces every pixel by a 2x2 square of the same value:
/// `[batch, channels, h, w]` -> `[batch, channels, 2h, 2w]`.
fn double(image: Tensor<4>) -> Tensor<4> {
    let [batch, channels, height, width] = image.dims();
    image
        .reshape([batch, channels, height, 1, width, 1])
        .expand([batch, channels, height, 2, width, 2])
        .reshape([batch, channels, 2 * height, 2 * width])
}
