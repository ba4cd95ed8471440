//! The results of each cell in each tree, and their differences to the first tree.

use kindling_formats::Study;
use serde::Serialize;

use crate::compare::difference::{Arm, Difference, difference};
use crate::compare::trees::ReadTree;
use crate::read::{RecordedRun, by_cell};
use crate::spread::Spread;

/// The figures that are compared: test loss and test accuracy, each with its name in tables.
pub(super) const FIGURES: [(&str, &str); 2] =
    [("test_loss", "loss"), ("test_accuracy", "accuracy")];

/// A figure of one cell in each tree.
#[derive(Debug, Serialize)]
pub struct ComparedFigure {
    /// Name of the cell.
    pub cell: String,
    /// Name of the figure: `test_loss` or `test_accuracy`.
    pub figure: &'static str,
    /// The mean over the complete runs of each tree; `None` if the tree has none.
    pub means: Vec<Option<f64>>,
    /// The number of complete runs of each tree.
    pub seeds: Vec<usize>,
    /// For each tree but the first, its mean minus that of the first; `None` if one of them has
    /// no runs.
    pub differences: Vec<Option<Difference>>,
}

/// The figures of all cells in all of `trees`, and one sentence for each file that cannot be
/// read.
pub(super) fn figures(study: &Study, trees: &[ReadTree]) -> (Vec<ComparedFigure>, Vec<String>) {
    let (mut found, mut unreadable) = (Vec::new(), Vec::new());
    let complete: Vec<_> = trees.iter().map(|tree| by_cell(&tree.runs)).collect();
    for cell in study.cells() {
        let of_cell = complete.iter().map(|runs| runs.get(cell.name.as_str()));
        let of_cell: Vec<&[&RecordedRun]> = of_cell
            .map(|runs| runs.map_or(&[][..], Vec::as_slice))
            .collect();
        for (of, _) in FIGURES {
            let arms: Vec<Arm> = of_cell.iter().map(|runs| Arm::of(runs, of)).collect();
            let mean = |arm: &Arm| Spread::of(&arm.values()).map(|spread| spread.mean);
            let means: Vec<Option<f64>> = arms.iter().map(mean).collect();
            let Some((first, others)) = arms.split_first() else {
                continue;
            };
            if means.iter().all(Option::is_none) {
                continue;
            }
            let is_deterministic = cell.is_deterministic();
            let against = |other| difference(first, other, of, is_deterministic, &mut unreadable);
            let differences = others.iter().map(against).collect();
            found.push(ComparedFigure {
                cell: cell.name.clone(),
                figure: of,
                means,
                seeds: arms.iter().map(|arm| arm.values().len()).collect(),
                differences,
            });
        }
    }
    unreadable.sort();
    unreadable.dedup();
    (found, unreadable)
}
