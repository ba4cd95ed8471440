//! The steps that several commands share, in the order in which a command takes them:
//!
//! - `workspace`: find the repository, the study and the folders
//! - `select`: turn flags into a selection of runs and a build
//! - `build`: build the training program
//! - `check`: check devices and data
//! - `place`: find the folder of the results
//! - `train` and `matrix`: train a list of runs, or a whole matrix

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
