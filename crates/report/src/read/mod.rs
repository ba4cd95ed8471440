//! Reads the files of a study's runs: records, tables of numbers and weights.

mod current;
mod evidence;
mod folder_name;
mod leftovers;
mod mean_squares;
mod numbers;
mod recorded;
mod tree;
mod weights;

pub(crate) use evidence::{Evidence, TEST_IMAGES, TestImages};
pub use leftovers::{Leftover, LeftoverKind, leftovers};
pub(crate) use mean_squares::MeanSquaresRow;
pub(crate) use numbers::NumberTable;
pub(crate) use recorded::by_cell;
pub use recorded::{RecordedRun, RecordedRuns};
pub use tree::read;
pub(crate) use weights::Weights;
