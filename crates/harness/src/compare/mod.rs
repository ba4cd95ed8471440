//! Compares two devices: one model is trained on both, step by step.

mod lockstep;
mod on_images;

pub use lockstep::{Lockstep, LossAndGradients};
pub use on_images::compare_on_images;
