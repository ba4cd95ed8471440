//! Picture files: read from disk or standard input, made to look like the images that a network
//! learned from, and written as PNG.

mod decode;
mod for_each;
mod png;

pub use decode::Preparation;
pub use for_each::{for_each_picture, is_same_file};
pub use png::write_png;
