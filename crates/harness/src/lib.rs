//! The parts of a run that do not depend on the family of its network: the device, the batches
//! of images, the training loop, the progress display, the checkpoints and the record.
//!
//! The folders of this crate. Each uses only folders that come before it in this list:
//!
//! 1. `device`: opens and measures the devices of the backends that are compiled in.
//! 2. `data`: batches of images in an order that the seed decides.
//! 3. `model`: initial weights, optimizers, and files of weights, for any Burn module.
//! 4. `progress`: shows the progress of a training to a person or to another program.
//! 5. `tensorboard`: writes the files that TensorBoard reads.
//! 6. `run`: [`RunContext`] (config, folder and device of a run) and the run's record.
//! 7. `training`: **the training loop is in `training/fit.rs`**. [`train_on_images`] calls
//!    the loop, and does everything that the families of image networks have in common.
//! 8. `compare`: [`Lockstep`] trains one network on two devices and compares each step.

mod compare;
mod data;
mod device;
mod error;
mod model;
mod progress;
mod run;
mod tensorboard;
mod training;

pub use compare::{Lockstep, LossAndGradients, compare_on_images};
pub use data::{ImageBatch, ImageLoader, images_to_tensor};
pub use device::{
    DeviceSpeed, OpenDevice, compiled_backends, list_devices, measure_speed, open_device,
};
pub use error::RunError;
pub use model::{Stepper, init, load_weights, new_optimizer, to_f64s, to_safetensors};
pub use progress::{ProgressDisplay, report_progress, restore_terminal};
pub use run::{RunContext, RunResults, TestEvidence};
pub use training::{ImageModel, stop_after_this_epoch, train_on_images};
