//! The data of the study: images of any shape, and samples of three functions of four numbers.
//! This crate holds no models.

mod channels;
mod cifar;
mod classes;
mod error;
mod folder;
mod form;
pub mod idx;
mod idx_folder;
mod images;
mod limits;
mod load;
mod mnist;
mod npy;
mod npz;
mod permutation;
pub mod picture;
mod pictures;
mod repeated;
mod source;
mod stream;
mod sums;
mod toy;

pub use error::DataError;
pub use idx::IdxError;
pub use images::{ImageItem, Images};
pub use load::{ImageSet, load_images, repeated_images};
pub use mnist::MNIST_SHAPE;
pub use stream::stream;
pub use toy::{ToyData, ToyItem, ToySplit};

#[cfg(test)]
mod tests {
    // `cargo bolero` builds all tests of the crate, and each test binary must link bolero.
    use bolero as _;
}
