//! All figures of a section.

use kindling_formats::{History as RunHistory, RunStatus, StudyFigures, Task, ToyFunction};

use crate::figures::comparisons::{Compared, comparisons};
use crate::figures::curves::{curves, line_points};
use crate::figures::drawn::{DrawError, Drawn};
use crate::figures::groups::History;
use crate::figures::of_run::figures_of_run;
use crate::figures::predictions::predictions;
use crate::read::RecordedRun;

/// The figures of a section's runs, which are in the study's order: curves, comparisons of
/// cells, then figures of single runs. A file that cannot be read is added to
/// `unreadable`, and its figure left out.
///
/// # Errors
///
/// If a figure cannot be drawn.
pub(crate) fn section_figures(
    section: &str,
    runs: &[&RecordedRun],
    figures: &StudyFigures,
    unreadable: &mut Vec<String>,
) -> Result<Vec<Drawn>, DrawError> {
    let mut drawn = curves(section, &histories(runs, unreadable), figures)?;
    let compared: Vec<Compared> = runs
        .iter()
        .filter(|run| run.record.status == RunStatus::Complete)
        .map(|run| Compared {
            record: &run.record,
            labels: Task::figures(&run.record.family),
        })
        .collect();
    drawn.extend(comparisons(section, &compared, figures)?);
    let first = first_seeds(runs);
    let models: Vec<(&RecordedRun, &str)> = first
        .iter()
        .filter_map(|&run| Some((run, function_of(run)?)))
        .collect();
    drawn.extend(predictions(section, &models, unreadable)?);
    for run in first {
        drawn.extend(figures_of_run(section, run, unreadable)?);
    }
    Ok(drawn)
}

/// For each cell, its complete run with the smallest seed. The runs of a cell are next to each
/// other.
fn first_seeds<'a>(runs: &[&'a RecordedRun]) -> Vec<&'a RecordedRun> {
    let complete = runs.iter().copied();
    let mut first: Vec<&RecordedRun> = complete
        .filter(|run| run.record.status == RunStatus::Complete)
        .collect();
    first.dedup_by(|later, earlier| later.record.cell == earlier.record.cell);
    first
}

/// The name of the toy function that a regression learns; `None` for other families.
fn function_of(run: &RecordedRun) -> Option<&'static str> {
    match &run.config.task {
        Task::Regression(task) => Some(match task.data.function {
            ToyFunction::Y0 => "y0",
            ToyFunction::Y1 => "y1",
            ToyFunction::Y2 => "y2",
        }),
        _ => None,
    }
}

/// The histories of the complete runs, by cell. The runs of a cell are next to each other. A
/// history that cannot be read is added to `unreadable`.
fn histories(runs: &[&RecordedRun], unreadable: &mut Vec<String>) -> Vec<History> {
    // A run without epochs leaves no history.
    let trained = runs.iter().copied();
    let trained: Vec<&RecordedRun> = trained
        .filter(|run| !run.record.status.is_failure() && run.record.epochs > 0)
        .collect();
    let cells = trained.chunk_by(|left, right| left.record.cell == right.record.cell);
    let histories = cells.map(|runs| {
        let mut history = History {
            cell: runs[0].record.cell.clone(),
            family: runs[0].record.family.clone(),
            labels: Task::figures(&runs[0].record.family),
            function: function_of(runs[0]),
            seeds: Vec::new(),
            last: Vec::new(),
        };
        // Each figure of this cell has a line for each seed, and two means.
        let limit = line_points(runs.len() + 2);
        for run in runs {
            match RunHistory::read(&run.dir.history()) {
                Err(error) => unreadable.push(error.to_string()),
                Ok(read) => history.add_seed(&read.rows, limit),
            }
        }
        history
    });
    histories
        .filter(|history| !history.seeds.is_empty())
        .collect()
}
