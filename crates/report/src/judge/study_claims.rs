//! Judges every claim of a study.

use kindling_formats::{Claim, Looks, Over, Record, Size, Study};

use crate::judge::comparison::JudgedBy;
use crate::judge::decision::{NO_SPREAD, ONE_SEED, TIE, by_every_run, by_risks};
use crate::judge::judgement::{Judgement, Verdict};
use crate::judge::statement::Statement;
use crate::judge::statistics::{ERROR_RATE, Holm, needed, spent};
use crate::judge::values::{ByCell, ClaimRecords, Values, by_cell};
use crate::read::{Evidence, TestImages};

/// The confidence of the interval that is shown, which is that of the verdict alone.
const CONFIDENCE: f64 = 1.0 - ERROR_RATE;

/// Judges each claim of the study by the complete records among `records`, which are of
/// runs of `size`, and by what the runs left for each test image. With quick and smoke runs, the
/// verdict is always [`Verdict::NotJudged`].
///
/// A claim has a value for each seed with which all its cells have been trained. A cell in
/// which nothing is random has one run, which is used for every seed.
///
/// - If nothing in a claim is random, its one value is compared with the bounds.
/// - A claim over every run is refuted if the value of one run is outside the bounds. It is
///   supported if the values of all runs are within the bounds, and there are at least as
///   many runs as the study has seeds.
/// - Every other verdict is about a mean, by its two-sided confidence interval, for ratios on the
///   scale of logarithms. If the value is a mean over test images, seeds and images are crossed:
///   other seeds could have been trained, and other images drawn. Otherwise the interval is that
///   of Student's t over seeds, with n - 1 degrees of freedom. If the value is equal for all
///   seeds and images, there is no such interval.
/// - A claim about the smallest or largest of several cells compares each of them.
///
/// `looks` is the ledger of the tree. Look k of a claim spends 1 / (k (k + 1)) of its error
/// probability, and Holm's method over all claims that have intervals gives the verdicts
/// together. Judging changes no file; [`look`](super::look) does.
pub(crate) fn judge<'a>(
    study: &Study,
    size: Size,
    records: impl IntoIterator<Item = &'a Record>,
    evidence: &Evidence,
    looks: &Looks,
) -> Vec<Judgement> {
    let by_cell = by_cell(records);
    let claims = study.claims().iter();
    if size != Size::Full {
        return claims
            .map(|claim| not_judged(study, claim, &by_cell))
            .collect();
    }
    let first_look = usize::try_from(study.seeds()).unwrap_or(usize::MAX);
    let mut judged: Vec<Judged> = claims
        .map(|claim| {
            let records = ClaimRecords::of(study, claim, &by_cell);
            let mut judged = match claim.over {
                Over::EveryRun => every_run(study, claim, &by_cell, first_look),
                Over::Seeds => by_interval(&records, evidence),
            };
            let judgement = &mut judged.judgement;
            if judgement.risk.is_some() {
                let evidence = Looks::evidence(&records.lines());
                judgement.look = Some(looks.number(&claim.id, &evidence));
                judgement.evidence = Some(evidence);
            }
            let first = looks.claim(&claim.id);
            judged.looks = first.map_or(0, |first| first.looks.len());
            judgement.is_changed = first.is_some_and(|first| first.claim != claim.digest());
            judged
        })
        .collect();
    decide_together(&mut judged);
    judged.into_iter().map(|judged| judged.judgement).collect()
}

/// A judgement, and what the verdict together with other claims follows from.
struct Judged {
    judgement: Judgement,
    /// Whether the claim is one of those whose verdicts could be wrong by chance.
    by_chance: bool,
    /// The claim as a statement; `None` if something is missing.
    statement: Option<Statement>,
    /// How many looks at the claim are in the ledger. They are more than the number of this look
    /// if the claim is judged again by the evidence of an earlier look.
    looks: usize,
}

/// Sets the verdicts of all claims together, and the number of seeds that open claims need.
fn decide_together(judged: &mut [Judged]) {
    let mut by_chance: Vec<&mut Judged> = judged.iter_mut().filter(|one| one.by_chance).collect();
    let risks = by_chance.iter().map(|judged| {
        let judgement = &judged.judgement;
        let risk = judgement.risk.unwrap_or(1.0);
        spent(risk, judgement.look.unwrap_or(1))
    });
    let holm = Holm::of(&risks.collect::<Vec<_>>());
    for (judged, decided) in by_chance.iter_mut().zip(holm.decided) {
        let judgement = &mut judged.judgement;
        judgement.together = match decided {
            true => judgement.verdict,
            false => Verdict::Undecided,
        };
        let (Some(statement), Some(look)) = (&judged.statement, judgement.look) else {
            continue;
        };
        let today = judgement.values.len();
        let has_images = statement.has(|one| one.estimate.is_some_and(|one| one.images.is_some()));
        let at = |seeds: f64| statement.risks(Some(seeds));
        if judgement.verdict == Verdict::Undecided {
            judgement.needed = Some(needed(today, ERROR_RATE, has_images, at));
        }
        if !decided {
            let next = (look.max(judged.looks) + 1) as f64;
            let level = holm.next_level / (next * (next + 1.0));
            judgement.needed_together = Some(needed(today, level, has_images, at));
        }
    }
}

