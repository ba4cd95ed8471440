//! Initial weights, optimizers and files of weights, for any Burn module.

pub mod init;
mod optimizer;
mod parameters;
mod stepper;
mod values;
mod weight_files;

pub use optimizer::new_optimizer;
pub(crate) use parameters::{Parameter, gradients, weights, with_weights};
pub use stepper::Stepper;
pub(crate) use stepper::{Rates, clip_gradients};
pub use values::to_f64s;
pub use weight_files::{load_weights, to_safetensors};
pub(crate) use weight_files::{save_burn_weights, save_safetensors};
