//! The steps that several commands share, in the order in which a command takes them:
//!
//! - `workspace`: find the repository, the study and the folders
//! - `select`: turn flags into a selection of runs and a build
//! - `build`: build the training program
//! - `check`: check devices and data
//! - `place`: find the folder of the results
//! - `tuned`: add the choices to the configs of tuned runs
//! - `announce`: say how long the training will take
//! - `train` and `matrix`: train a list of runs, or a whole matrix
//! - `notes`: print what stands out in the results

pub mod workspace;

mod announce;
mod build;
mod check;
mod matrix;
mod notes;
mod place;
mod select;
mod train;
mod tuned;

pub use announce::estimated_seconds;
pub use build::{Build, PROGRAM, build_program, build_slow_program, cargo, executable};
pub use check::{check_before_training, data_of, measure_devices};
pub use matrix::{Matrix, MatrixOptions, run_matrix, train_matrix};
pub use notes::{note_outliers, print_beside_original};
pub use place::{place, refuse_published, results_of, results_of_kind};
pub use select::{Request, cells_or};
pub use train::{exit_code, jobs_at_a_time, train_runs};
pub use tuned::tuned_configs;
