//! The verdicts on each claim by each tree, and what changes between them.

use kindling_formats::Study;
use serde::Serialize;

use crate::compare::trees::ReadTree;
use crate::judge::{Judgement, Verdict, lacks};

/// The verdicts on one claim.
#[derive(Debug, Serialize)]
pub struct ComparedClaim {
    /// Id of the claim.
    pub claim: String,
    /// Id of the claim's section.
    pub section: String,
    /// The claim as a sentence.
    pub says: String,
    /// The verdict by each tree.
    pub verdicts: Vec<TreeVerdict>,
    /// How the verdicts by the other trees differ from that by the first; `None` if they are
    /// equal, or a tree has no verdict.
    pub change: Option<Change>,
}

/// The verdict on a claim by one tree.
#[derive(Debug, Serialize)]
pub struct TreeVerdict {
    /// `supported`, `refuted`, `undecided` or `not judged`, or `no runs` if the tree lacks runs
    /// or numbers that the claim needs.
    pub alone: &'static str,
    /// The verdict together with those on all other claims and at all looks.
    pub together: &'static str,
    /// The mean of the claim's value over seeds.
    pub mean: Option<f64>,
    /// Number of seeds with a value.
    pub seeds: usize,
    /// The runs and numbers that the claim lacks, or why it is undecided without an interval.
    pub why: String,
}

/// How verdicts differ from the verdict by the first tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// One tree supports the claim, and another one refutes it.
    Flips,
    /// The first tree decides the claim, and another one leaves it undecided.
    Opens,
    /// The first tree leaves the claim undecided, and another one decides it.
    Closes,
}

impl Change {
    /// `flips`, `opens` or `closes`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Flips => "flips",
            Self::Opens => "opens",
            Self::Closes => "closes",
        }
    }

    /// The change between verdicts, of which `None` is one that a tree cannot give.
    fn between(verdicts: &[Option<Verdict>]) -> Option<Self> {
        let has = |verdict: Verdict| verdicts.contains(&Some(verdict));
        if has(Verdict::Supported) && has(Verdict::Refuted) {
            return Some(Self::Flips);
        }
        let (first, others) = verdicts.split_first()?;
        let first = (*first)?;
        let mut others = others.iter().flatten();
        if !others.any(|other| *other != first) {
            return None;
        }
        Some(match first {
            Verdict::Undecided => Self::Closes,
            _ => Self::Opens,
        })
    }
}

/// The verdicts on all claims of the study by each of `trees`.
pub(super) fn claims(study: &Study, trees: &[ReadTree]) -> Vec<ComparedClaim> {
    let compared = study.claims().iter().enumerate().map(|(place, claim)| {
        let of_trees = trees.iter().filter_map(|tree| tree.judgements.get(place));
        let judgements: Vec<&Judgement> = of_trees.collect();
        let given = judgements.iter().map(|one| given(one));
        ComparedClaim {
            claim: claim.id.clone(),
            section: claim.section.clone(),
            says: claim.says.clone(),
            change: Change::between(&given.collect::<Vec<_>>()),
            verdicts: judgements.into_iter().map(verdict).collect(),
        }
    });
    compared.collect()
}

/// The verdict, unless runs or numbers that it needs are missing.
fn given(judgement: &Judgement) -> Option<Verdict> {
    judgement.missing.is_empty().then_some(judgement.verdict)
}

fn verdict(judgement: &Judgement) -> TreeVerdict {
    TreeVerdict {
        alone: given(judgement).map_or("no runs", Verdict::name),
        together: given(judgement).map_or("no runs", |_| judgement.together.name()),
        mean: judgement.mean(),
        seeds: judgement.values.len(),
        why: lacks(judgement),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Verdict::{NotJudged, Refuted, Supported, Undecided};

    #[test]
    fn a_change_is_a_flip_only_between_supported_and_refuted() {
        for (verdicts, change) in [
            (vec![Some(Supported), Some(Refuted)], Some(Change::Flips)),
            (vec![Some(Refuted), Some(Supported)], Some(Change::Flips)),
            (
                vec![Some(Undecided), Some(Supported), Some(Refuted)],
                Some(Change::Flips),
            ),
            (
                vec![None, Some(Supported), Some(Refuted)],
                Some(Change::Flips),
            ),
            (vec![Some(Supported), Some(Undecided)], Some(Change::Opens)),
            (
                vec![Some(Refuted), Some(Refuted), Some(Undecided)],
                Some(Change::Opens),
            ),
            (vec![Some(Undecided), Some(Refuted)], Some(Change::Closes)),
            (vec![Some(Supported), Some(Supported)], None),
            (vec![Some(Undecided), Some(Undecided)], None),
            (vec![Some(Supported), None], None),
            (vec![None, Some(Supported), Some(Undecided)], None),
            (vec![Some(NotJudged), Some(NotJudged)], None),
        ] {
            assert_eq!(Change::between(&verdicts), change, "{verdicts:?}");
        }
    }
}
