//! Judges the claims of a study by the runs of a tree, and enters the look into the tree's ledger.

use kindling_formats::{Layout, Look, Looks, Size, Study};

use crate::judge::judgement::Judgement;
use crate::judge::study_claims::judge;
use crate::read::{Evidence, RecordedRuns};

/// The judgements of a look.
#[derive(Debug)]
pub struct Looked {
    /// The judgements, in the order of the claims.
    pub judgements: Vec<Judgement>,
    /// Why the ledger could not be read or written, if so. The claims are judged as if it were
    /// empty, or unchanged.
    pub problem: Option<String>,
}

/// Judges the claims of `study` by `runs`, which [`crate::read`] has read from `layout`. Full runs
/// are a look, which the ledger of the tree counts ([`Looks`]). The ledger of a published tree is
/// not changed.
pub fn look(study: &Study, layout: &Layout, runs: &RecordedRuns) -> Looked {
    let is_full = layout.size() == Size::Full;
    let evidence = match is_full {
        true => Evidence::read(study, runs),
        false => Evidence::default(),
    };
    let (looks, problem) = match is_full.then(|| Looks::read(layout)) {
        None => (Looks::default(), None),
        Some(Ok(looks)) => (looks, None),
        Some(Err(error)) => (Looks::default(), Some(error.to_string())),
    };
    let judgements = judge(study, layout.size(), runs.records(), &evidence, &looks);
    let new: Vec<Look> = judgements
        .iter()
        .filter_map(|judgement| {
            Some(Look {
                id: judgement.claim.id.clone(),
                claim: judgement.claim.digest(),
                evidence: judgement.evidence.clone()?,
            })
        })
        .collect();
    let added = match problem {
        None if is_full && !layout.is_published() => {
            Looks::add(layout, &new, study.claims_digest())
        }
        _ => Ok(()),
    };
    let not_counted = |error| format!("this look at the claims is not counted: {error}");
    Looked {
        judgements,
        problem: problem.or(added.err().map(not_counted)),
    }
}
