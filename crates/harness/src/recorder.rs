//! What watches a training: it keeps the history, ends a training whose loss is
//! no longer a number, and tells whoever looks on.
//!
//! It stands where burn-train expects a renderer, because a renderer hears of
//! everything in order: every batch, the figures of every split, every epoch.

use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use burn_train::logger::{EvaluationProgressLogger, TrainingProgressLogger};
use burn_train::metric::{MetricDefinition, MetricEntry, MetricId, NumericEntry};
use burn_train::renderer::tui::TuiMetricsRendererWrapper;
use burn_train::renderer::{
    EvaluationName, MetricState, MetricsRenderer, MetricsRendererEvaluation,
    MetricsRendererTraining,
};
use burn_train::{Interrupter, LearnerSummary};
use kindling_formats::{Error, HistoryRow, Progress, RunDir, TimingRow, write_csv};

use crate::RunError;
use crate::stop::is_asked;
use crate::tensorboard::Events;
use crate::terminal::keep_ctrl_c;

/// Who looks on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Display {
    /// A person at a terminal: burn-train's dashboard.
    Dashboard,
    /// A person behind a pipe, or a log: a line an epoch.
    Lines,
    /// The matrix: a [`Progress`] in JSON a few times a second.
    Progress,
}

/// Prints a line of `text`. Where nobody reads any more, training goes on.
pub fn tell(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// Time between two reports within an epoch.
const PROGRESS_EVERY: Duration = Duration::from_millis(250);
const LINES_EVERY: Duration = Duration::from_secs(10);

/// What a training has left so far.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub history: Vec<HistoryRow>,
    pub timing: Vec<TimingRow>,
    /// Why the training cannot go on.
    pub failure: Option<RunError>,
}

/// The figures of one split in the current epoch.
#[derive(Debug, Default)]
struct Split {
    batches: usize,
    loss: Option<f64>,
    accuracy: Option<f64>,
    items: usize,
}

impl Split {
    /// The accuracy in [0, 1]. burn-train averages percentages of batches; the
    /// count of hits behind them is whole.
    fn accuracy(&self) -> Option<f64> {
        let items = self.items as f64;
        self.accuracy
            .map(|percent| (percent / 100.0 * items).round() / items)
    }
}

/// Which split a figure belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Train,
    Test,
}

pub(crate) struct Recorder {
    dir: RunDir,
    learning_rate: f64,
    display: Display,
    dashboard: Option<TuiMetricsRendererWrapper>,
    /// Whether the dashboard says that the training will stop.
    stop_is_shown: bool,
    interrupter: Interrupter,
    /// Who writes for TensorBoard.
    events: Option<Events>,
    log: Arc<Mutex<Log>>,
    loss: MetricId,
    accuracy: MetricId,
    epoch: usize,
    epochs: usize,
    /// The split at work.
    side: Side,
    train: Split,
    test: Split,
    epoch_started: Instant,
    last_told: Instant,
}

impl Recorder {
    pub(crate) fn new(
        dir: RunDir,
        learning_rate: f64,
        display: Display,
        interrupter: Interrupter,
        events: Option<Events>,
        log: Log,
    ) -> Self {
        let metric = |name: &str| MetricId::new(Arc::new(name.to_string()));
        Self {
            dir,
            learning_rate,
            display,
            dashboard: (display == Display::Dashboard).then(|| {
                let dashboard = TuiMetricsRendererWrapper::new(interrupter.clone(), None);
                keep_ctrl_c();
                dashboard
            }),
            stop_is_shown: false,
            interrupter,
            events,
            log: Arc::new(Mutex::new(log)),
            loss: metric("Loss"),
            accuracy: metric("Accuracy"),
            epoch: 1,
            epochs: 0,
            side: Side::Train,
            train: Split::default(),
            test: Split::default(),
            epoch_started: Instant::now(),
            last_told: Instant::now(),
        }
    }

