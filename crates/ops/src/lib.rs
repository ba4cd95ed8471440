//! Operations that Burn's CPU backends are slow at, with gradients of their own.
//!
//! A family calls [`conv2d`] and [`dense`], or has them as layers, and
//! [`squared_error`], whatever its tensors live on: on flex and ndarray they are ours, elsewhere they are
//! composed of Burn's own operations. This is the one crate beside the harness
//! that knows which backends there are.

mod conv;
#[cfg(any(feature = "flex", feature = "ndarray"))]
mod cpu;
mod dense;
#[cfg(any(feature = "flex", feature = "ndarray"))]
#[allow(deprecated, reason = "Burn recommends flex, and still keeps ndarray")]
mod extension;
mod loss;
mod optimizer;
mod own;
#[cfg(any(feature = "flex", feature = "ndarray"))]
mod storage;

pub use conv::{Conv, ConvLayer, conv2d, conv2d_of_burn};
pub use dense::{Activation, DenseLayer, dense, dense_of_burn};
pub use loss::{squared_error, squared_error_of_burn};
pub use optimizer::{Adam, adam_step, sgd_step};
