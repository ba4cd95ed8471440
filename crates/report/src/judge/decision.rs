//! Decides on a claim whose values are compared with the bounds without an interval.

use kindling_formats::{Claim, Comparison};

use crate::judge::judgement::Verdict;
use crate::judge::statistics::{ERROR_RATE, Risks};

/// Why a claim whose value is equal for all seeds, and for all test images if it is a mean over
/// them, is undecided.
pub(super) const NO_SPREAD: &str =
    "no spread between seeds: a confidence interval needs values that differ";
/// Why a claim with a single seed is undecided, if something in its cells is random.
pub(super) const ONE_SEED: &str =
    "a single seed: a confidence interval needs the values of at least two";
/// Why a claim with two equal sides is undecided.
pub(super) const TIE: &str = "both sides are equal, and a tie shows no difference";
/// Why a claim over every run is undecided although it holds in all runs so far.
pub(super) const FEW_RUNS: &str =
    "the claim holds in every run so far, but there are fewer runs than the study has seeds";

/// A verdict, and why the claim is undecided.
pub(super) type Decision = (Verdict, Option<&'static str>);

/// The verdict at the level 0.05.
pub(super) fn by_risks(risks: Risks) -> Verdict {
    if risks.supported <= ERROR_RATE {
        Verdict::Supported
    } else if risks.refuted <= ERROR_RATE {
        Verdict::Refuted
    } else {
        Verdict::Undecided
    }
}

/// Compares each value of `claim` with its bounds. `first_look` is the study's number of seeds.
pub(super) fn by_every_run(
    claim: &Claim,
    values: &[f64],
    is_deterministic: bool,
    first_look: usize,
) -> Decision {
    let holds = values.iter().all(|&value| is_within(claim, value));
    let enough = is_deterministic || values.len() >= first_look;
    match (holds, enough) {
        (false, _) => (Verdict::Refuted, None),
        (true, true) => (Verdict::Supported, None),
        (true, false) => (Verdict::Undecided, Some(FEW_RUNS)),
    }
}

/// Whether `value`, which is certain, shows that both sides of `claim` are equal, and the claim is
/// that one of them is larger.
pub(super) fn is_tie(claim: &Claim, value: f64) -> bool {
    let equal = match claim.by {
        Comparison::Difference => 0.0,
        Comparison::Ratio => 1.0,
    };
    // Whether the claim is that one side is larger than the other.
    let is_one_sided = claim.at_least.is_some() != claim.at_most.is_some();
    let bound = claim.at_least.or(claim.at_most);
    claim.right.is_some() && value == equal && is_one_sided && bound == Some(equal)
}

/// Whether `value` lies within the bounds of `claim`.
fn is_within(claim: &Claim, value: f64) -> bool {
    let bounds = claim.bounds();
    bounds.is_some_and(|(low, high)| low <= value && value <= high)
}
