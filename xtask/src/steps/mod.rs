//! What several commands do: they find the study, select runs, build the training program,
//! check devices and data, and train a matrix. The files stand in that order.

pub mod workspace;

mod build;
mod check;
mod matrix;
mod place;
mod select;
mod train;

pub use build::{Build, build_program, cargo, executable};
pub use check::{check_before_training, measure_devices};
pub use matrix::{MatrixOptions, run_matrix};
pub use place::results_of;
pub use select::{Request, cells_or, slurm_options};
pub use train::{exit_code, jobs_at_a_time, train_runs};
