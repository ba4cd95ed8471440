//! The families `autoencoder` and `pca`: both encode an image as a few numbers and
//! decode them again. An autoencoder uses a network, and PCA a linear map.
//!
//! ```
//! use burn::tensor::{Device, Tensor};
//! use kindling_autoencoder::Autoencoder;
//! use kindling_formats::{Activation, AutoencoderModel, ImageShape};
//!
//! let model = AutoencoderModel {
//!     hidden: vec![64],
//!     code: 2,
//!     activation: Activation::Relu,
//!     code_activation: Activation::None,
//!     output: Activation::Sigmoid,
//!     conv: None,
//! };
//! let device = Device::default();
//! let network = Autoencoder::new(&model, ImageShape::from([1, 8, 8]), 0, &device)?;
//! let codes = network.encode(Tensor::ones([5, 1, 8, 8], &device));
//! assert_eq!(codes.dims(), [5, 2]);
//! assert_eq!(network.decode(codes).dims(), [5, 64]);
//! # Ok::<(), kindling_harness::RunError>(())
//! ```

mod autoencoder;
mod coder;
mod family;
mod pca;
mod separation;
mod test_codes;

pub use autoencoder::Autoencoder;
pub use coder::Coder;
pub use family::{parity, train};
pub use pca::{Pca, Projection, pca};
