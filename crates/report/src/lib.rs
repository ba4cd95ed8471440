//! Records in; tables, figures, verdicts and a page out. This crate does not know Burn.
//!
//! [`read`] finds what the runs have left, [`summarize`] takes means over seeds, [`judge`]
//! says which claims are supported, and [`write()`] writes tables, figures and the page.
//! A run that is missing, failed or unreadable does not stop a report: the report names it.
//!
//! No cell is known by its name here. Which cells share a figure, and which networks the
//! page's explorer holds, is said in `study.toml`.

mod explorer;
mod figures;
mod judge;
mod page;
mod read;
mod spread;
mod tables;

pub use judge::{ClaimRow, Judgement, Verdict, claims_text, judge, lacks, tally};
pub use page::write;
pub use read::{RecordedRun, RecordedRuns, read};
pub use spread::Spread;
pub use tables::{Align, Summary, markdown_table, plain_table, summarize, text_table};

#[cfg(test)]
mod fake;
