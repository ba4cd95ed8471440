//! Images as batches of tensors.

mod batch;
mod loader;

pub use batch::{ImageBatch, images_to_tensor};
pub use loader::ImageLoader;
