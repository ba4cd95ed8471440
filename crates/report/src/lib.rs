//! Records in, tables and figures out. No Burn.
//!
//! [`read`] finds what the runs left, [`summarize`] takes the mean over seeds,
//! and [`write()`] puts `results.csv` and `report/report.md` beside them. A run
//! that is missing, failed or unreadable never stops a report: it is named there.

mod claims;
mod curves;
mod figure;
mod markdown;
mod read;
mod summary;
mod table;
mod verdict;

pub use claims::{ClaimRow, claims_text, tally};
pub use markdown::write;
pub use read::{Run, Runs, read};
pub use summary::{Spread, Summary, summarize};
pub use table::{markdown_table, text_table};
pub use verdict::{Status, Verdict, judge};

#[cfg(test)]
mod fake;
