//! The data of the study: images in IDX files, and samples of three functions of four numbers.
//! This crate holds no models.

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
mod validation;

pub use error::DataError;
pub use idx::IdxError;
pub use images::{ImageItem, Images};
pub use load::{ImageSet, load_images};
pub use shape::{CLASSES, PIXELS, SIDE};
pub use stream::stream;
pub use toy::{ToyData, ToyItem, ToySplit};

#[cfg(test)]
mod tests {
    // `cargo bolero` builds all tests of the crate, and each test binary must link bolero.
    use bolero as _;
}
