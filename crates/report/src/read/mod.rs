//! Reads the files of a study's runs: records, tables of numbers and weights.

mod current;
mod folder_name;
mod leftovers;
mod numbers;
mod per_image;
mod recorded;
mod tree;
mod weights;

pub use leftovers::{Leftover, LeftoverKind, leftovers};
pub(crate) use numbers::{NumberTable, SIDE};
pub(crate) use per_image::PerImage;
pub use recorded::{RecordedRun, RecordedRuns};
pub use tree::read;
pub(crate) use weights::Weights;
