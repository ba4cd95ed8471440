//! The shape that all images have, and the number of their classes.

pub use kindling_formats::SIDE;

/// The number of pixels of an image.
pub const PIXELS: usize = SIDE * SIDE;
/// The number of classes. Labels are 0 to 9.
pub const CLASSES: usize = 10;
/// The maximum length of the name of a class in bytes. A longer name does not fit beside a
/// figure.
pub(crate) const LONGEST_CLASS: usize = 40;
