//! Convolutions on slices of numbers: no tensors, no backend.
//!
//! A convolution is a sum over patches, and a library's matrix product would
//! want them copied out and packed first. On small images that copying costs
//! more than the arithmetic. So the products are written here, over patches
//! where they lie.

mod backward;
mod forward;
mod geometry;
mod patches;

pub(crate) use backward::backward;
pub(crate) use forward::forward;
pub(crate) use geometry::Geometry;
