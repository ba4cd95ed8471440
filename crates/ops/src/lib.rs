//! Operations with gradients that are faster than Burn's operations on its CPU backends.
//!
//! A family calls [`conv2d`], [`dense`](dense()), [`sigmoid`](sigmoid()),
//! [`cross_entropy`](cross_entropy()) and [`squared_error`](squared_error()), or uses the layers
//! [`ConvLayer`] and [`DenseLayer`], on any device. On flex and ndarray, our own code computes
//! them. On all other backends, they are composed of Burn's operations.
//! [`extend_with_unit`], [`squared_distance`] and [`prefetch`] work on the bytes of images.
//! Only this crate and the harness refer to backends by name.

mod bytes;
mod clip;
mod conv;
#[cfg(any(feature = "flex", feature = "ndarray"))]
mod cpu;
mod cpu_backend;
mod cross_entropy;
mod dense;
#[cfg(any(feature = "flex", feature = "ndarray"))]
#[allow(deprecated, reason = "Burn recommends flex, and still keeps ndarray")]
mod extension;
mod optimizer;
mod options;
mod sigmoid;
mod squared_error;
#[cfg(any(feature = "flex", feature = "ndarray"))]
mod storage;

pub use bytes::{extend_with_unit, prefetch, squared_distance};
pub use clip::{ClipFactor, clip_factor, clip_factor_of_burn};
pub use conv::{ConvLayer, conv2d, conv2d_of_burn};
pub use cross_entropy::{cross_entropy, cross_entropy_of_burn};
pub use dense::{DenseLayer, dense, dense_of_burn};
pub use optimizer::{Adam, Sgd, adam_step, adam_step_of_burn, sgd_step, sgd_step_of_burn};
pub use options::{Activation, Conv};
pub use sigmoid::{activate, sigmoid};
pub use squared_error::{squared_error, squared_error_of_burn};
