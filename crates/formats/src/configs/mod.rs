//! The config files: the files of a study in its folder `configs/`, and the config of one
//! run, which is made from them.

mod cell;
mod changes;
mod check;
mod choices;
mod claims;
mod data_settings;
mod document;
mod families;
mod figures;
mod keys;
mod original;
mod point;
mod protocol;
mod quick;
mod resolve;
mod run_config;
mod schema;
mod selection;
mod size;
mod story;
mod study;
mod sweep;
mod trials;
mod tuning;

pub use cell::Cell;
pub(crate) use choices::CHOICES;
pub use choices::{CandidateScores, Choice, Choices};
#[cfg(test)]
pub(crate) use claims::NUMBERS;
pub use claims::{Claim, Comparison, Over, Take, Term};
pub use data_settings::{data_settings, images_of};
pub use families::*;
pub use figures::{CurvesFigure, ExplorerCells, StudyFigures, SweepFigures};
pub use original::{Original, OriginalFigures};
pub use protocol::Protocol;
pub use run_config::RunConfig;
pub use schema::schemas;
pub use selection::{Selection, Setting};
pub use size::{SMOKE_STEPS, SMOKE_TESTS, Size};
pub use story::{StoryPart, story};
pub use study::{Section, Study};
pub use trials::CellTrials;
pub use tuning::{Candidate, Score, Search, Settings, Tuning};
