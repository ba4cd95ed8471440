//! Says how long a training will take, and how much disk, before it begins.

use kindling_formats::{Layout, Study};
use kindling_runner::{Basis, EarlierRuns, Estimate, RunSlot, estimate};

use super::workspace;
use crate::ui::{self, output};

/// A training that takes at most this many seconds is not announced.
const SHORT: f64 = 60.0;

/// The seconds that it takes to train `runs`, `jobs` at a time; `None` if no run is recorded or
/// published by which this could be estimated.
pub fn estimated_seconds(
    study: &Study,
    earlier: &EarlierRuns,
    runs: &[RunSlot],
    jobs: usize,
) -> Option<f64> {
    estimate_of(study, earlier, runs, jobs).map(|estimate| estimate.seconds)
}

fn estimate_of(
    study: &Study,
    earlier: &EarlierRuns,
    runs: &[RunSlot],
    jobs: usize,
) -> Option<Estimate> {
    let published = workspace::root().join("artifacts/reference/results.csv");
    estimate(runs, jobs, study, earlier, &published)
}

/// Prints how long it will take to train `runs`, `jobs` at a time, and how much disk the results
/// will take, if it is more than a minute.
pub fn announce(study: &Study, layout: &Layout, runs: &[RunSlot], jobs: usize) {
    if runs.is_empty() {
        return;
    }
    let estimate = estimate_of(study, &EarlierRuns::read(layout), runs, jobs);
    if let Some(estimate) = estimate.filter(|estimate| estimate.seconds > SHORT) {
        output::note(sentence(&estimate, runs.len()));
    }
}

/// The estimate for a number of runs as a sentence.
fn sentence(estimate: &Estimate, runs: usize) -> String {
    let disk = match estimate.bytes {
        Some(bytes) => format!(" and {} of disk", ui::bytes(bytes)),
        None => String::new(),
    };
    let basis = match estimate.basis {
        Basis::SameCells => "judged by runs recorded here",
        Basis::OtherCells => "judged by runs recorded here, also of other cells",
        Basis::Published => "judged by the published runs, which another machine trained",
    };
    format!(
        "training {} will take about {}{disk}, {basis}",
        ui::count(runs, "run"),
        ui::duration(estimate.seconds)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_says_time_disk_and_what_it_is_judged_by() {
        let of = |seconds, bytes, basis| {
            let estimate = Estimate {
                seconds,
                bytes,
                basis,
            };
            sentence(&estimate, 12)
        };
        assert_eq!(
            of(12_040.0, Some(1.44e9), Basis::SameCells),
            "training 12 runs will take about 3 hours 21 minutes and 1.4 GB of disk, judged by \
             runs recorded here"
        );
        assert_eq!(
            of(61.0, None, Basis::Published),
            "training 12 runs will take about 1 minute, judged by the published runs, \
             which another machine trained"
        );
    }
}