    /// What it writes into while training goes on.
    pub(crate) fn log(&self) -> Arc<Mutex<Log>> {
        self.log.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fail(&self, failure: RunError) {
        let mut log = self.lock();
        if log.failure.is_none() {
            self.interrupter.stop(Some(&failure.to_string()));
            log.failure = Some(failure);
        }
    }

    fn hear(&mut self, side: Side, state: &MetricState) {
        let MetricState::Numeric(MetricEntry { metric_id, .. }, Some(entry)) = state else {
            return;
        };
        let split = match side {
            Side::Train => &mut self.train,
            Side::Test => &mut self.test,
        };
        if *metric_id == self.loss {
            match entry {
                NumericEntry::Final(loss) => split.loss = Some(*loss),
                batch => {
                    split.batches += 1;
                    let loss = batch.current();
                    if !loss.is_finite() {
                        let name = match side {
                            Side::Train => "training",
                            Side::Test => "test",
                        };
                        let failure = format!(
                            "the loss became {loss} in epoch {}, batch {} of the {name} images",
                            self.epoch, split.batches
                        );
                        self.fail(RunError::Diverged(failure));
                    }
                }
            }
        } else if *metric_id == self.accuracy
            && let NumericEntry::Final(percent) = entry
        {
            split.accuracy = Some(*percent);
        }
    }

    /// Adds the row of the epoch that has ended.
    fn close_epoch(&mut self, epoch: usize) {
        let (train, test) = (
            std::mem::take(&mut self.train),
            std::mem::take(&mut self.test),
        );
        let seconds = self.epoch_started.elapsed().as_secs_f64();
        self.epoch_started = Instant::now();
        let (Some(train_loss), Some(test_loss)) = (train.loss, test.loss) else {
            return; // The loss metric failed; burn-train reports that itself.
        };
        let row = HistoryRow {
            epoch,
            learning_rate: self.learning_rate,
            train_loss,
            test_loss,
            train_accuracy: train.accuracy(),
            test_accuracy: test.accuracy(),
        };
        if self.display == Display::Lines {
            tell(&line(&row, self.epochs, seconds));
        }
        let told = match &mut self.events {
            Some(events) => events.epoch(&row),
            None => Ok(()),
        };
        if let Err(error) = told {
            let folder = self.dir.tensorboard();
            self.fail(RunError::Other(
                Error::io("write", &folder)(error).to_string(),
            ));
        }
        let written = {
            let mut log = self.lock();
            log.history.push(row);
            log.timing.push(TimingRow { epoch, seconds });
            write_csv(&self.dir.history(), &log.history)
                .and_then(|()| write_csv(&self.dir.timing(), &log.timing))
        };
        if let Err(error) = written {
            self.fail(RunError::Other(error.to_string()));
        }
        self.tell_progress(1.0);
    }

    /// Reports on an epoch of which `within` in [0, 1] is done.
    fn tell_progress(&mut self, within: f64) {
        self.last_told = Instant::now();
        match self.display {
            Display::Dashboard => {}
            Display::Lines if within < 1.0 => tell(&format!(
                "epoch {:>3}/{}  {:.0} %",
                self.epoch,
                self.epochs,
                100.0 * within
            )),
            Display::Lines => {}
            Display::Progress => {
                let progress = {
                    let log = self.lock();
                    let last = log.history.last();
                    Progress {
                        epoch: self.epoch,
                        epochs: self.epochs,
                        fraction: ((self.epoch - 1) as f64 + within) / self.epochs as f64,
                        train_loss: last.map(|row| row.train_loss),
                        test_loss: last.map(|row| row.test_loss),
                        test_accuracy: last.and_then(|row| row.test_accuracy),
                    }
                };
                tell_json(&progress);
            }
        }
    }
}

/// Prints `progress` as a line of JSON.
pub(crate) fn tell_json(progress: &Progress) {
    if let Ok(json) = serde_json::to_string(progress) {
        tell(&json);
    }
}

/// `epoch   3/20  train 0.1042  96.91 %  test 0.0981  97.02 %  1.9 s`
pub(crate) fn line(row: &HistoryRow, epochs: usize, seconds: f64) -> String {
    let percent = |accuracy: Option<f64>| {
        accuracy.map_or(String::new(), |share| format!("  {:.2} %", 100.0 * share))
    };
    format!(
        "epoch {:>3}/{epochs}  train {:.4}{}  test {:.4}{}  {seconds:.1} s",
        row.epoch,
        row.train_loss,
        percent(row.train_accuracy),
        row.test_loss,
        percent(row.test_accuracy),
    )
}

impl MetricsRendererTraining for Recorder {
    fn update_train(&mut self, state: MetricState) {
        self.hear(Side::Train, &state);
        if let Some(dashboard) = &mut self.dashboard {
            dashboard.update_train(state);
        }
    }

