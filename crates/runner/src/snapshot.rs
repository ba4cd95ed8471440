//! The progress of a matrix, read from the files of its runs. Reading takes no lock and writes
//! nothing, so any process can do it at any time.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::PathBuf;
use std::time::SystemTime;

use kindling_formats::{History, Layout, RunDir, Split, TimingRow, read_csv};
use serde::Serialize;

use crate::Result;
use crate::manifest::{Manifest, ManifestRun};

/// All runs of a matrix at one moment.
#[derive(Debug, Serialize)]
pub struct Snapshot {
    /// How many runs are complete.
    pub done: usize,
    /// How many runs have begun and not ended. They are training or were stopped.
    pub begun: usize,
    /// How many runs have failed.
    pub failed: usize,
    /// How many runs have not begun.
    pub waiting: usize,
    /// Estimated seconds until all runs have ended, from the times of the complete runs.
    /// `None` if there is nothing to estimate or no run to estimate it from.
    pub seconds_left: Option<f64>,
    /// The runs in the order of the study.
    pub runs: Vec<RunSnapshot>,
}

/// One run in a [`Snapshot`].
#[derive(Debug, Clone, Serialize)]
pub struct RunSnapshot {
    /// The name of the cell.
    pub cell: String,
    /// The seed.
    pub seed: u64,
    /// Whether the run waits, trains, or has ended.
    pub stage: Stage,
    /// The number of complete epochs.
    pub epoch: usize,
    /// The number of epochs of the whole run.
    pub epochs: usize,
    /// The split on which the run is evaluated: `test`, or `validation` for a trial. It is
    /// `test` as long as no file of the run says it.
    pub split: Split,
    /// The mean loss on this split after each epoch. A complete run has only its last loss
    /// here.
    pub losses: Vec<f64>,
    /// The accuracy on this split after the last complete epoch, in [0, 1].
    pub accuracy: Option<f64>,
    /// Seconds that the run has taken; `None` if no file says it.
    pub seconds: Option<f64>,
    /// Estimated seconds until the run ends, from the times of its own epochs.
    pub seconds_left: Option<f64>,
    /// Seconds since a run that has begun wrote its last file.
    pub seconds_since_write: Option<f64>,
    /// Why the run failed.
    pub error: Option<String>,
}

/// The state of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// It has not begun.
    Waiting,
    /// It is training, or it was stopped before its last epoch.
    Begun,
    /// It is complete.
    Done,
    /// It has failed.
    Failed,
}

impl Snapshot {
    /// Reads the progress of the matrix in the folder that `layout` describes.
    ///
    /// # Errors
    ///
    /// [`crate::RunnerError::NoMatrix`] if no matrix was started there, and another error if
    /// its manifest cannot be read.
    pub fn read(layout: &Layout) -> Result<Self> {
        Watcher::new(layout).snapshot()
    }
}

/// Reads snapshots of one matrix, one after another. The record of a complete run is read only
/// once, unless its file changes: a matrix can have thousands of them.
#[derive(Debug)]
pub struct Watcher {
    layout: Layout,
    /// What the records say that were read, by their paths, each with the time at which its file
    /// was written and the size of the file in bytes.
    known: HashMap<PathBuf, ((SystemTime, u64), Finished)>,
}

/// What a snapshot needs of the record of a finished run.
#[derive(Debug)]
struct Finished {
    config_hash: String,
    data_fingerprint: String,
    seconds: f64,
    split: Split,
    loss: Option<f64>,
    accuracy: Option<f64>,
}

impl Finished {
    fn read(dir: &RunDir) -> Option<Self> {
        let record = dir.read_record().ok()??;
        Some(Self {
            seconds: record.seconds,
            split: record.evaluated_split(),
            loss: record.evaluated_loss(),
            accuracy: record.evaluated_accuracy(),
            config_hash: record.config_hash,
            data_fingerprint: record.data_fingerprint,
        })
    }
}

impl Watcher {
    /// Watches the matrix in the folder that `layout` describes.
    pub fn new(layout: &Layout) -> Self {
        Self {
            layout: layout.clone(),
            known: HashMap::new(),
        }
    }

    /// Reads the progress of the matrix.
    ///
    /// # Errors
    ///
    /// As [`Snapshot::read`].
    pub fn snapshot(&mut self) -> Result<Snapshot> {
        let manifest = Manifest::read(&self.layout)?;
        let runs = manifest.runs.iter().map(|run| self.read_run(run));
        let runs: Vec<RunSnapshot> = runs.collect();
        let count = |stage| runs.iter().filter(|run| run.stage == stage).count();
        Ok(Snapshot {
            done: count(Stage::Done),
            begun: count(Stage::Begun),
            failed: count(Stage::Failed),
            waiting: count(Stage::Waiting),
            seconds_left: seconds_left(&manifest, &runs),
            runs,
        })
    }

    fn read_run(&mut self, listed: &ManifestRun) -> RunSnapshot {
        let (cell, seed) = (&listed.cell, listed.seed);
        let waiting = RunSnapshot::waiting(listed);
        if let Some(run) = read_training(&waiting, &self.layout.partial(cell, seed)) {
            return run;
        }
        let is_of_listed = |run: &&Finished| {
            run.config_hash == listed.config_hash && run.data_fingerprint == listed.data_fingerprint
        };
        let finished = self.layout.finished(cell, seed);
        match self.finished(&finished).filter(is_of_listed) {
            Some(run) => RunSnapshot {
                stage: Stage::Done,
                epoch: listed.epochs,
                seconds: Some(run.seconds),
                split: run.split,
                losses: run.loss.into_iter().collect(),
                accuracy: run.accuracy,
                ..waiting
            },
            None => waiting,
        }
    }

