//! The recorded runs of a tree, and its other results and files.

use std::collections::BTreeMap;

use kindling_formats::{Record, RunConfig, RunDir, RunStatus};

use crate::read::mean_squares::MeanSquaresTable;

/// The recorded runs of a tree, and its other results and files.
#[derive(Debug, Clone, Default)]
pub struct RecordedRuns {
    /// Finished and failed runs of the study as it is today, by cell and seed.
    pub runs: Vec<RecordedRun>,
    /// One sentence for each result of another config, other data or another version of Burn.
    /// Such results are in no table, and no claim is judged by them.
    pub others: Vec<String>,
    /// One sentence for each file or folder that cannot be read, with its path.
    pub unreadable: Vec<String>,
    /// Runs in progress, and runs that were killed before they wrote a record, such as
    /// `mlp seed 2`.
    pub unfinished: Vec<String>,
    /// Whether the runs learned from other images than the study's.
    pub(crate) has_other_data: bool,
    /// The mean squares by which claims are judged, if the tree is a published one. Its runs left
    /// their records alone.
    pub(crate) mean_squares: Option<MeanSquaresTable>,
}

/// A run that has a record.
#[derive(Debug, Clone)]
pub struct RecordedRun {
    /// The run's folder.
    pub dir: RunDir,
    /// The run's result, or why it failed.
    pub record: Record,
    /// The config that the run was trained with. The study has the same config for its cell
    /// and seed.
    pub config: RunConfig,
    /// Whether the run's files are in its folder. A published run has its record alone.
    pub(crate) has_files: bool,
}

impl RecordedRuns {
    /// The records of all runs.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.runs.iter().map(|run| &run.record)
    }
}

/// The complete runs of each cell, by seed.
pub(crate) fn by_cell(runs: &RecordedRuns) -> BTreeMap<&str, Vec<&RecordedRun>> {
    let mut cells: BTreeMap<&str, Vec<&RecordedRun>> = BTreeMap::new();
    for run in &runs.runs {
        if run.record.status == RunStatus::Complete {
            cells.entry(&run.record.cell).or_default().push(run);
        }
    }
    cells
}
