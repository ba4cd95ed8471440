//! What makes codes of images, and images of codes.

use std::path::Path;

use burn::tensor::{Device, Tensor};
use kindling_formats::{AutoencoderModel, RunDir};
use kindling_harness::RunError;

use crate::Autoencoder;
use crate::pca::Projection;

/// A trained network, or the linear answer.
pub enum Coder {
    /// An encoder and a decoder.
    Network(Box<Autoencoder>),
    /// Onto principal components, and back.
    Pca(Box<Projection>),
}

impl Coder {
    /// The network of a config, with the weights of `file`, a `model.bpk`.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or is of another network.
    pub fn network(
        model: &AutoencoderModel,
        file: &Path,
        device: &Device,
    ) -> Result<Self, RunError> {
        let network = Autoencoder::load(model, file, device)?;
        Ok(Self::Network(Box::new(network)))
    }

    /// What a PCA has left in `dir`.
    ///
    /// # Errors
    ///
    /// If its `components.csv` cannot be read.
    pub fn pca(dir: &RunDir, device: &Device) -> Result<Self, RunError> {
        Ok(Self::Pca(Box::new(Projection::read(dir, device)?)))
    }

    /// # Shapes
    ///
    /// - images: `[batch, 784]`, pixels in [0, 1]
    /// - output: `[batch, code]`
    pub fn encode(&self, images: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Network(network) => network.encode(images),
            Self::Pca(projection) => projection.encode(images),
        }
    }

    /// # Shapes
    ///
    /// - codes: `[batch, code]`
    /// - output: `[batch, 784]`
    pub fn decode(&self, codes: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Network(network) => network.decode(codes),
            Self::Pca(projection) => projection.decode(codes),
        }
    }
}
