//! The same claims and cells in other trees: under the other protocol, and in variants of the
//! study.

use kindling_formats::{Layout, Size, Study, TreeKind};

use crate::compare::{TreeComparison, compare};
use crate::tables::{Columns, NO_VALUE, number};

/// The results of this tree beside those of other trees.
pub(super) struct Others {
    /// The names of the trees; this one is the first.
    pub(super) trees: Vec<String>,
    /// The claims with their verdicts alone, in the order of their file.
    pub(super) claims: Vec<OtherClaim>,
    /// The mean test loss and accuracy of each cell in each tree.
    pub(super) results: Columns,
}

/// A claim with its verdicts.
pub(super) struct OtherClaim {
    pub(super) id: String,
    pub(super) says: String,
    /// The verdict by each tree, in the order of [`Others::trees`].
    pub(super) verdicts: Vec<&'static str>,
    /// Whether another tree has another verdict than this one.
    pub(super) changes: bool,
}

impl Others {
    /// The number of claims whose verdict changes.
    pub(super) fn changes(&self) -> usize {
        self.claims.iter().filter(|claim| claim.changes).count()
    }
}

/// Compares the tree of `layout` with the tree of the other protocol and with all variants. `None`
/// if there is no other tree with runs, or the runs are quick or smoke runs. The second value has
/// a sentence for each file that cannot be read.
pub(super) fn others(study: &Study, layout: &Layout) -> (Option<Others>, Vec<String>) {
    let other = match layout.kind() {
        TreeKind::Written => TreeKind::Tuned,
        TreeKind::Tuned => TreeKind::Written,
        TreeKind::Trials => return (None, Vec::new()),
    };
    let mut trees = vec![(layout.protocol().name().to_string(), layout.clone())];
    let sibling = layout.with_kind(other);
    trees.push((sibling.protocol().name().to_string(), sibling));
    let variants = layout.variants().into_iter();
    trees.extend(variants.map(|name| (name.clone(), layout.variant(&name))));
    trees.retain(|(_, layout)| layout.runs().is_dir());
    if layout.size() != Size::Full || trees.len() < 2 {
        return (None, Vec::new());
    }
    let comparison = compare(study, &trees);
    let first = &trees[0].0;
    // This tree's own report says what is wrong in it.
    let is_other = |note: &&String| !note.starts_with(&format!("{first}: "));
    let notes = comparison.notes.iter().filter(is_other).cloned().collect();
    (beside(&comparison), notes)
}

/// The trees with runs side by side; `None` if only one has runs.
fn beside(comparison: &TreeComparison) -> Option<Others> {
    let shown: Vec<usize> = (0..comparison.trees.len())
        .filter(|&place| comparison.trees[place].runs > 0)
        .collect();
    if shown.len() < 2 || shown[0] != 0 {
        return None;
    }
    let trees: Vec<String> = shown
        .iter()
        .map(|&place| comparison.trees[place].tree.clone())
        .collect();
    let claims = comparison.claims.iter().map(|claim| {
        let verdicts = shown.iter().map(|&place| claim.verdicts[place].alone);
        let verdicts: Vec<&str> = verdicts.collect();
        let can_tell = |verdict: &&&str| **verdict != "no runs";
        let mut given = verdicts.iter().filter(can_tell);
        OtherClaim {
            id: claim.claim.clone(),
            says: claim.says.clone(),
            changes: verdicts[0] != "no runs" && given.any(|verdict| *verdict != verdicts[0]),
            verdicts,
        }
    });
    let figures = || comparison.cells.iter();
    let mut results = Columns::new()
        .text("cell", figures().map(|figure| figure.cell.clone()))
        .text(
            "figure",
            figures().map(|figure| figure.figure.replace('_', " ")),
        );
    for (name, &place) in trees.iter().zip(&shown) {
        let mean = |value: Option<f64>| value.map_or(NO_VALUE.into(), |v| number(v).show(v));
        results = results.numbers(name, figures().map(|figure| mean(figure.means[place])));
    }
    Some(Others {
        claims: claims.collect(),
        results,
        trees,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake;

    fn study(folder: &std::path::Path) -> Study {
        let claim = "[[claim]]\nid = \"good\"\nsection = \"2.5\"\nsays = \"It is good.\"\n\
             left = { cells = [\"a\"], of = \"test_accuracy\" }\nat_least = 0.7\n";
        let cell = fake::classifier("a", "seeds = 1\n");
        fake::study_of(
            folder,
            &[
                ("study.toml", fake::STUDY),
                ("a.toml", &cell),
                ("claims.toml", claim),
            ],
        )
    }

    fn finish(study: &Study, layout: &Layout, accuracy: f64) {
        let mut record = fake::record_of(study, "a", 0);
        record.test_accuracy = Some(accuracy);
        let dir = layout.finished("a", 0);
        let record = fake::with_test_images(record, &dir, &[0.1; 100], &[1; 100]);
        fake::finish(layout, &record);
    }

    #[test]
    fn a_verdict_that_another_tree_changes_is_shown_beside_it() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let study = study(folder.path());
        let layout = Layout::new(&folder.path().join("out"), Size::Full);
        finish(&study, &layout, 0.95);
        assert!(others(&study, &layout).0.is_none(), "there is one tree");
        finish(&study, &layout.variant("other"), 0.2);
        let (found, notes) = others(&study, &layout);
        let found = found.expect("two trees");
        assert_eq!(notes, [""; 0]);
        assert_eq!(found.trees, ["written", "other"]);
        assert_eq!(found.claims[0].verdicts, ["supported", "refuted"]);
        assert_eq!(found.changes(), 1);
        let rows = found.results.body();
        let accuracy: Vec<&str> = rows[1].iter().map(|(text, _)| *text).collect();
        assert_eq!(accuracy, ["a", "test accuracy", "0.9500", "0.2000"]);
        // A tree without a run that counts is left out.
        std::fs::create_dir_all(layout.tuned().runs()).expect("a folder");
        let (found, _) = others(&study, &layout);
        assert_eq!(found.expect("two trees").trees, ["written", "other"]);
    }

    #[test]
    fn quick_runs_are_not_compared() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let study = study(folder.path());
        let layout = Layout::new(&folder.path().join("out"), Size::Quick);
        for layout in [&layout, &layout.variant("other")] {
            finish(&study, layout, 0.95);
        }
        assert!(others(&study, &layout).0.is_none());
    }
}
