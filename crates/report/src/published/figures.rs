//! The figures of all cells in several published trees, beside those of the original study.

use kindling_formats::Study;

use super::tree::PublishedTree;
use crate::judge::{Estimate, Scale, shown};
use crate::original::figure;
use crate::read::by_cell;
use crate::spread::Spread;
use crate::tables::{Columns, NO_VALUE};

/// The confidence of the intervals.
const CONFIDENCE: f64 = 0.95;

/// The table of the figure `of` (`test_loss` or `test_accuracy`), with a row for each cell that has
/// it in one of `trees`; `None` if no cell has it.
pub(super) fn table(study: &Study, trees: &[PublishedTree], of: &str) -> Option<Columns> {
    let has = |cell: &str| trees.iter().any(|tree| tree.value(cell, of).is_some());
    let cells = study.cells().iter().map(|cell| cell.name.as_str());
    let cells: Vec<&str> = cells.filter(|cell| has(cell)).collect();
    if cells.is_empty() {
        return None;
    }
    let originals = cells.iter().map(|cell| {
        let value = study.original().figure(cell, of);
        value.map_or(NO_VALUE.to_string(), |value| figure(of, value))
    });
    let mut columns = Columns::new()
        .text("cell", cells.iter().map(|cell| cell.to_string()))
        .text_if_any("original", originals.collect());
    for tree in trees {
        let of_cell = |cell: &&str| tree.value(cell, of).unwrap_or(NO_VALUE.into());
        let seeds = |cell: &&str| match tree.seeds(cell) {
            0 => NO_VALUE.to_string(),
            seeds => seeds.to_string(),
        };
        columns = columns
            .text(&tree.name, cells.iter().map(of_cell))
            .numbers("seeds", cells.iter().map(seeds));
    }
    Some(columns)
}

impl PublishedTree {
    /// The number of complete runs of a cell.
    fn seeds(&self, cell: &str) -> usize {
        by_cell(&self.runs).get(cell).map_or(0, Vec::len)
    }

    /// The mean of the figure `of` over the runs of a cell, with its interval of 95 %. `None` if
    /// no run has this figure.
    fn value(&self, cell: &str, of: &str) -> Option<String> {
        let runs = by_cell(&self.runs);
        let values: Vec<f64> = runs
            .get(cell)?
            .iter()
            .filter_map(|run| run.record.number(of))
            .collect();
        let mean = Spread::of(&values)?.mean;
        let squares = self.runs.mean_squares.as_ref()?.of_cell(cell, of);
        let estimate = match squares {
            Some(squares) => Some(squares.estimate(Scale::Linear)),
            None => Estimate::by_seeds(&values, Scale::Linear),
        };
        let interval = estimate
            .filter(|estimate| estimate.standard_error() > 0.0)
            .map(|estimate| estimate.interval(CONFIDENCE));
        Some(match interval {
            Some((low, high)) => format!("{} ({} to {})", shown(mean), shown(low), shown(high)),
            None => shown(mean),
        })
    }
}
