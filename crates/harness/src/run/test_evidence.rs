//! Writes `test.safetensors`: what a trained network did on each test image. The report judges
//! from it how much a result depends on the choice of the test images.

use kindling_formats::write_atomic;
use safetensors::{Dtype, SafeTensorError, tensor::TensorView};

use super::run_context::RunContext;
use crate::error::RunError;

/// What a trained network did on each of `n` test images, in the order of the test images.
#[derive(Debug, Clone, PartialEq)]
pub enum TestEvidence {
    /// The results of a classifier.
    Classes {
        /// The label of each image, `[n]`.
        labels: Vec<u8>,
        /// The class that the network predicts for each image, `[n]`.
        predictions: Vec<u8>,
        /// The cross-entropy of each image in nats, `[n]`.
        losses: Vec<f32>,
    },
    /// The results of an autoencoder or of PCA: the mean squared error per pixel between each
    /// image and its reconstruction, `[n]`.
    Errors(Vec<f32>),
}

impl TestEvidence {
    /// The bytes of the file.
    fn to_bytes(&self) -> Result<Vec<u8>, SafeTensorError> {
        let little_endian = |values: &[f32]| -> Vec<u8> {
            let bytes = values.iter().flat_map(|value| value.to_le_bytes());
            bytes.collect()
        };
        let numbers = little_endian(self.numbers());
        let count = vec![self.numbers().len()];
        let tensors = match self {
            TestEvidence::Classes {
                labels,
                predictions,
                ..
            } => vec![
                ("label", Dtype::U8, labels),
                ("prediction", Dtype::U8, predictions),
                ("loss", Dtype::F32, &numbers),
            ],
            TestEvidence::Errors(_) => vec![("error", Dtype::F32, &numbers)],
        };
        let views = tensors.into_iter().map(|(name, dtype, bytes)| {
            TensorView::new(dtype, count.clone(), bytes).map(|view| (name, view))
        });
        safetensors::serialize(views.collect::<Result<Vec<_>, _>>()?, None)
    }

    /// The losses or errors.
    fn numbers(&self) -> &[f32] {
        match self {
            TestEvidence::Classes { losses, .. } => losses,
            TestEvidence::Errors(errors) => errors,
        }
    }
}

impl RunContext {
    /// Writes `test.safetensors`.
    ///
    /// # Errors
    ///
    /// If a loss or an error is NaN or infinite, if the vectors have different lengths, or if
    /// the file cannot be written.
    pub fn write_test_evidence(&self, evidence: &TestEvidence) -> Result<(), RunError> {
        let mut numbers = evidence.numbers().iter().enumerate();
        if let Some((image, number)) = numbers.find(|(_, number)| !number.is_finite()) {
            return Err(RunError::Other(format!(
                "the loss of test image {image} is {number}; a smaller learning rate may help"
            )));
        }
        let path = self.dir().test_evidence();
        let bytes = evidence.to_bytes().map_err(|error| {
            RunError::Other(format!("cannot write {}: {error}", path.display()))
        })?;
        Ok(write_atomic(&path, &bytes)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use safetensors::SafeTensors;

    #[test]
    fn the_tensors_have_their_names_types_and_bytes() {
        let evidence = TestEvidence::Classes {
            labels: vec![7, 2, 1],
            predictions: vec![7, 3, 1],
            losses: vec![0.5, 2.0, 0.25],
        };
        let bytes = evidence.to_bytes().expect("bytes");
        let tensors = SafeTensors::deserialize(&bytes).expect("tensors");
        let mut names = tensors.names();
        names.sort_unstable();
        assert_eq!(names, ["label", "loss", "prediction"]);
        // From NumPy: np.array([0.5, 2, 0.25], "<f4").tobytes()
        let losses = [0, 0, 0, 0x3f, 0, 0, 0, 0x40, 0, 0, 0x80, 0x3e];
        for (name, dtype, data) in [
            ("label", Dtype::U8, &[7, 2, 1][..]),
            ("prediction", Dtype::U8, &[7, 3, 1]),
            ("loss", Dtype::F32, &losses),
        ] {
            let tensor = tensors.tensor(name).expect("a tensor");
            assert_eq!(
                (tensor.dtype(), tensor.shape()),
                (dtype, &[3][..]),
                "{name}"
            );
            assert_eq!(tensor.data(), data, "{name}");
        }
        let bytes = TestEvidence::Errors(vec![0.5]).to_bytes().expect("bytes");
        let tensors = SafeTensors::deserialize(&bytes).expect("tensors");
        assert_eq!(tensors.names(), ["error"]);
        assert_eq!(
            tensors.tensor("error").expect("a tensor").data(),
            [0, 0, 0, 0x3f]
        );
    }

    #[test]
    fn vectors_of_different_lengths_are_an_error() {
        let evidence = TestEvidence::Classes {
            labels: vec![7, 2],
            predictions: vec![7, 2, 1],
            losses: vec![0.5, 2.0],
        };
        assert!(evidence.to_bytes().is_err());
    }
}