    /// What the record of a finished run says; `None` if it cannot be read.
    fn finished(&mut self, dir: &RunDir) -> Option<&Finished> {
        let path = dir.record();
        let file = path.metadata().ok()?;
        let state = (file.modified().ok()?, file.len());
        match self.known.entry(path) {
            Entry::Occupied(known) if known.get().0 == state => Some(&known.into_mut().1),
            Entry::Occupied(mut known) => {
                known.insert((state, Finished::read(dir)?));
                Some(&known.into_mut().1)
            }
            Entry::Vacant(new) => Some(&new.insert((state, Finished::read(dir)?)).1),
        }
    }
}

/// Estimated seconds until all runs have ended, from the times of the complete runs.
fn seconds_left(manifest: &Manifest, runs: &[RunSnapshot]) -> Option<f64> {
    let pairs = || manifest.runs.iter().zip(runs);
    let is_open = |run: &RunSnapshot| matches!(run.stage, Stage::Begun | Stage::Waiting);
    if !runs.iter().any(is_open) {
        return None;
    }
    let (mut cost, mut seconds) = (0.0, 0.0);
    for (listed, run) in pairs().filter(|(_, run)| run.stage == Stage::Done) {
        cost += listed.cost;
        seconds += run.seconds?;
    }
    let seconds_per_cost = (cost > 0.0).then_some(seconds / cost);
    let mut left = 0.0;
    for (listed, run) in pairs() {
        left += match run.stage {
            Stage::Done | Stage::Failed => 0.0,
            Stage::Waiting => listed.cost * seconds_per_cost?,
            Stage::Begun => match run.seconds_left {
                Some(seconds) => seconds,
                None => listed.cost * seconds_per_cost?,
            },
        };
    }
    Some(left / manifest.jobs.max(1) as f64)
}

impl RunSnapshot {
    /// A run that has not begun.
    fn waiting(listed: &ManifestRun) -> Self {
        Self {
            cell: listed.cell.clone(),
            seed: listed.seed,
            stage: Stage::Waiting,
            epoch: 0,
            epochs: listed.epochs,
            split: Split::Test,
            losses: Vec::new(),
            accuracy: None,
            seconds: None,
            seconds_left: None,
            seconds_since_write: None,
            error: None,
        }
    }
}

/// The progress of a run in its training folder; `None` if it does not train.
fn read_training(waiting: &RunSnapshot, training: &RunDir) -> Option<RunSnapshot> {
    // Errors are ignored: a file may be replaced at this moment, and is read again later.
    if let Ok(Some(record)) = training.read_record()
        && record.status.is_failure()
    {
        return Some(RunSnapshot {
            stage: Stage::Failed,
            seconds: Some(record.seconds),
            error: record.error,
            ..with_history(waiting.clone(), training)
        });
    }
    if !training.config().exists() {
        return None;
    }
    let run = with_history(waiting.clone(), training);
    let epochs_left = run.epochs.saturating_sub(run.epoch) as f64;
    let seconds_left = |spent: f64| epochs_left * spent / run.epoch as f64;
    Some(RunSnapshot {
        stage: Stage::Begun,
        seconds_left: run.seconds.map(seconds_left),
        seconds_since_write: seconds_since_write(training),
        ..run
    })
}

/// Adds the losses, accuracies and times of the complete epochs from the files of the run.
fn with_history(run: RunSnapshot, dir: &RunDir) -> RunSnapshot {
    let history = History::read(&dir.history()).unwrap_or(History::new(run.split));
    let timing: Vec<TimingRow> = read_csv(&dir.timing()).unwrap_or_default();
    let seconds: f64 = timing.iter().map(|row| row.seconds).sum();
    let last = history.rows.last();
    RunSnapshot {
        epoch: last.map_or(0, |row| row.epoch),
        split: history.split,
        accuracy: last.and_then(|row| row.evaluated_accuracy),
        losses: history.rows.iter().map(|row| row.evaluated_loss).collect(),
        seconds: (!timing.is_empty()).then_some(seconds),
        ..run
    }
}

/// Seconds since the newest file of a run was written.
fn seconds_since_write(dir: &RunDir) -> Option<f64> {
    let entries = std::fs::read_dir(dir.path()).ok()?;
    let times = entries.filter_map(|entry| entry.ok()?.metadata().ok()?.modified().ok());
    let age = SystemTime::now().duration_since(times.max()?);
    Some(age.unwrap_or_default().as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(stage: Stage, seconds: Option<f64>, seconds_left: Option<f64>) -> RunSnapshot {
        RunSnapshot {
            cell: "mlp".into(),
            seed: 0,
            stage,
            epoch: 0,
            epochs: 10,
            split: Split::Test,
            losses: Vec::new(),
            accuracy: None,
            seconds,
            seconds_left,
            seconds_since_write: None,
            error: None,
        }
    }

    #[test]
    fn the_time_left_is_estimated_from_complete_runs() {
        let listed = |cost| ManifestRun {
            cell: "mlp".into(),
            seed: 0,
            epochs: 10,
            cost,
            config_hash: String::new(),
            data_fingerprint: String::new(),
        };
        let manifest = Manifest {
            jobs: 2,
            runs: [10.0, 30.0, 20.0, 5.0].map(listed).into(),
        };
        let runs = [
            run(Stage::Done, Some(5.0), None),
            run(Stage::Waiting, None, None),
            run(Stage::Begun, Some(1.0), Some(4.0)),
            run(Stage::Failed, Some(1.0), None),
        ];
        // The complete run took 0.5 seconds per unit of cost. Left are 30 units and 4 seconds,
        // and two runs train at a time.
        assert_eq!(seconds_left(&manifest, &runs), Some(9.5));
        assert_eq!(seconds_left(&manifest, &runs[1..2]), None);
    }
}
