//! A trained coder: it encodes images and decodes codes.

use std::path::Path;

use burn::tensor::{Device, Tensor};
use kindling_formats::{AutoencoderModel, ImageShape, RunDir};
use kindling_harness::RunError;

use crate::autoencoder::Autoencoder;
use crate::pca::Projection;

/// A trained autoencoder or PCA.
pub enum Coder {
    /// A network of an encoder and a decoder.
    Network(Box<Autoencoder>),
    /// The projection onto principal components.
    Pca(Box<Projection>),
}

impl Coder {
    /// Loads the weights of the network that `model` describes for images of the shape `image`
    /// from `file`, a `model.bpk`.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or holds the weights of another network.
    pub fn network(
        model: &AutoencoderModel,
        image: ImageShape,
        file: &Path,
        device: &Device,
    ) -> Result<Self, RunError> {
        let network = Autoencoder::load(model, image, file, device)?;
        Ok(Self::Network(Box::new(network)))
    }

    /// Loads the PCA of the run in `dir`, whose images have the shape `image`.
    ///
    /// # Errors
    ///
    /// If the run's `components.csv` cannot be read.
    pub fn pca(dir: &RunDir, image: ImageShape, device: &Device) -> Result<Self, RunError> {
        Ok(Self::Pca(Box::new(Projection::read(dir, image, device)?)))
    }

    /// Encodes images.
    ///
    /// # Shapes
    ///
    /// - images: `[batch, channels, height, width]`, pixels in [0, 1]
    /// - output: `[batch, code]`
    pub fn encode(&self, images: Tensor<4>) -> Tensor<2> {
        match self {
            Self::Network(network) => network.encode(images),
            Self::Pca(projection) => projection.encode(images),
        }
    }

    /// Decodes codes.
    ///
    /// # Shapes
    ///
    /// - codes: `[batch, code]`
    /// - output: `[batch, channels * height * width]`, the pixels of each image
    pub fn decode(&self, codes: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Network(network) => network.decode(codes),
            Self::Pca(projection) => projection.decode(codes),
        }
    }
}
