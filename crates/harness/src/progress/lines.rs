//! The progress of a training as lines of text or as JSON.

use std::time::{Duration, Instant};

use kindling_formats::{HistoryRow, Progress, Split};

use super::display::{ProgressDisplay, report_progress};

/// The time between two reports as JSON.
const JSON_INTERVAL: Duration = Duration::from_millis(250);
/// The time between two reports as a line of text within an epoch.
const LINES_INTERVAL: Duration = Duration::from_secs(10);

/// Prints the progress of a training in the form that its [`ProgressDisplay`] asks for.
pub(crate) struct ProgressLines {
    display: ProgressDisplay,
    /// The split on which the training is evaluated.
    evaluated: Split,
    last_report: Instant,
}

/// The current position of a training.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Position {
    /// The current epoch, from 1.
    pub epoch: usize,
    /// The number of epochs of the whole training.
    pub epochs: usize,
    /// The part of the current epoch that is done, in [0, 1].
    pub within: f64,
}

impl ProgressLines {
    pub(crate) fn new(display: ProgressDisplay, evaluated: Split) -> Self {
        Self {
            display,
            evaluated,
            last_report: Instant::now(),
        }
    }

    /// Reports the start of a training. `last` is the row of the last finished epoch, if the
    /// training is resumed.
    pub(crate) fn report_start(&mut self, position: Position, last: Option<&HistoryRow>) {
        if self.display == ProgressDisplay::Json {
            self.report(position, last);
        }
    }

    /// Whether it is time for the next report.
    pub(crate) fn is_due(&self) -> bool {
        let interval = match self.display {
            ProgressDisplay::Dashboard => return false,
            ProgressDisplay::Lines => LINES_INTERVAL,
            ProgressDisplay::Json => JSON_INTERVAL,
        };
        self.last_report.elapsed() >= interval
    }

    /// Reports the current position. `last` is the row of the last finished epoch.
    pub(crate) fn report(&mut self, position: Position, last: Option<&HistoryRow>) {
        self.last_report = Instant::now();
        let Position {
            epoch,
            epochs,
            within,
        } = position;
        match self.display {
            ProgressDisplay::Dashboard => {}
            ProgressDisplay::Lines if within < 1.0 => report_progress(&format!(
                "epoch {epoch:>3}/{epochs}  {:.0} %",
                100.0 * within
            )),
            // `report_epoch` prints the line of a finished epoch.
            ProgressDisplay::Lines => {}
            ProgressDisplay::Json => print_json(&Progress {
                epoch,
                epochs,
                fraction: ((epoch - 1) as f64 + within) / epochs as f64,
                train_loss: last.map(|row| row.train_loss),
                evaluated_loss: last.map(|row| row.evaluated_loss),
                evaluated_accuracy: last.and_then(|row| row.evaluated_accuracy),
            }),
        }
    }

    /// Prints the figures of a finished epoch that took `seconds`.
    pub(crate) fn report_epoch(&self, row: &HistoryRow, epochs: usize, seconds: f64) {
        if self.display == ProgressDisplay::Lines {
            report_progress(&epoch_line(row, self.evaluated, epochs, seconds));
        }
    }
}

/// Prints `progress` as a line of JSON.
pub(crate) fn print_json(progress: &Progress) {
    if let Ok(json) = serde_json::to_string(progress) {
        report_progress(&json);
    }
}

/// The line of a finished epoch. For a trial it says `validation` in the place of `test`:
/// `epoch   3/20  train 0.1042  96.91 %  test 0.0981  97.02 %  1.9 s`
fn epoch_line(row: &HistoryRow, evaluated: Split, epochs: usize, seconds: f64) -> String {
    let percent = |accuracy: Option<f64>| {
        accuracy.map_or(String::new(), |share| format!("  {:.2} %", 100.0 * share))
    };
    format!(
        "epoch {:>3}/{epochs}  train {:.4}{}  {evaluated} {:.4}{}  {seconds:.1} s",
        row.epoch,
        row.train_loss,
        percent(row.train_accuracy),
        row.evaluated_loss,
        percent(row.evaluated_accuracy),
    )
}
