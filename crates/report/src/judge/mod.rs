//! Judges claims by records: which are supported, refuted or undecided. Also writes these
//! judgements as text.

mod comparison;
mod decision;
mod judgement;
mod look;
mod over_images;
mod row;
mod scale;
mod statement;
mod statistics;
mod study_claims;
#[cfg(test)]
mod tests;
mod values;
mod words;

pub use comparison::JudgedBy;
pub use judgement::{Judgement, StandardErrors, Verdict};
pub use look::{Looked, look};
pub(crate) use over_images::mean_squares;
pub use row::ClaimRow;
pub(crate) use scale::Scale;
pub use statistics::Needed;
pub(crate) use statistics::{Estimate, MeanSquares, Source};
pub(crate) use words::{
    HOW, capitalized, changed, claims_markdown, errors, found, is_not_judged, judged_by, measured,
    needs, required, shown,
};
pub use words::{claims_text, lacks, meaning, tally};
