//! A claim with its verdict, and the numbers that the verdict follows from.

use std::collections::BTreeMap;

use kindling_formats::Claim;

use crate::judge::comparison::JudgedBy;
use crate::judge::scale::Scale;
use crate::judge::statistics::{Estimate, Needed};
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

/// A claim with its verdicts, and the numbers that they follow from.
#[derive(Debug, Clone)]
pub struct Judgement {
    /// The claim.
    pub claim: Claim,
    /// The verdict on this claim alone, judged once: it is wrong with a probability of at most
    /// 5 %.
    pub verdict: Verdict,
    /// The verdict together with those on all other claims and at all looks: the probability
    /// that any of them is wrong is at most 5 %.
    pub together: Verdict,
    /// What the verdicts follow from.
    pub judged_by: JudgedBy,
    /// The claim's value for each seed. If nothing in the claim is random, there is one
    /// value, of seed 0. If several cells are compared, these are the values of the comparison
    /// on which the verdict hangs.
    pub values: BTreeMap<u64, f64>,
    /// The comparison on which the verdict hangs, such as `dropout-0.3 and mlp`, if the claim
    /// compares more than one pair of cells.
    pub decisive: Option<String>,
    /// The confidence interval for the mean of the values; `None` if the values themselves
    /// are compared with the bounds, or the claim is undecided without an interval.
    pub interval: Option<(f64, f64)>,
    /// The confidence of the interval, in (0, 1]; 1 if there is no interval.
    pub confidence: f64,
    /// The estimated mean with its sources of error, as [`Judgement::interval`].
    pub(crate) estimate: Option<Estimate>,
    /// The smallest error probability at which the claim alone is decided, in (0, 1]; `None` if
    /// none of the claim's comparisons has an interval.
    pub risk: Option<f64>,
    /// The number of the look at the claim, counted from 1; `None` if there is no interval, so
    /// that nothing was looked at.
    pub look: Option<usize>,
    /// The digest of the evidence of this look, as [`kindling_formats::Looks::evidence`].
    pub evidence: Option<String>,
    /// Whether the claim's test was changed after the first look at it.
    pub is_changed: bool,
    /// How many seeds a verdict on the claim alone needs at today's spread; `None` if the claim
    /// is decided, or there is no interval.
    pub needed: Option<Needed>,
    /// How many seeds a verdict together with the other claims needs at today's spread, if this
    /// claim is the next that is decided.
    pub needed_together: Option<Needed>,
    /// A phrase for each run or number that the claim needs and the records lack.
    pub missing: Vec<String>,
    /// Why the claim is undecided, if nothing is missing and there is no interval.
    pub why: Option<&'static str>,
}

/// The standard errors of a mean. Of a ratio they are relative.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StandardErrors {
    /// The standard error of the mean.
    pub both: f64,
    /// The part of the seeds: how much the mean would vary with other seeds, on the same images.
    /// `None` if no seed changes the value.
    pub seeds: Option<f64>,
    /// The part of the test images: how much the mean would vary with other images, for the same
    /// seeds. `None` if the value is not judged as a mean over test images.
    pub images: Option<f64>,
}

impl Judgement {
    /// The standard errors of the mean; `None` without an interval.
    pub fn standard_errors(&self) -> Option<StandardErrors> {
        let estimate = self.estimate?;
        Some(StandardErrors {
            both: estimate.standard_error(),
            seeds: estimate.seeds.map(|seeds| seeds.standard_error()),
            images: estimate.images.map(|images| images.standard_error()),
        })
    }

    /// The mean of the values, or for ratios their geometric mean; `None` without values.
    pub fn mean(&self) -> Option<f64> {
        if let Some(estimate) = self.estimate {
            return Some(estimate.value());
        }
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
