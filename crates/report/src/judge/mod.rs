//! Judges claims by records: which are supported, refuted or undecided. Also writes these
//! judgements as text.

mod decision;
mod judgement;
mod row;
mod scale;
mod statistics;
mod study_claims;
#[cfg(test)]
mod tests;
mod values;
mod words;

pub use judgement::{Judgement, Verdict};
pub use row::ClaimRow;
pub(crate) use scale::Scale;
pub(crate) use statistics::{Estimate, Source, crossed};
pub use study_claims::judge;
pub(crate) use words::{
    HOW, capitalized, claims_markdown, found, is_not_judged, measured, required, shown,
};
pub use words::{claims_text, lacks, tally};