    fn update_valid(&mut self, state: MetricState) {
        self.hear(Side::Test, &state);
        if let Some(dashboard) = &mut self.dashboard {
            dashboard.update_valid(state);
        }
    }

    fn on_train_end(
        &mut self,
        summary: Option<LearnerSummary>,
    ) -> Result<(), Box<dyn std::error::Error>> {
        match &mut self.dashboard {
            Some(dashboard) => dashboard.on_train_end(summary),
            None => Ok(()),
        }
    }
}

impl TrainingProgressLogger for Recorder {
    fn start(
        &mut self,
        total_epochs: usize,
        starting_epoch: usize,
        total_items: Option<usize>,
        label: Option<&str>,
    ) {
        self.epochs = total_epochs;
        self.epoch = starting_epoch;
        self.epoch_started = Instant::now();
        if let Some(dashboard) = &mut self.dashboard {
            dashboard.start(total_epochs, starting_epoch, total_items, label);
        }
        if self.display == Display::Progress {
            self.tell_progress(0.0);
        }
    }

    fn start_split(&mut self, split: &str, total_items: usize) {
        // burn-train calls the second split "valid", whatever it is used for.
        self.side = if split == "train" {
            Side::Train
        } else {
            Side::Test
        };
        match self.side {
            Side::Train => self.train.items = total_items,
            Side::Test => self.test.items = total_items,
        }
        if let Some(dashboard) = &mut self.dashboard {
            dashboard.start_split(split, total_items);
        }
    }

    fn update_split(&mut self, items_processed: usize) {
        if let Some(dashboard) = &mut self.dashboard {
            if is_asked() && !self.stop_is_shown {
                self.stop_is_shown = true;
                let label = "stopping after this epoch";
                dashboard.start(self.epochs, self.epoch, None, Some(label));
            }
            dashboard.update_split(items_processed);
        }
        let every = match self.display {
            Display::Dashboard => return,
            Display::Lines => LINES_EVERY,
            Display::Progress => PROGRESS_EVERY,
        };
        if self.last_told.elapsed() >= every {
            // Evaluation has a third of the arithmetic of training an image, and there are
            // fewer images of it: the training images alone tell the time well.
            let within = match self.side {
                Side::Train => items_processed as f64 / self.train.items.max(1) as f64,
                Side::Test => 1.0,
            };
            self.tell_progress(within.min(0.999));
        }
    }

    fn end_split(&mut self) {
        if let Some(dashboard) = &mut self.dashboard {
            dashboard.end_split();
        }
    }

    fn update_epoch(&mut self, epoch: usize) {
        self.close_epoch(epoch);
        self.epoch = epoch + 1;
        if let Some(dashboard) = &mut self.dashboard {
            dashboard.update_epoch(epoch);
        }
    }

    fn end(&mut self) {
        if let Some(dashboard) = &mut self.dashboard {
            dashboard.end();
        }
    }

