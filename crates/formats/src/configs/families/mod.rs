//! The families: each file holds the config of one family and what the other crates ask
//! of it. `list.rs` names them all.

mod autoencoder;
mod classifier;
mod family;
mod gradients;
mod images;
mod list;
mod pca;
mod regression;
mod task;
mod training;

pub use autoencoder::{Activation, AutoencoderModel, AutoencoderTask, ConvCoder};
pub use classifier::{ClassifierModel, ClassifierTask, ConvStack};
pub use family::{Figures, Measure};
pub use gradients::{Gradients, GradientsTask};
pub use images::{ImageData, SIDE, Scatter};
pub use pca::{PcaModel, PcaTask};
pub use regression::{
    RegressionData, RegressionModel, RegressionTask, RegressionTrain, ToyFunction, ToyModel,
};
pub use task::Task;
pub use training::{Optimizer, Train};
