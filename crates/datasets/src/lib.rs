//! The data that the study learns from: images in IDX files, and three functions of four
//! numbers. This crate holds no models.

mod classes;
mod error;
mod folder;
pub mod idx;
mod images;
mod load;
mod shape;
mod stream;
mod sums;
mod toy;

pub use error::DataError;
pub use idx::IdxError;
pub use images::{ImageItem, Images};
pub use load::{ImageSet, load_images};
pub use shape::{CLASSES, PIXELS, SIDE};
pub use stream::stream;
pub use toy::{ToyData, ToyItem, ToySplit};

#[cfg(test)]
mod tests {
    // Where `cargo bolero` builds all tests, each must link its fuzzer.
    use bolero as _;
}