    fn log_event_training(&mut self, event: String) {
        if let Some(dashboard) = &mut self.dashboard {
            dashboard.log_event_training(event);
        }
    }
}

impl MetricsRenderer for Recorder {
    fn manual_close(&mut self) {
        if let Some(dashboard) = &mut self.dashboard {
            dashboard.manual_close();
        }
    }

    fn register_metric(&mut self, definition: MetricDefinition) {
        if let Some(dashboard) = &mut self.dashboard {
            dashboard.register_metric(definition);
        }
    }
}

// burn-train's separate evaluation is not used: the test images are evaluated
// after every epoch, as the second split of the training.
impl MetricsRendererEvaluation for Recorder {
    fn update_test(&mut self, _name: EvaluationName, _state: MetricState) {}
}

impl EvaluationProgressLogger for Recorder {
    fn start_global_progress(&mut self, _total_tests: usize) {}
    fn start_test(&mut self, _name: &str, _total_items: usize) {}
    fn update_test_progress(&mut self, _items_processed: usize) {}
    fn end_test(&mut self) {}
    fn end_global_progress(&mut self) {}
    fn log_event_evaluation(&mut self, _event: String) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn_train::metric::SerializedEntry;
    use kindling_formats::read_csv;

    fn recorder(folder: &tempfile::TempDir) -> (Recorder, Interrupter) {
        let interrupter = Interrupter::new();
        let dir = RunDir::new(folder.path());
        let log = Log::default();
        let recorder = Recorder::new(dir, 0.1, Display::Lines, interrupter.clone(), None, log);
        (recorder, interrupter)
    }

    fn figure(name: &str, entry: NumericEntry) -> MetricState {
        let id = MetricId::new(Arc::new(name.to_string()));
        let text = SerializedEntry::new(String::new(), String::new());
        MetricState::Numeric(MetricEntry::new(id, text), Some(entry))
    }

    fn batch(loss: f64) -> MetricState {
        figure(
            "Loss",
            NumericEntry::Aggregated {
                aggregated_value: loss,
                count: 1,
            },
        )
    }

    #[test]
    fn an_epoch_becomes_a_row_with_whole_hits() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (mut recorder, interrupter) = recorder(&folder);
        recorder.start(1, 1, None, None);
        recorder.start_split("train", 3);
        recorder.update_train(batch(0.5));
        recorder.update_train(figure("Loss", NumericEntry::Final(0.25)));
        recorder.update_train(figure("Accuracy", NumericEntry::Final(66.66666)));
        recorder.start_split("valid", 7);
        recorder.update_valid(figure("Loss", NumericEntry::Final(0.75)));
        recorder.update_valid(figure("Accuracy", NumericEntry::Final(100.0)));
        recorder.update_epoch(1);
        let rows: Vec<HistoryRow> =
            read_csv(&RunDir::new(folder.path()).history()).expect("a history");
        let expected = HistoryRow {
            epoch: 1,
            learning_rate: 0.1,
            train_loss: 0.25,
            test_loss: 0.75,
            train_accuracy: Some(2.0 / 3.0),
            test_accuracy: Some(1.0),
        };
        assert_eq!(rows, [expected]);
        assert!(!interrupter.should_stop());
    }

    #[test]
    fn a_loss_that_is_no_number_stops_the_training_where_it_happened() {
        for (loss, name) in [(f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let (mut recorder, interrupter) = recorder(&folder);
            recorder.start(9, 1, None, None);
            recorder.update_epoch(1);
            recorder.start_split("train", 3);
            for loss in [1.0, 2.0, loss, f64::NAN] {
                recorder.update_train(batch(loss));
            }
            assert!(interrupter.should_stop());
            let failure = recorder.lock().failure.take().expect("a failure");
            let words = format!("the loss became {name} in epoch 2, batch 3 of the training");
            assert!(failure.to_string().starts_with(&words), "{failure}");
        }
    }
}
