//! Makes the report of a study: reads records, and writes tables, figures, verdicts and a
//! page. This crate does not depend on Burn.
//!
//! [`read`] reads the records of runs, [`summarize`] computes means over seeds, [`look`]
//! decides which claims are supported, and [`write()`] writes tables, figures and the page.
//! A run that is missing, failed or unreadable does not stop a report: the report names it.
//!
//! This crate contains no name of a cell. `study.toml` defines which cells share a figure,
//! and which networks are in the page's explorer.

mod compare;
mod estimate;
mod explorer;
mod figures;
mod judge;
mod original;
mod outliers;
mod page;
mod published;
mod read;
mod spread;
mod tables;

pub use compare::{TreeComparison, compare, comparison_text};
pub use judge::{
    ClaimRow, JudgedBy, Judgement, Looked, Needed, StandardErrors, Verdict, claims_text, lacks,
    look, meaning, tally,
};
pub use original::{BesideOriginal, beside_original, original_text};
pub use outliers::{Outlier, outliers};
pub use page::{export_figures, write};
pub use published::{PublishedPage, publish, published_page, published_trees};
pub use read::{Leftover, LeftoverKind, RecordedRun, RecordedRuns, leftovers, read};
pub use spread::Spread;
pub use tables::{Align, Summary, markdown_table, plain_table, summarize, text_table};

#[cfg(test)]
mod fake;
