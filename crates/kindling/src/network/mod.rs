//! A trained network, read from the folder of its run.

mod suggestion;
mod trained_run;

pub use trained_run::{TrainedRun, file_error};
