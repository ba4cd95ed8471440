//! The family `classifier`: fully connected and convolutional networks that classify digits.
//!
//! ```
//! use burn::tensor::{Device, Tensor};
//! use kindling_classifiers::{Classifier, probabilities};
//! use kindling_formats::ClassifierModel;
//!
//! let model = ClassifierModel {
//!     hidden: vec![32],
//!     dropout: 0.0,
//!     conv: None,
//! };
//! let device = Device::default();
//! let network = Classifier::new(&model, 0, &device)?;
//! let logits = network.forward(Tensor::ones([1, 784], &device), None);
//! let probabilities = probabilities(&kindling_harness::to_f64s(logits)?);
//! assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-9);
//! # Ok::<(), kindling_harness::RunError>(())
//! ```

mod classifier;
mod cross_entropy;
mod dropout;
mod family;
mod test_predictions;

pub use classifier::Classifier;
pub use cross_entropy::cross_entropy;
pub use dropout::dropout;
pub use family::{parity, train};
pub use test_predictions::probabilities;
