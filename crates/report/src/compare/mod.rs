//! Compares trees of results: which verdicts on claims differ, and by how much the results of
//! cells differ.
//!
//! `trees.rs` describes the trees, `claims.rs` sets their verdicts beside each other,
//! `cells.rs` their results, `difference.rs` has the interval of a difference, and `text.rs`
//! writes all of it for a terminal.

mod cells;
mod claims;
mod comparison;
mod difference;
#[cfg(test)]
mod tests;
mod text;
mod trees;

pub use comparison::{TreeComparison, compare};
pub use text::comparison_text;
