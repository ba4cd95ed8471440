//! A convolution with what usually follows it.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use burn::tensor::module;
use burn::tensor::ops::{ConvOptions, MaxPoolOptions};

use crate::own::own;

/// What a convolution does besides multiplying.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Conv {
    /// First every pixel becomes four, which doubles both sides.
    pub double: bool,
    /// Zeros around the image, on every side.
    pub padding: usize,
    /// ReLU on the result: `max(x, 0)`.
    pub relu: bool,
    /// Keeps the largest of each 2x2 window; where a side is odd, the last row
    /// or column belongs to none.
    pub pool: bool,
}

/// A convolution as a layer: its parameters, and what it does besides.
#[derive(Module, Debug)]
pub struct ConvLayer {
    weight: Param<Tensor<4>>,
    bias: Param<Tensor<1>>,
    #[module(skip)]
    conv: Conv,
}

impl ConvLayer {
    /// `weight` is `[filters, channels, kernel, kernel]`, `bias` `[filters]`.
    pub fn new(weight: Param<Tensor<4>>, bias: Param<Tensor<1>>, conv: Conv) -> Self {
        Self { weight, bias, conv }
    }

    /// See [`conv2d`].
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        conv2d(x, self.weight.val(), self.bias.val(), self.conv)
    }
}

/// Convolution of stride 1 with square kernels and bias, and around it what
/// `conv` asks for.
///
/// Where two numbers of a window are equal, the first has the gradient; where
/// ReLU's argument is zero, none passes.
///
/// # Shapes
///
/// - x: `[batch, channels, height, width]`
/// - weight: `[filters, channels, kernel, kernel]`
/// - bias: `[filters]`
/// - output: `[batch, filters, h, w]` with
///   `h = height + 2 * padding + 1 - kernel`, where `height` is first doubled
///   if asked for and `h` halved by the pool; `w` alike
///
/// # Panics
///
/// If the shapes do not fit, as Burn's operations do.
pub fn conv2d(x: Tensor<4>, weight: Tensor<4>, bias: Tensor<1>, conv: Conv) -> Tensor<4> {
    match own(&x.device()) {
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

/// [`conv2d`] composed of Burn's operations, for the backends that have none of
/// ours; and what ours are compared with.
pub fn conv2d_of_burn(x: Tensor<4>, weight: Tensor<4>, bias: Tensor<1>, conv: Conv) -> Tensor<4> {
    let x = if conv.double { double(x) } else { x };
    let options = ConvOptions::new([1, 1], [conv.padding; 2], [1, 1], 1);
    let mut x = module::conv2d(x, weight, Some(bias), options);
    // ReLU and max-pool commute; behind the pool it has a quarter of the work.
    if conv.pool {
        x = module::max_pool2d(x, MaxPoolOptions::new([2, 2]));
    }
    if conv.relu { relu(x) } else { x }
}

/// Every pixel becomes four: `[batch, channels, h, w]` to `[batch, channels, 2h, 2w]`.
fn double(image: Tensor<4>) -> Tensor<4> {
    let [batch, channels, height, width] = image.dims();
    image
        .reshape([batch, channels, height, 1, width, 1])
        .expand([batch, channels, height, 2, width, 2])
        .reshape([batch, channels, 2 * height, 2 * width])
}
