//! The life of a run: its device, its random streams, its batches, the training
//! itself by burn-train, and the record it leaves. Knows no model.
//!
//! The order of the files is the order of a run: [`Run::open`] reads the config
//! and opens the [`device`](Run::device), [`init`] draws the first weights,
//! [`fit`] trains on batches of an [`ImageLoader`] under the eyes of a recorder,
//! and [`Run::complete`] writes the record. Beside it stand what compares backends:
//! [`Lockstep`] follows one training on two devices, [`speed`] measures one.

mod checkpoint;
mod device;
mod error;
mod event;
mod fit;
pub mod init;
mod load;
mod loader;
mod lockstep;
mod numbers;
mod optimizer;
mod parameters;
mod recorder;
mod run;
mod speed;
mod stop;
mod tensorboard;
mod terminal;
mod weights;

pub use device::{Opened, compiled, devices, open};
pub use error::RunError;
pub use fit::{Fitted, fit};
pub use load::load;
pub use loader::{ImageBatch, ImageLoader, pixels};
pub use lockstep::{Lockstep, Step};
pub use numbers::numbers;
pub use optimizer::optimizer;
pub use recorder::{Display, tell};
pub use run::{Outcome, Run};
pub use speed::{Speed, speed};
pub use stop::stop_after_this_epoch;
pub use terminal::restore_terminal;
pub use weights::to_safetensors;
