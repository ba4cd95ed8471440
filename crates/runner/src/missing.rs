//! Finds the runs that have no result yet.

use crate::Result;
use crate::cost::cost;
use crate::slot::{Recorded, RunSlot};

/// The runs of a matrix that have to train, and how many others were found in which state.
#[derive(Debug, Default)]
pub struct Missing {
    /// The runs that have to train. The longest comes first, so that no run trains alone
    /// at the end while the other cores have nothing to do.
    pub runs: Vec<RunSlot>,
    /// How many runs have their result already. A trial that diverged is among them.
    pub recorded: usize,
    /// How many of the missing runs were started before, and continue from their last
    /// checkpoint.
    pub begun: usize,
    /// How many of the missing runs have a result folder with a result of another config, of
    /// other data or of another version of Burn.
    pub outdated: usize,
    /// How many runs have a training folder with a stopped training of another config.
    pub stopped_with_other_config: usize,
    /// The damaged results: the name of each run, and what is damaged.
    pub damaged: Vec<(String, String)>,
}

/// Finds the runs that have to train. With `fresh` all of them have to, from the first epoch.
///
/// First it restores results: a complete result that a killed process left in the training
/// folder, or that was set aside while the run had another config, becomes the run's result
/// again.
///
/// # Errors
///
/// If a folder cannot be read, renamed or removed.
pub fn missing(runs: &[RunSlot], fresh: bool) -> Result<Missing> {
    let mut found = Missing::default();
    for run in runs {
        run.restore()?;
        found.stopped_with_other_config += usize::from(run.was_begun_with_other_config());
        let recorded = run.recorded();
        if !fresh && recorded != Recorded::Complete && run.has_diverged() {
            found.recorded += 1;
            continue;
        }
        match recorded {
            Recorded::Complete if !fresh => {
                found.recorded += 1;
                // The run has a result, so an attempt in the training folder is not needed.
                run.clear_training_folder()?;
                continue;
            }
            Recorded::Complete | Recorded::Nothing => {}
            Recorded::Outdated => found.outdated += 1,
            Recorded::Damaged(reason) => found.damaged.push((run.name(), reason)),
        }
        if fresh {
            run.clear_training_folder()?;
            run.remove_training_folder()?;
        }
        found.begun += usize::from(run.was_begun());
        found.runs.push(run.clone());
    }
    let cost = |run: &RunSlot| cost(&run.config, run.data.info.as_ref());
    found.runs.sort_by(|a, b| cost(b).total_cmp(&cost(a)));
    Ok(found)
}
