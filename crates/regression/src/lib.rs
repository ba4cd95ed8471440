//! The families `regression` and `gradients`. In `regression` a linear model and a tiny
//! convnet learn functions of four numbers. `gradients` compares gradients by automatic
//! differentiation with gradients that are derived by hand.
//!
//! ```
//! use burn::tensor::{Device, Tensor};
//! use kindling_regression::Toy;
//! use kindling_formats::ToyModel;
//!
//! let device = Device::default();
//! let model = Toy::new(ToyModel::Convnet, 0, &device);
//! // Neither model has a bias, so zeros give 0.
//! let output = model.forward(Tensor::zeros([3, 4], &device));
//! assert_eq!(output.sum().into_scalar::<f32>(), 0.0);
//! ```

mod gradients;
mod toy_models;
mod train;

pub use gradients::{convnet_gradient, gradients, relu_derivative, sigmoid_derivative};
pub use toy_models::{Convnet, Linear, Toy};
pub use train::{parity, train};
