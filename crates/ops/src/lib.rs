//! Operations that Burn's CPU backends are slow at, with gradients of their own.
//!
//! A family calls [`conv2d`], or has it as a [`ConvLayer`], whatever its tensors live on: on flex and ndarray
//! it is ours, elsewhere it is composed of Burn's own operations. This is the
//! one crate beside the harness that knows which backends there are.

mod conv;
#[cfg(any(feature = "flex", feature = "ndarray"))]
mod cpu;
#[cfg(any(feature = "flex", feature = "ndarray"))]
mod extension;
#[cfg(any(feature = "flex", feature = "ndarray"))]
mod storage;

pub use conv::{Conv, ConvLayer, conv2d, conv2d_of_burn};
