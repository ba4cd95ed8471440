//! Decides on a claim by its values.

use kindling_formats::{Claim, Comparison, Over};
use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::judge::judgement::Verdict;
use crate::judge::scale::Scale;
use crate::spread::Spread;

/// The largest probability that one of all verdicts on a claim is wrong. A claim gets a new
/// verdict, a further look, each time it is judged with more seeds.
const ERROR_RATE: f64 = 0.05;

/// Why a claim whose value is equal for all seeds is undecided.
pub(super) const NO_SPREAD: &str =
    "no spread between seeds: a confidence interval needs values that differ";
/// Why a claim with two equal sides is undecided.
pub(super) const TIE: &str = "both sides are equal, and a tie shows no difference";
/// Why a claim over every run is undecided although it holds in all runs so far.
pub(super) const FEW_RUNS: &str =
    "the claim holds in every run so far, but there are fewer runs than the study has seeds";

/// A verdict, and the confidence interval that it follows from.
pub(super) struct Decision {
    pub(super) verdict: Verdict,
    pub(super) interval: Option<(f64, f64)>,
    pub(super) confidence: f64,
    pub(super) why: Option<&'static str>,
}

impl Decision {
    /// An undecided claim, and why it is undecided.
    pub(super) fn undecided(why: Option<&'static str>) -> Self {
        Self {
            verdict: Verdict::Undecided,
            interval: None,
            confidence: 1.0,
            why,
        }
    }

    /// A verdict that follows from the values without an interval.
    fn exact(verdict: Verdict) -> Self {
        Self {
            verdict,
            ..Self::undecided(None)
        }
    }
}

/// What the decision on a claim depends on, besides the claim's values.
pub(super) struct Decider<'a> {
    pub(super) claim: &'a Claim,
    /// Whether the claim's cells are deterministic: nothing in them is random.
    pub(super) is_deterministic: bool,
    /// The study's number of seeds. The first look at a claim has this many seeds.
    pub(super) first_look: usize,
}

impl Decider<'_> {
    /// Decides on the claim by `values`, which are not empty. `rounding` is the largest
    /// difference between two values that rounding alone can cause.
    pub(super) fn decide(&self, values: &[f64], rounding: f64) -> Decision {
        match self.claim.over {
            Over::EveryRun => self.by_every_run(values),
            Over::Seeds if self.is_exact(values) => self.by_value(values[0]),
            Over::Seeds if has_no_spread(values, rounding) => Decision::undecided(Some(NO_SPREAD)),
            Over::Seeds => self.by_interval(values),
        }
    }

    /// Compares each value with the bounds.
    fn by_every_run(&self, values: &[f64]) -> Decision {
        let mut verdicts = values.iter().map(|&value| self.verdict((value, value)));
        let holds = verdicts.all(|verdict| verdict == Verdict::Supported);
        let enough = self.is_deterministic || values.len() >= self.first_look;
        match (holds, enough) {
            (false, _) => Decision::exact(Verdict::Refuted),
            (true, true) => Decision::exact(Verdict::Supported),
            (true, false) => Decision::undecided(Some(FEW_RUNS)),
        }
    }

    /// Compares a value that is the same for every seed with the bounds.
    fn by_value(&self, value: f64) -> Decision {
        let equal = match self.claim.by {
            Comparison::Difference => 0.0,
            Comparison::Ratio => 1.0,
        };
        // Whether the claim is that one side is larger than the other.
        let is_one_sided = self.claim.at_least.is_some() != self.claim.at_most.is_some();
        let bound = self.claim.at_least.or(self.claim.at_most);
        if self.claim.right.is_some() && value == equal && is_one_sided && bound == Some(equal) {
            return Decision::undecided(Some(TIE));
        }
        Decision::exact(self.verdict((value, value)))
    }

    /// Compares the confidence interval for the mean over seeds with the bounds.
    fn by_interval(&self, values: &[f64]) -> Decision {
        let look = (values.len() + 1).saturating_sub(self.first_look).max(1) as f64;
        let confidence = 1.0 - ERROR_RATE / (look * (look + 1.0));
        let scale = Scale::of(self.claim.by);
        let scaled: Vec<f64> = values.iter().map(|&value| scale.apply(value)).collect();
        let interval = t_interval(&scaled, confidence);
        let interval = interval.map(|(low, high)| (scale.invert(low), scale.invert(high)));
        Decision {
            verdict: interval.map_or(Verdict::Undecided, |interval| self.verdict(interval)),
            interval,
            confidence,
            why: None,
        }
    }

    /// The verdict if the mean is known to lie between `low` and `high`.
    fn verdict(&self, (low, high): (f64, f64)) -> Verdict {
        let Some((least, most)) = self.claim.bounds() else {
            return Verdict::Undecided;
        };
        if least <= low && high <= most {
            Verdict::Supported
        } else if high < least || most < low {
            Verdict::Refuted
        } else {
            Verdict::Undecided
        }
    }

    /// Whether the claim's value does not depend on the seed.
    fn is_exact(&self, values: &[f64]) -> bool {
        let are_equal = values.iter().all(|value| *value == values[0]);
        self.is_deterministic || (self.claim.is_of_parameters() && are_equal)
    }
}

/// Whether several values, all of them finite, differ by no more than `rounding`.
fn has_no_spread(values: &[f64], rounding: f64) -> bool {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    values.len() > 1 && most - least <= rounding
}

/// The two-sided confidence interval of Student's t for the mean of `values`, with n - 1
/// degrees of freedom; `None` for fewer than two values.
fn t_interval(values: &[f64], confidence: f64) -> Option<(f64, f64)> {
    let spread = Spread::of(values)?;
    let deviation = spread.deviation?;
    let count = spread.count as f64;
    let student = StudentsT::new(0.0, 1.0, count - 1.0).ok()?;
    let reach = student.inverse_cdf(0.5 + confidence / 2.0) * deviation / count.sqrt();
    Some((spread.mean - reach, spread.mean + reach))
}
