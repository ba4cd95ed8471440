//! The mean of a number over runs of one cell, with its sources of error.

use crate::judge::{Estimate, MeanSquares, Scale};
use crate::read::{RecordedRun, TestImages};

/// The estimate of the mean of the number `of` over complete runs of one cell. It counts seeds and
/// test images as random, or seeds alone if a run left no results of each image. `None` if neither
/// shows a spread, or if there is one run although the cell `is_random`.
///
/// # Errors
///
/// If a file cannot be read. The error names the file.
pub(crate) fn estimate(
    runs: &[&RecordedRun],
    of: &str,
    is_random: bool,
) -> Result<Option<Estimate>, String> {
    if runs.len() == 1 && is_random {
        return Ok(None);
    }
    let mut table = Vec::new();
    for run in runs {
        let images = TestImages::read(run).map_err(|error| error.to_string())?;
        let Some(values) = images.as_ref().and_then(|images| images.of(of)) else {
            return Ok(by_seeds(runs, of));
        };
        table.push(values.iter().copied().map(f64::from).collect());
    }
    Ok(MeanSquares::of(&table)
        .map(|squares| squares.estimate(Scale::Linear))
        .or_else(|| by_seeds(runs, of)))
}

fn by_seeds(runs: &[&RecordedRun], of: &str) -> Option<Estimate> {
    let values = runs.iter().filter_map(|run| run.record.number(of));
    Estimate::by_seeds(&values.collect::<Vec<_>>(), Scale::Linear)
}
