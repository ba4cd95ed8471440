//! A row of `claims.csv`.

use kindling_formats::CsvRow;
use serde::{Deserialize, Serialize};

use crate::judge::judgement::Judgement;
use crate::judge::statistics::Needed;
use crate::judge::words::lacks;

/// A row of `claims.csv`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClaimRow {
    /// Id of the claim.
    pub claim: String,
    /// Id of the claim's section.
    pub section: String,
    /// The verdict on the claim alone: `supported`, `refuted`, `undecided` or `not judged`.
    pub verdict: String,
    /// The verdict together with those on all other claims and at all looks.
    pub together: String,
    /// What the verdicts follow from: `seeds and images`, `seeds`, `images`, `every run` or
    /// `value`.
    pub judged_by: String,
    /// The mean of the claim's value over seeds.
    pub mean: Option<f64>,
    /// The lower end of the confidence interval for the mean.
    pub low: Option<f64>,
    /// The upper end of that interval.
    pub high: Option<f64>,
    /// The confidence of the interval.
    pub confidence: f64,
    /// The standard error of the mean; of a ratio it is relative, as the two below.
    pub standard_error: Option<f64>,
    /// The part of the seeds.
    pub error_of_seeds: Option<f64>,
    /// The part of the test images.
    pub error_of_images: Option<f64>,
    /// The smallest error probability at which the claim alone is decided.
    pub risk: Option<f64>,
    /// The number of the look at the claim.
    pub look: Option<usize>,
    /// How many seeds a verdict alone needs; `images` if no number of seeds will do, and
    /// `over 1000`. Empty if the claim is decided.
    pub needs: String,
    /// How many seeds a verdict together with the other claims needs.
    pub needs_together: String,
    /// Whether the claim's test was changed after the first look at it.
    pub changed: bool,
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
        "together",
        "judged_by",
        "mean",
        "low",
        "high",
        "confidence",
        "standard_error",
        "error_of_seeds",
        "error_of_images",
        "risk",
        "look",
        "needs",
        "needs_together",
        "changed",
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
        let errors = judgement.standard_errors();
        let needs = |needed: Option<Needed>| match needed {
            None => String::new(),
            Some(Needed::Seeds(seeds)) => seeds.to_string(),
            Some(Needed::TooMany) => "over 1000".into(),
            Some(Needed::Images) => "images".into(),
        };
        Self {
            claim: claim.id.clone(),
            section: claim.section.clone(),
            verdict: judgement.verdict.name().to_string(),
            together: judgement.together.name().to_string(),
            judged_by: judgement.judged_by.name().to_string(),
            mean: judgement.mean(),
            low: judgement.interval.map(|(low, _)| low),
            high: judgement.interval.map(|(_, high)| high),
            confidence: judgement.confidence,
            standard_error: errors.map(|errors| errors.both),
            error_of_seeds: errors.and_then(|errors| errors.seeds),
            error_of_images: errors.and_then(|errors| errors.images),
            risk: judgement.risk,
            look: judgement.look,
            needs: needs(judgement.needed),
            needs_together: needs(judgement.needed_together),
            changed: judgement.is_changed,
            seeds: judgement.values.len(),
            at_least: claim.at_least,
            at_most: claim.at_most,
            cells: claim.cells().join(" "),
            why: lacks(judgement),
        }
    }
}
