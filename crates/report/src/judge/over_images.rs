//! The mean squares that a published tree holds: those of all comparisons by which the claims of
//! the study are judged, and those of the figures of each cell.

use kindling_formats::{Claim, Comparison, Over, Study, Take, Term};

use crate::judge::statement::Statement;
use crate::judge::values::{ClaimRecords, by_cell};
use crate::read::{Evidence, MeanSquaresRow, RecordedRuns, TestImages};

/// The mean squares of each comparison whose value is a mean over test images, each once. What
/// cannot be compared, because something is missing, is left out.
pub(crate) fn mean_squares(study: &Study, runs: &RecordedRuns) -> Vec<MeanSquaresRow> {
    let by_cell = by_cell(runs.records());
    let evidence = Evidence::all(study, runs);
    let cells = study.cells().iter().map(|cell| cell.name.as_str());
    let figures: Vec<Claim> = cells
        .flat_map(|cell| TestImages::figures().map(|of| figure(cell, of)))
        .collect();
    let mut rows: Vec<MeanSquaresRow> = Vec::new();
    for claim in study.claims().iter().chain(&figures) {
        let records = ClaimRecords::of(study, claim, &by_cell);
        if claim.over == Over::EveryRun || !records.missing().is_empty() {
            continue;
        }
        let Ok(statement) = Statement::of(&records, &evidence) else {
            continue;
        };
        statement.each(&mut |compared| {
            if let Some(row) = &compared.crossed
                && !rows.contains(row)
            {
                rows.push(row.clone());
            }
        });
    }
    rows
}

/// A claim that compares nothing: its value is the figure `of` of `cell`.
fn figure(cell: &str, of: &str) -> Claim {
    Claim {
        id: String::new(),
        section: String::new(),
        says: String::new(),
        left: Term {
            cells: vec![cell.to_string()],
            of: of.to_string(),
            take: Take::Mean,
            within: None,
        },
        right: None,
        by: Comparison::Difference,
        over: Over::Seeds,
        at_least: None,
        at_most: None,
    }
}
