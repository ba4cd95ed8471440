//! Reads the files of a study's runs: records, tables of numbers and weights.

mod current;
mod evidence;
mod folder_name;
mod numbers;
mod recorded;
mod tree;
mod weights;

#[cfg(test)]
pub(crate) use evidence::TestImages;
pub(crate) use evidence::{Evidence, TEST_IMAGES};
pub(crate) use numbers::{NumberTable, SIDE};
pub use recorded::{RecordedRun, RecordedRuns};
pub use tree::read;
pub(crate) use weights::Weights;
