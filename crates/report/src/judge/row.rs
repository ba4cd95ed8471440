//! A row of `claims.csv`.

use kindling_formats::CsvRow;
use serde::{Deserialize, Serialize};

use crate::judge::judgement::Judgement;
use crate::judge::words::lacks;

/// A row of `claims.csv`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClaimRow {
    /// Id of the claim.
    pub claim: String,
    /// Id of the claim's section.
    pub section: String,
    /// `supported`, `refuted`, `undecided` or `not judged`.
    pub verdict: String,
    /// The mean of the claim's value over seeds.
    pub mean: Option<f64>,
    /// The lower end of the confidence interval for the mean.
    pub low: Option<f64>,
    /// The upper end of that interval.
    pub high: Option<f64>,
    /// The confidence of the interval.
    pub confidence: f64,
    /// Number of seeds with a value.
    pub seeds: usize,
    /// The smallest value that makes the claim true.
    pub at_least: Option<f64>,
    /// The largest value that makes the claim true.
    pub at_most: Option<f64>,
    /// The claim's cells, separated by spaces.
    pub cells: String,
    /// The runs and numbers that the claim lacks, or why it is undecided without an interval.
    pub why: String,
}

impl CsvRow for ClaimRow {
    const COLUMNS: &'static [&'static str] = &[
        "claim",
        "section",
        "verdict",
        "mean",
        "low",
        "high",
        "confidence",
        "seeds",
        "at_least",
        "at_most",
        "cells",
        "why",
    ];
}

impl From<&Judgement> for ClaimRow {
    fn from(judgement: &Judgement) -> Self {
        let claim = &judgement.claim;
        Self {
            claim: claim.id.clone(),
            section: claim.section.clone(),
            verdict: judgement.verdict.name().to_string(),
            mean: judgement.mean(),
            low: judgement.interval.map(|(low, _)| low),
            high: judgement.interval.map(|(_, high)| high),
            confidence: judgement.confidence,
            seeds: judgement.values.len(),
            at_least: claim.at_least,
            at_most: claim.at_most,
            cells: claim.cells().join(" "),
            why: lacks(judgement),
        }
    }
}
