//! The family `classifier`: fully connected and convolutional networks that classify images.
//!
//! ```
//! use burn::tensor::{Device, Tensor};
//! use kindling_classifiers::{Classifier, probabilities};
//! use kindling_formats::{ClassifierModel, DataInfo};
//!
//! let model = ClassifierModel {
//!     hidden: vec![32],
//!     dropout: 0.0,
//!     conv: None,
//! };
//! let data = DataInfo {
//!     shape: [3, 8, 8].into(),
//!     classes: vec!["cat".into(), "dog".into()],
//!     train: 100,
//!     validation: 0,
//!     test: 20,
//!     repeated: Vec::new(),
//! };
//! let device = Device::default();
//! let network = Classifier::new(&model, &data, 0, &device)?;
//! let logits = network.forward(Tensor::ones([1, 3, 8, 8], &device), None);
//! let probabilities = probabilities(&kindling_harness::to_f64s(logits)?);
//! assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-9);
//! # Ok::<(), kindling_harness::RunError>(())
//! ```

mod classifier;
mod dropout;
mod evaluation;
mod family;
mod test_predictions;

pub use classifier::Classifier;
pub use dropout::dropout;
pub use evaluation::{Evaluation, evaluate, probabilities};
pub use family::{parity, train};
