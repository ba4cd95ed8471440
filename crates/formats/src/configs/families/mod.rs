//! The families. A file for each family holds its config and the facts that other crates
//! need. `list.rs` lists all families.

mod autoencoder;
mod classifier;
mod family;
mod gradients;
mod images;
mod list;
mod pca;
mod regression;
mod schedule;
mod task;
mod training;

pub use autoencoder::{Activation, AutoencoderModel, AutoencoderTask, ConvCoder};
pub use classifier::{ClassifierModel, ClassifierTask, ConvStack};
pub use family::{Figures, Measure};
pub use gradients::{Gradients, GradientsTask};
pub use images::{Form, ImageData, Normalize, Scatter};
pub use pca::{PcaModel, PcaTask};
pub use regression::{
    RegressionData, RegressionModel, RegressionTask, RegressionTrain, ToyFunction, ToyModel,
};
pub use schedule::Schedule;
pub use task::Task;
pub use training::{Descent, Optimizer, Train};
