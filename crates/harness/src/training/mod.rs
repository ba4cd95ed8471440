//! Training on images. The training loop is in `fit.rs`.

mod burn_train_adapter;
mod checkpoints;
mod fit;
mod history;
mod image_model;
mod loss_guard;
mod metric_logs;
mod resume;
mod stop_request;

pub use image_model::{ImageModel, train_on_images};
pub use stop_request::stop_after_this_epoch;
