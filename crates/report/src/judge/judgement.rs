//! A claim with its verdict, and the numbers that the verdict follows from.

use std::collections::BTreeMap;

use kindling_formats::Claim;

use crate::judge::scale::Scale;
use crate::spread::Spread;

/// The result of judging a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// The whole interval is within the claim's bounds.
    Supported,
    /// No part of the interval is within the claim's bounds.
    Refuted,
    /// Only a part of the interval is within the bounds, or there is no interval.
    Undecided,
    /// The runs are quick or smoke runs, which only show that everything works.
    NotJudged,
}

impl Verdict {
    /// `supported`, `refuted`, `undecided` or `not judged`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Supported => "supported",
            Self::Refuted => "refuted",
            Self::Undecided => "undecided",
            Self::NotJudged => "not judged",
        }
    }
}

/// A claim with its verdict, and the numbers that the verdict follows from.
#[derive(Debug, Clone)]
pub struct Judgement {
    /// The claim.
    pub claim: Claim,
    /// The verdict on the claim.
    pub verdict: Verdict,
    /// The claim's value for each seed. If nothing in the claim is random, there is one
    /// value, of seed 0.
    pub values: BTreeMap<u64, f64>,
    /// The confidence interval for the mean of the values; `None` if the values themselves
    /// are compared with the bounds, or the claim is undecided without an interval.
    pub interval: Option<(f64, f64)>,
    /// The confidence of the interval, in (0, 1]; 1 if there is no interval.
    pub confidence: f64,
    /// A phrase for each run or number that the claim needs and the records lack.
    pub missing: Vec<String>,
    /// Why the claim is undecided, if nothing is missing and there is no interval.
    pub why: Option<&'static str>,
}

impl Judgement {
    /// The mean of the values, or for ratios their geometric mean; `None` without values.
    pub fn mean(&self) -> Option<f64> {
        let scale = Scale::of(self.claim.by);
        let values: Vec<f64> = self.values.values().copied().collect();
        if let [first, rest @ ..] = values.as_slice()
            && rest.iter().all(|value| value == first)
        {
            return Some(*first);
        }
        let scaled = values.into_iter().map(|value| scale.apply(value));
        let scaled: Vec<f64> = scaled.collect();
        Spread::of(&scaled).map(|spread| scale.invert(spread.mean))
    }
}
