//! The shape that all images have, and the number of their classes.

pub use kindling_formats::SIDE;

/// The number of pixels of an image.
pub const PIXELS: usize = SIDE * SIDE;
/// The number of classes. Labels are 0 to 9.
pub const CLASSES: usize = 10;
/// The most bytes of the name of a class. A longer name has no place beside a figure.
pub(crate) const LONGEST_CLASS: usize = 40;
