//! Functions of four numbers, learned by a linear model and by a tiny convnet,
//! and the gradients of both done by hand.

mod gradients;
mod hand;
mod model;
mod train;

pub use gradients::gradients;
pub use hand::{convnet_gradient, relu_derivative, sigmoid_derivative};
pub use model::{Convnet, Linear, Toy};
pub use train::{parity, train};
