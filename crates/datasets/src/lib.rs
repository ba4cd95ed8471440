//! What the study learns from: images in IDX files, and three functions of
//! four numbers. No models.

mod folder;
pub mod idx;
mod images;
mod stream;
mod sums;
mod toy;

pub use idx::IdxError;
pub use images::{CLASSES, DataError, ImageItem, ImageSet, Images, PIXELS, SIDE, load};
pub use stream::stream;
pub use toy::{ToyData, ToyItem, ToySplit};

#[cfg(test)]
mod tests {
    // Where `cargo bolero` builds all tests, each must link its fuzzer.
    use bolero as _;
}
