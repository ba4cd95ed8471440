//! Judges every claim of a study.

use kindling_formats::{Claim, Record, Size, Study};

use crate::judge::decision::{Decider, Decision};
use crate::judge::judgement::{Judgement, Verdict};
use crate::judge::values::{ByCell, Values};
use crate::tables::complete;

/// Judges each claim of the study by the complete records among `records`, which are of
/// runs of `size`. With quick and smoke runs, the verdict is always [`Verdict::NotJudged`].
///
/// A claim has a value for each seed with which all its cells have been trained. A cell in
/// which nothing is random has one run, which is used for every seed.
///
/// - If nothing in a claim is random, its one value is compared with the bounds.
/// - A claim over every run is refuted if the value of one run is outside the bounds. It is
///   supported if the values of all runs are within the bounds, and there are at least as
///   many runs as the study has seeds.
/// - Every other verdict is about the mean over seeds. It uses the two-sided confidence
///   interval of Student's t with n - 1 degrees of freedom, for ratios on the scale of
///   logarithms. If the value is equal for all seeds, there is no such interval.
///
/// Each further look, that is, judging again with more seeds, raises the probability that one
/// verdict is wrong. So look k, with k - 1 seeds more than the study has, is wrong with a
/// probability of at most 0.05 / (k (k + 1)), and all looks together with at most 0.05.
pub fn judge<'a>(
    study: &Study,
    size: Size,
    records: impl IntoIterator<Item = &'a Record>,
) -> Vec<Judgement> {
    let mut by_cell = ByCell::new();
    for record in complete(records) {
        let of_cell = by_cell.entry(&record.cell).or_default();
        of_cell.insert(record.seed, record);
    }
    let judgement = |claim: &Claim| {
        let judgement = judgement(study, claim, &by_cell);
        if size == Size::Full {
            return judgement;
        }
        Judgement {
            verdict: Verdict::NotJudged,
            interval: None,
            missing: Vec::new(),
            why: None,
            ..judgement
        }
    };
    study.claims().iter().map(judgement).collect()
}

fn judgement(study: &Study, claim: &Claim, by_cell: &ByCell) -> Judgement {
    let values = Values::of(study, claim, by_cell);
    let decider = Decider {
        claim,
        is_deterministic: values.is_deterministic,
        first_look: usize::try_from(study.seeds()).unwrap_or(usize::MAX),
    };
    // A number may be missing because the run of that seed diverged. The other seeds are
    // then not a fair sample, so the claim is undecided.
    let decision = if values.missing.is_empty() {
        let numbers: Vec<f64> = values.by_seed.values().copied().collect();
        decider.decide(&numbers, values.rounding)
    } else {
        Decision::undecided(None)
    };
    Judgement {
        claim: claim.clone(),
        verdict: decision.verdict,
        values: values.by_seed,
        interval: decision.interval,
        confidence: decision.confidence,
        missing: values.missing,
        why: decision.why,
    }
}
