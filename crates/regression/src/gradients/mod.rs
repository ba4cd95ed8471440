//! The family `gradients`: derivatives by autodiff, compared with derivatives by hand.

mod autodiff;
mod by_hand;
mod cell;
mod comparison;
mod example;

pub use by_hand::{convnet_gradient, relu_derivative, sigmoid_derivative};
pub use cell::gradients;