/// The values of a claim that is not judged.
fn not_judged(study: &Study, claim: &Claim, by_cell: &ByCell) -> Judgement {
    Judgement {
        values: Values::of(study, claim, by_cell).by_seed,
        ..without_interval(claim, Verdict::NotJudged, JudgedBy::Value)
    }
}

/// Judges a claim by the value of each run. A number may be missing because the run of that seed
/// diverged. The other seeds are then not a fair sample, so the claim is undecided.
fn every_run(study: &Study, claim: &Claim, by_cell: &ByCell, first_look: usize) -> Judged {
    let values = Values::of(study, claim, by_cell);
    let (verdict, why) = if values.missing.is_empty() {
        let numbers: Vec<f64> = values.by_seed.values().copied().collect();
        by_every_run(claim, &numbers, values.is_deterministic, first_look)
    } else {
        (Verdict::Undecided, None)
    };
    Judged {
        judgement: Judgement {
            values: values.by_seed,
            missing: values.missing,
            why,
            ..without_interval(claim, verdict, JudgedBy::EveryRun)
        },
        by_chance: false,
        statement: None,
        looks: 0,
    }
}

/// Judges a claim by confidence intervals, or by its value if that is certain.
fn by_interval(records: &ClaimRecords, evidence: &Evidence) -> Judged {
    let claim = records.claim;
    let missing = records.missing();
    let statement = match missing.is_empty() {
        true => Statement::of(records, evidence),
        false => Err(missing),
    };
    let is_certain = claim.is_of_parameters() || records.is_deterministic();
    let (statement, decisive) = match statement {
        Ok(statement) => {
            let decisive = statement.decisive().cloned();
            (statement, decisive)
        }
        Err(missing) => {
            let by = if is_certain {
                JudgedBy::Value
            } else {
                JudgedBy::Seeds
            };
            return Judged {
                judgement: Judgement {
                    missing,
                    ..without_interval(claim, Verdict::Undecided, by)
                },
                // A mean over test images could be judged by chance even if no seed changes it.
                by_chance: !claim.is_of_parameters()
                    && (!is_certain
                        || claim
                            .terms()
                            .any(|(_, term)| TestImages::may_have(&term.of))),
                statement: None,
                looks: 0,
            };
        }
    };
    let Some(decisive) = decisive else {
        return Judged {
            judgement: without_interval(claim, Verdict::Undecided, JudgedBy::Value),
            by_chance: false,
            statement: None,
            looks: 0,
        };
    };
    let risks = statement.risks(None);
    let by_statement = by_risks(risks);
    let (verdict, why) = match decisive.by {
        JudgedBy::Value if by_statement == Verdict::Undecided => (by_statement, Some(TIE)),
        _ if by_statement == Verdict::Undecided && decisive.no_spread => {
            (by_statement, Some(NO_SPREAD))
        }
        by if by.is_by_chance() && decisive.estimate.is_none() && decisive.values.len() == 1 => {
            (by_statement, Some(ONE_SEED))
        }
        _ => (by_statement, None),
    };
    // Conditions may be random where the decisive comparison is exact. A risk of 0 follows from
    // exact values alone.
    let by_chance = risks.smallest() > 0.0 && statement.has(|one| one.by.is_by_chance());
    let has_interval = statement.has(|one| one.estimate.is_some());
    let estimate = decisive.estimate;
    Judged {
        judgement: Judgement {
            interval: estimate.map(|estimate| estimate.interval(CONFIDENCE)),
            confidence: if estimate.is_some() { CONFIDENCE } else { 1.0 },
            estimate,
            risk: (by_chance && has_interval).then_some(risks.smallest()),
            values: decisive.values,
            decisive: (statement.count() > 1).then_some(decisive.cells),
            why,
            ..without_interval(claim, verdict, decisive.by)
        },
        by_chance,
        statement: Some(statement),
        looks: 0,
    }
}

/// A judgement without values and interval.
fn without_interval(claim: &Claim, verdict: Verdict, judged_by: JudgedBy) -> Judgement {
    Judgement {
        claim: claim.clone(),
        verdict,
        together: verdict,
        judged_by,
        values: Default::default(),
        decisive: None,
        interval: None,
        confidence: 1.0,
        estimate: None,
        risk: None,
        look: None,
        evidence: None,
        is_changed: false,
        needed: None,
        needed_together: None,
        missing: Vec::new(),
        why: None,
    }
}
