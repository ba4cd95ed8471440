//! Records in, tables and figures out. No Burn.
//!
//! [`read`] finds what the runs left, [`summarize`] takes the mean over seeds,
//! [`judge`] says which claims stand, and [`write()`] puts tables, figures and the
//! page beside the runs. A run
//! that is missing, failed or unreadable never stops a report: it is named there.

mod claims;
mod comparison;
mod confusion;
mod curves;
mod dots;
mod evidence;
mod explorer;
mod figure;
mod gather;
mod markdown;
mod page;
mod read;
mod scatter;
mod spread;
mod svg;
mod tables;
mod tiles;
mod verdict;
mod weights;
mod write;

pub use claims::{ClaimRow, claims_text, lacks, tally};
pub use read::{Run, Runs, read};
pub use spread::Spread;
pub use tables::{Align, Summary, markdown_table, plain_table, summarize, text_table};
pub use verdict::{Status, Verdict, judge};
pub use write::write;

#[cfg(test)]
mod fake;
