//! The config files: the files of a study in its folder `configs/`, and the config of one
//! run, which is made from them.

mod cell;
mod changes;
mod check;
mod claims;
mod document;
mod families;
mod figures;
mod keys;
mod original;
mod quick;
mod resolve;
mod run_config;
mod schema;
mod selection;
mod size;
mod study;
mod sweep;

pub use cell::Cell;
#[cfg(test)]
pub(crate) use claims::NUMBERS;
pub use claims::{Claim, Comparison, Over, Take, Term};
pub use families::*;
pub use figures::{CurvesFigure, ExplorerCells, StudyFigures, SweepFigures};
pub use original::{Original, OriginalFigures};
pub use run_config::RunConfig;
pub use schema::schemas;
pub use selection::{Selection, Setting};
pub use size::{SMOKE_STEPS, SMOKE_TESTS, Size};
pub use study::{Section, Study};
