//! Chooses hyper-parameters by the records of trials.

mod choose;
mod winner;

pub use choose::{CellOutcome, Outcome, choose_cells};
