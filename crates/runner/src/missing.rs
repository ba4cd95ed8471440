//! Which runs have to train.

use crate::Result;
use crate::cost::cost;
use crate::slot::{Recorded, RunSlot};

/// The runs of a matrix that have to train, and what was found of the others.
#[derive(Debug, Default)]
pub struct Missing {
    /// The runs that have to train. The longest comes first, so that no run trains alone
    /// at the end while the other cores have nothing to do.
    pub runs: Vec<RunSlot>,
    /// How many runs have their result already.
    pub recorded: usize,
    /// How many of the missing runs were begun, and go on from their last checkpoint.
    pub begun: usize,
    /// How many of the missing runs have a result of another config, other data or another
    /// Burn in their place.
    pub outdated: usize,
    /// How many runs of another config were stopped half way in the place of a run.
    pub stopped_with_other_config: usize,
    /// The results that are damaged, by the name of their run, with the reason.
    pub damaged: Vec<(String, String)>,
}

/// Finds the runs that have to train. With `fresh` all of them have to, and what was begun
/// starts again at the first epoch.
///
/// A whole result that a killed process left in its training folder is put in its place,
/// and so is a result that was set aside while the config was another one.
///
/// # Errors
///
/// If a folder cannot be read, renamed or removed.
pub fn missing(runs: &[RunSlot], fresh: bool) -> Result<Missing> {
    let mut found = Missing::default();
    for run in runs {
        run.restore()?;
        found.stopped_with_other_config += usize::from(run.was_begun_with_other_config());
        match run.recorded() {
            Recorded::Complete if !fresh => {
                found.recorded += 1;
                // What lies in the training folder is a failed attempt of another config.
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
    let cost = |run: &RunSlot| cost(&run.config);
    found.runs.sort_by(|a, b| cost(b).total_cmp(&cost(a)));
    Ok(found)
}
