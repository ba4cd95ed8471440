//! Functions of four numbers, learned by a linear model and by a tiny convnet,
//! and the gradients of both done by hand.
//!
//! ```
//! use burn::tensor::{Device, Tensor};
//! use kindling_regression::Toy;
//! use kindling_formats::ToyModel;
//!
//! let device = Device::default();
//! let model = Toy::new(ToyModel::Convnet, 0, &device);
//! // Neither model has a bias, so 0 stays 0.
//! let output = model.forward(Tensor::zeros([3, 4], &device));
//! assert_eq!(output.sum().into_scalar::<f32>(), 0.0);
//! ```

mod gradients;
mod hand;
mod model;
mod train;

pub use gradients::gradients;
pub use hand::{convnet_gradient, relu_derivative, sigmoid_derivative};
pub use model::{Convnet, Linear, Toy};
pub use train::{parity, train};
