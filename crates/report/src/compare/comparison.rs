//! The comparison of several trees.

use kindling_formats::{Layout, Study};
use serde::Serialize;

use crate::compare::cells::{ComparedFigure, figures};
use crate::compare::claims::{ComparedClaim, claims};
use crate::compare::trees::{ComparedTree, ReadTree, differences};
use crate::outliers::outliers;

/// The comparison of several trees of results. It is also the JSON that the command prints.
#[derive(Debug, Serialize)]
pub struct TreeComparison {
    /// The trees, in the order in which they were named. The others are compared with the first.
    pub trees: Vec<ComparedTree>,
    /// In what the trees differ, such as `protocol` and `revision`.
    pub differ_in: Vec<&'static str>,
    /// The claims of the study, in the order of their file, with the verdicts by each tree.
    pub claims: Vec<ComparedClaim>,
    /// The results of each cell that has a complete run in one of the trees, in the study's
    /// order.
    pub cells: Vec<ComparedFigure>,
    /// One sentence for each result that does not count, each file that cannot be read, and
    /// each run that did much worse than the others of its cell. It begins with the tree.
    pub notes: Vec<String>,
}

/// Compares the trees `trees`, each with the name that the user gave it. The first is the one
/// that the others are compared with.
///
/// Judging the claims of a tree of full runs is a look, which the ledger of that tree counts.
pub fn compare(study: &Study, trees: &[(String, Layout)]) -> TreeComparison {
    let read = |(name, layout): &(String, Layout)| ReadTree::new(study, name, layout);
    let trees: Vec<ReadTree> = trees.iter().map(read).collect();
    let mut notes = Vec::new();
    for tree in &trees {
        let runs = &tree.runs;
        let far = outliers(runs.records());
        let far = far.iter().map(ToString::to_string);
        let other = |text: &String| format!("left out, not a result of this study: {text}");
        let unreadable = |text: &String| format!("unreadable: {text}");
        let sentences = runs.others.iter().map(other);
        let sentences = sentences.chain(runs.unreadable.iter().map(unreadable));
        for sentence in sentences.chain(far).chain(tree.problem.clone()) {
            notes.push(format!("{}: {sentence}", tree.shown.tree));
        }
    }
    let (cells, unreadable) = figures(study, &trees);
    notes.extend(unreadable);
    TreeComparison {
        differ_in: differences(&trees),
        claims: claims(study, &trees),
        cells,
        notes,
        trees: trees.into_iter().map(|tree| tree.shown).collect(),
    }
}
