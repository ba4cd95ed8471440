//! How far a matrix is, by the files that its runs leave. Nothing is written, and no
//! lock is taken, so anybody can look on at any time.

use std::time::SystemTime;

use kindling_formats::{HistoryRow, Layout, RunDir, RunStatus, TimingRow, read_csv};
use serde::Serialize;

use crate::plan::{Plan, Planned};

/// A matrix at a moment.
#[derive(Debug, Serialize)]
pub struct State {
    /// How many runs are finished,
    pub done: usize,
    /// have begun, and not ended,
    pub begun: usize,
    /// have failed,
    pub failed: usize,
    /// or wait.
    pub waiting: usize,
    /// Seconds until all are finished, if they go on as those before.
    pub seconds_left: Option<f64>,
    /// In the study's order.
    pub runs: Vec<Seen>,
}

/// What is seen of a run.
#[derive(Debug, Clone, Serialize)]
pub struct Seen {
    /// Its cell.
    pub cell: String,
    /// Its seed.
    pub seed: u64,
    /// Where it is.
    pub stage: Stage,
    /// The last whole epoch.
    pub epoch: usize,
    /// Of how many.
    pub epochs: usize,
    /// Mean losses on the test images, an epoch each.
    pub test_losses: Vec<f64>,
    /// The last accuracy on them, in [0, 1].
    pub test_accuracy: Option<f64>,
    /// Seconds it has taken, as far as is known.
    pub seconds: Option<f64>,
    /// Seconds until its end, if its epochs go on as they did.
    pub seconds_left: Option<f64>,
    /// Seconds since it last wrote a file, if it has begun.
    pub silent: Option<f64>,
    /// Why it failed.
    pub error: Option<String>,
}

/// Where a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Not begun.
    Waiting,
    /// Training, or stopped.
    Begun,
    /// Finished.
    Done,
    /// Failed.
    Failed,
}

impl State {
    /// Looks at the tree of a matrix.
    ///
    /// # Errors
    ///
    /// If none has begun there.
    pub fn read(layout: &Layout) -> anyhow::Result<Self> {
        let plan = Plan::read(layout)?;
        let runs: Vec<Seen> = plan.runs.iter().map(|run| look(run, layout)).collect();
        let count = |stage| runs.iter().filter(|run| run.stage == stage).count();
        Ok(Self {
            done: count(Stage::Done),
            begun: count(Stage::Begun),
            failed: count(Stage::Failed),
            waiting: count(Stage::Waiting),
            seconds_left: seconds_left(&plan, &runs),
            runs,
        })
    }
}

/// Seconds for all that is not ended, at the pace of what is done.
fn seconds_left(plan: &Plan, runs: &[Seen]) -> Option<f64> {
    let pairs = || plan.runs.iter().zip(runs);
    if !runs
        .iter()
        .any(|seen| matches!(seen.stage, Stage::Begun | Stage::Waiting))
    {
        return None;
    }
    let (mut cost, mut seconds) = (0.0, 0.0);
    for (planned, seen) in pairs().filter(|(_, seen)| seen.stage == Stage::Done) {
        cost += planned.cost;
        seconds += seen.seconds?;
    }
    let pace = (cost > 0.0).then_some(seconds / cost);
    let mut left = 0.0;
    for (planned, seen) in pairs() {
        left += match seen.stage {
            Stage::Done | Stage::Failed => 0.0,
            Stage::Waiting => planned.cost * pace?,
            Stage::Begun => match seen.seconds_left {
                Some(seconds) => seconds,
                None => planned.cost * pace?,
            },
        };
    }
    Some(left / plan.jobs.max(1) as f64)
}

fn look(planned: &Planned, layout: &Layout) -> Seen {
    let (cell, seed) = (&planned.cell, planned.seed);
    let blank = Seen {
        cell: cell.clone(),
        seed,
        stage: Stage::Waiting,
        epoch: 0,
        epochs: planned.epochs,
        test_losses: Vec::new(),
        test_accuracy: None,
        seconds: None,
        seconds_left: None,
        silent: None,
        error: None,
    };
    let partial = layout.partial(cell, seed);
    // A file that is being replaced, or that is damaged, is looked at the next time.
    if let Ok(Some(record)) = partial.read_record()
        && record.status == RunStatus::Failed
    {
        return Seen {
            stage: Stage::Failed,
            seconds: Some(record.seconds),
            error: record.error,
            ..followed(blank, &partial)
        };
    }
    if partial.config().exists() {
        let seen = followed(blank, &partial);
        let epochs = seen.epochs.saturating_sub(seen.epoch) as f64;
        return Seen {
            stage: Stage::Begun,
            seconds_left: seen.seconds.map(|spent| epochs * spent / seen.epoch as f64),
            silent: silent(&partial),
            ..seen
        };
    }
    match layout.finished(cell, seed).read_record() {
        Ok(Some(record))
            if record.config_hash == planned.config_hash
                && record.data_fingerprint == planned.data_fingerprint =>
        {
            Seen {
                stage: Stage::Done,
                epoch: planned.epochs,
                seconds: Some(record.seconds),
                test_losses: record.test_loss.into_iter().collect(),
                test_accuracy: record.test_accuracy,
                ..blank
            }
        }
        _ => blank,
    }
}

/// Adds what the run has written of its epochs.
fn followed(seen: Seen, run: &RunDir) -> Seen {
    let history: Vec<HistoryRow> = read_csv(&run.history()).unwrap_or_default();
    let timing: Vec<TimingRow> = read_csv(&run.timing()).unwrap_or_default();
    let spent: f64 = timing.iter().map(|row| row.seconds).sum();
    Seen {
        epoch: history.last().map_or(0, |row| row.epoch),
        test_accuracy: history.last().and_then(|row| row.test_accuracy),
        test_losses: history.iter().map(|row| row.test_loss).collect(),
        seconds: (!timing.is_empty()).then_some(spent),
        ..seen
    }
}

/// Seconds since the newest file of a run was written.
fn silent(run: &RunDir) -> Option<f64> {
    let entries = std::fs::read_dir(run.path()).ok()?;
    let times = entries.filter_map(|entry| entry.ok()?.metadata().ok()?.modified().ok());
    let age = SystemTime::now().duration_since(times.max()?);
    Some(age.unwrap_or_default().as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(stage: Stage, seconds: Option<f64>, seconds_left: Option<f64>) -> Seen {
        Seen {
            cell: "mlp".into(),
            seed: 0,
            stage,
            epoch: 0,
            epochs: 10,
            test_losses: Vec::new(),
            test_accuracy: None,
            seconds,
            seconds_left,
            silent: None,
            error: None,
        }
    }

    #[test]
    fn the_time_left_is_at_the_pace_of_what_is_done() {
        let planned = |cost| Planned {
            cell: "mlp".into(),
            seed: 0,
            epochs: 10,
            cost,
            config_hash: String::new(),
            data_fingerprint: String::new(),
        };
        let plan = Plan {
            jobs: 2,
            runs: [10.0, 30.0, 20.0, 5.0].map(planned).into(),
        };
        let runs = [
            seen(Stage::Done, Some(5.0), None),
            seen(Stage::Waiting, None, None),
            seen(Stage::Begun, Some(1.0), Some(4.0)),
            seen(Stage::Failed, Some(1.0), None),
        ];
        // (30 / 2 + 4) seconds for two at a time.
        assert_eq!(seconds_left(&plan, &runs), Some(9.5));
        assert_eq!(seconds_left(&plan, &runs[1..2]), None);
    }
}
