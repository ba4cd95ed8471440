//! The statistics of verdicts: estimates with their sources of error, intervals, error
//! probabilities, and the correction for many claims and many looks. Nothing here knows
//! claims or records.

mod crossed;
mod estimate;
mod holm;
mod needed;
mod risks;
#[cfg(test)]
mod simulation;
mod student;

pub(crate) use crossed::MeanSquares;
pub(crate) use estimate::{Estimate, Source};
pub(crate) use holm::{ERROR_RATE, Holm, first_step, spent};
pub use needed::Needed;
pub(crate) use needed::needed;
pub(crate) use risks::Risks;
