//! The figure at the top of the page: the test accuracy of all networks.

use kindling_formats::{RunStatus, Study};

use crate::estimate::estimate;
use crate::figures::comparisons::{LOW_ACCURACY, not_shown};
use crate::figures::drawn::{DrawError, Drawn};
use crate::figures::row_plot::{Mark, Row, RowPlot};
use crate::read::RecordedRun;
use crate::spread::Spread;

/// The number that the figure shows.
const OF: &str = "test_accuracy";

/// The confidence of the intervals.
const CONFIDENCE: f64 = 0.95;

/// The mean test accuracies of all cells that have one, with their confidence intervals, beside
/// those of the original study. The runs are in the study's order. `None` if fewer than two cells
/// have an accuracy. A file that cannot be read is added to `unreadable`.
///
/// # Errors
///
/// If the figure cannot be drawn.
pub(crate) fn networks(
    study: &Study,
    runs: &[RecordedRun],
    unreadable: &mut Vec<String>,
) -> Result<Option<Drawn>, DrawError> {
    let is_shown = |run: &&RecordedRun| {
        run.record.status == RunStatus::Complete && run.record.number(OF).is_some()
    };
    let runs: Vec<&RecordedRun> = runs.iter().filter(is_shown).collect();
    let (mut rows, mut low) = (Vec::new(), String::new());
    for runs in runs.chunk_by(|left, right| left.record.cell == right.record.cell) {
        let name = &runs[0].record.cell;
        let values = runs.iter().filter_map(|run| run.record.number(OF));
        let Some(Spread { mean, .. }) = Spread::of(&values.collect::<Vec<_>>()) else {
            continue;
        };
        if mean < LOW_ACCURACY {
            low += &not_shown(name, mean);
            continue;
        }
        let is_random = study.cell(name).is_ok_and(|cell| !cell.is_deterministic());
        let estimate = match estimate(runs, OF, is_random) {
            Ok(estimate) => estimate,
            Err(problem) => {
                unreadable.push(problem);
                None
            }
        };
        let interval = estimate.map(|estimate| estimate.interval(CONFIDENCE));
        let original = study.original().figure(name, OF).map(Mark::Original);
        let marks = [
            interval.map(|(low, high)| Mark::Interval(low, high)),
            Some(Mark::MeanDot(mean)),
            original,
        ];
        rows.push(Row {
            name: name.clone(),
            marks: marks.into_iter().flatten().collect(),
            note: format!("{mean:.4}"),
        });
    }
    if rows.len() < 2 {
        return Ok(None);
    }
    let mut marks = rows.iter().flat_map(|row: &Row| &row.marks);
    let hollow = match marks.any(|mark| matches!(mark, Mark::Original(_))) {
        true => " The hollow marks are the figures of the original study.",
        false => "",
    };
    let plot = RowPlot {
        title: "Test accuracy of all networks".into(),
        x: "test accuracy (share of images)".into(),
        rows,
    };
    Ok(Some(Drawn {
        file: "networks".into(),
        caption: format!(
            "A dot is the mean over seeds, and the line through it is its confidence interval of \
             95 %: seeds and test images count as random.{hollow}{low}"
        ),
        svg: plot.svg()?,
        cells: plot.rows.iter().map(|row| row.name.clone()).collect(),
        title: plot.title,
        data: None,
    }))
}
