//! The operations on slices of numbers: no tensors, no backend.
//!
//! A convolution is a sum over patches, and a library's matrix product would
//! want them copied out and packed first. On small images that copying costs
//! more than the arithmetic. So the products of convolutions are written here,
//! over patches where they lie; those of fully connected layers are a library's.

mod backward;
mod dense;
mod forward;
mod geometry;
mod pass;
mod patches;

/// Gradients of an operation's three inputs, in their own shapes; the first is
/// left out unless it is wanted.
pub(crate) struct Gradients {
    pub input: Option<Vec<f32>>,
    pub weight: Vec<f32>,
    pub bias: Vec<f32>,
}

pub(crate) use backward::backward as convolve_backward;
pub(crate) use dense::{Sizes, backward as dense_backward, forward as dense};
pub(crate) use forward::forward as convolve;
pub(crate) use geometry::Geometry;
pub(crate) use pass::pass;
