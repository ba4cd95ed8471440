//! Limits of a data set.

/// The largest number of classes. A label is one byte.
pub(crate) const MAX_CLASSES: usize = 256;

/// The maximum length of the name of a class in bytes. A longer name does not fit beside a
/// figure.
pub(crate) const LONGEST_CLASS: usize = 40;
