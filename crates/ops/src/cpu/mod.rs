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
mod loss;
mod pass;
mod patches;

use std::mem::MaybeUninit;

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
pub(crate) use loss::{squared_error, squared_error_backward};
pub(crate) use pass::pass;

/// Numbers that were left unset because all of them would be written, and were.
#[allow(
    unsafe_code,
    reason = "setting them to zero first is a pass over memory"
)]
fn all_written(numbers: Box<[MaybeUninit<f32>]>) -> Vec<f32> {
    // SAFETY: the callers' loops and products write every number.
    unsafe { numbers.assume_init() }.into_vec()
}
