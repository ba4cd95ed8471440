//! The adapter between burn-train's callbacks and our history, guard, progress and
//! TensorBoard files.
//!
//! burn-train treats the adapter as a renderer, because a renderer receives all figures in
//! order: those of every batch, of every split and of every epoch.

use std::sync::Arc;
use std::time::Instant;

use burn_train::logger::{EvaluationProgressLogger, TrainingProgressLogger};
use burn_train::metric::{MetricDefinition, MetricEntry, MetricId, NumericEntry};
use burn_train::renderer::tui::TuiMetricsRendererWrapper;
use burn_train::renderer::{
    EvaluationName, MetricState, MetricsRenderer, MetricsRendererEvaluation,
    MetricsRendererTraining,
};
use burn_train::{Interrupter, LearnerSummary};
use kindling_formats::{Error, HistoryRow, RunDir, Split};

use super::history::{SharedLog, SplitFigures};
use super::loss_guard::LossGuard;
use super::stop_request::stop_is_requested;
use crate::error::RunError;
use crate::progress::{Dashboard, Position, ProgressDisplay, ProgressLines};
use crate::tensorboard::EventWriter;

/// The largest part of an epoch that is reported as done before the epoch has ended.
const ALMOST_DONE: f64 = 0.999;

/// The arguments of [`BurnTrainAdapter::new`].
pub(super) struct AdapterParts {
    /// The folder of the run.
    pub dir: RunDir,
    /// How progress is shown.
    pub display: ProgressDisplay,
    /// Stops burn-train's loop after an error.
    pub interrupter: Interrupter,
    /// The writer for TensorBoard, if the run has one.
    pub events: Option<EventWriter>,
    /// The log. If the training is resumed, it already holds the finished epochs.
    pub log: SharedLog,
}

/// Receives burn-train's callbacks; see the description at the top of this file.
pub(super) struct BurnTrainAdapter {
    dir: RunDir,
    interrupter: Interrupter,
    events: Option<EventWriter>,
    log: SharedLog,
    lines: ProgressLines,
    dashboard: Option<Dashboard>,
    guard: LossGuard,
    /// The ids by which burn-train names the metrics that the history holds.
    loss_id: MetricId,
    accuracy_id: MetricId,
    rate_id: MetricId,
    /// The learning rate of the last step.
    learning_rate: Option<f64>,
    epoch: usize,
    epochs: usize,
    epoch_started: Instant,
    /// The split that burn-train calls "valid": the images on which the training is
    /// evaluated.
    evaluated_split: Split,
    current_split: Split,
    train: SplitFigures,
    evaluated: SplitFigures,
}

impl BurnTrainAdapter {
    pub(super) fn new(parts: AdapterParts) -> Self {
        let metric_id = |name: &str| MetricId::new(Arc::new(name.to_string()));
        let AdapterParts {
            dir,
            display,
            interrupter,
            events,
            log,
        } = parts;
        let evaluated_split = log.lock().history.split;
        Self {
            dir,
            dashboard: (display == ProgressDisplay::Dashboard)
                .then(|| Dashboard::open(interrupter.clone())),
            interrupter,
            events,
            log,
            lines: ProgressLines::new(display, evaluated_split),
            guard: LossGuard::default(),
            loss_id: metric_id("Loss"),
            accuracy_id: metric_id("Accuracy"),
            rate_id: metric_id("Learning Rate"),
            learning_rate: None,
            epoch: 1,
            epochs: 0,
            epoch_started: Instant::now(),
            evaluated_split,
            current_split: Split::Train,
            train: SplitFigures::default(),
            evaluated: SplitFigures::default(),
        }
    }

    fn figures(&mut self, split: Split) -> &mut SplitFigures {
        match split {
            Split::Train => &mut self.train,
            Split::Validation | Split::Test => &mut self.evaluated,
        }
    }

    /// Takes a figure that burn-train has computed: the loss or learning rate of a batch, or
    /// the loss or accuracy of a whole split.
    fn take_figure(&mut self, split: Split, state: &MetricState) {
        let MetricState::Numeric(MetricEntry { metric_id, .. }, Some(entry)) = state else {
            return;
        };
        if *metric_id == self.loss_id {
            match entry {
                NumericEntry::Final(loss) => self.figures(split).loss = Some(*loss),
                batch => {
                    if let Err(error) = self.guard.check(split, self.epoch, batch.current()) {
                        self.log.fail(error, &self.interrupter);
                    }
                }
            }
        } else if *metric_id == self.accuracy_id
            && let NumericEntry::Final(percent) = entry
        {
            self.figures(split).accuracy_percent = Some(*percent);
        } else if *metric_id == self.rate_id && !matches!(entry, NumericEntry::Final(_)) {
            // The final figure is the mean of the epoch.
            self.learning_rate = Some(entry.current());
        }
    }

    /// Adds the row of an epoch that has ended, and reports it.
    fn close_epoch(&mut self, epoch: usize) {
        let (train, evaluated) = (
            std::mem::take(&mut self.train),
            std::mem::take(&mut self.evaluated),
        );
        self.guard.start_epoch();
        let seconds = self.epoch_started.elapsed().as_secs_f64();
        self.epoch_started = Instant::now();
        let (Some(train_loss), Some(evaluated_loss), Some(learning_rate)) =
            (train.loss, evaluated.loss, self.learning_rate)
        else {
            return; // A metric has failed. burn-train reports this itself.
        };
        let row = HistoryRow {
            epoch,
            learning_rate,
            train_loss,
            evaluated_loss,
            train_accuracy: train.accuracy(),
            evaluated_accuracy: evaluated.accuracy(),
        };
        self.lines.report_epoch(&row, self.epochs, seconds);
        let logged = match &mut self.events {
            Some(events) => events.write_epoch(&row),
            None => Ok(()),
        };
        if let Err(error) = logged {
            let error = Error::io("write", &self.dir.tensorboard())(error);
            let failure = RunError::Other(error.to_string());
            self.log.fail(failure, &self.interrupter);
        }
        let added = self.log.lock().add_epoch(row, seconds, &self.dir);
        if let Err(error) = added {
            let failure = RunError::Other(error.to_string());
            self.log.fail(failure, &self.interrupter);
        }
        let position = self.position(1.0);
        let last = self.last_row();
        self.lines.report(position, last.as_ref());
    }

    /// The row of the last finished epoch. It is cloned so that printing it does not hold the
    /// lock of the log.
    fn last_row(&self) -> Option<HistoryRow> {
        self.log.lock().history.rows.last().cloned()
    }

    fn position(&self, within: f64) -> Position {
        Position {
            epoch: self.epoch,
            epochs: self.epochs,
            within,
        }
    }

    /// Passes a callback on to the dashboard, if there is one.
    fn forward(&mut self, callback: impl FnOnce(&mut TuiMetricsRendererWrapper)) {
        if let Some(dashboard) = &mut self.dashboard {
            callback(&mut dashboard.renderer);
        }
    }
}

impl MetricsRendererTraining for BurnTrainAdapter {
    fn update_train(&mut self, state: MetricState) {
        self.take_figure(Split::Train, &state);
        self.forward(|dashboard| dashboard.update_train(state));
    }

    fn update_valid(&mut self, state: MetricState) {
        self.take_figure(self.evaluated_split, &state);
        self.forward(|dashboard| dashboard.update_valid(state));
    }

    fn on_train_end(
        &mut self,
        summary: Option<LearnerSummary>,
    ) -> Result<(), Box<dyn std::error::Error>> {
        match &mut self.dashboard {
            Some(dashboard) => dashboard.renderer.on_train_end(summary),
            None => Ok(()),
        }
    }
}

impl TrainingProgressLogger for BurnTrainAdapter {
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
        self.forward(|dashboard| dashboard.start(total_epochs, starting_epoch, total_items, label));
        let position = self.position(0.0);
        let last = self.last_row();
        self.lines.report_start(position, last.as_ref());
    }

    fn start_split(&mut self, split: &str, total_items: usize) {
        self.current_split = match split {
            "train" => Split::Train,
            _ => self.evaluated_split,
        };
        self.figures(self.current_split).images = total_items;
        self.forward(|dashboard| dashboard.start_split(split, total_items));
    }

    fn update_split(&mut self, items_processed: usize) {
        if let Some(dashboard) = &mut self.dashboard {
            if stop_is_requested() {
                dashboard.show_stop(self.epochs, self.epoch);
            }
            dashboard.renderer.update_split(items_processed);
        }
        if self.lines.is_due() {
            // Only training images count as progress. The evaluation is short: an image
            // takes a third of the arithmetic, and there are fewer images.
            let within = match self.current_split {
                Split::Train => items_processed as f64 / self.train.images.max(1) as f64,
                Split::Validation | Split::Test => 1.0,
            };
            let position = self.position(within.min(ALMOST_DONE));
            let last = self.last_row();
            self.lines.report(position, last.as_ref());
        }
    }

    fn end_split(&mut self) {
        self.forward(|dashboard| dashboard.end_split());
    }

    fn update_epoch(&mut self, epoch: usize) {
        self.close_epoch(epoch);
        self.epoch = epoch + 1;
        self.forward(|dashboard| dashboard.update_epoch(epoch));
    }

    fn end(&mut self) {
        self.forward(|dashboard| dashboard.end());
    }

    fn log_event_training(&mut self, event: String) {
        self.forward(|dashboard| dashboard.log_event_training(event));
    }
}

impl MetricsRenderer for BurnTrainAdapter {
    fn manual_close(&mut self) {
        self.forward(|dashboard| dashboard.manual_close());
    }

    fn register_metric(&mut self, definition: MetricDefinition) {
        self.forward(|dashboard| dashboard.register_metric(definition));
    }
}

// We do not use burn-train's separate evaluation. The validation images of a trial, or the
// test images of a final run, are the second split of the training. They are evaluated after
// every epoch.
impl MetricsRendererEvaluation for BurnTrainAdapter {
    fn update_test(&mut self, _name: EvaluationName, _state: MetricState) {}
}

impl EvaluationProgressLogger for BurnTrainAdapter {
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
    use kindling_formats::History;

    use super::super::history::TrainingLog;

    fn adapter(folder: &tempfile::TempDir) -> (BurnTrainAdapter, Interrupter) {
        let interrupter = Interrupter::new();
        let adapter = BurnTrainAdapter::new(AdapterParts {
            dir: RunDir::new(folder.path()),
            display: ProgressDisplay::Lines,
            interrupter: interrupter.clone(),
            events: None,
            log: SharedLog::new(TrainingLog::new(Split::Test)),
        });
        (adapter, interrupter)
    }

    fn figure(name: &str, entry: NumericEntry) -> MetricState {
        let id = MetricId::new(Arc::new(name.to_string()));
        let text = SerializedEntry::new(String::new(), String::new());
        MetricState::Numeric(MetricEntry::new(id, text), Some(entry))
    }

    fn batch_loss(loss: f64) -> MetricState {
        figure(
            "Loss",
            NumericEntry::Aggregated {
                aggregated_value: loss,
                count: 1,
            },
        )
    }

    #[test]
    fn an_epoch_becomes_a_row_with_exact_accuracies() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (mut adapter, interrupter) = adapter(&folder);
        adapter.start(1, 1, None, None);
        adapter.start_split("train", 3);
        adapter.update_train(batch_loss(0.5));
        for rate in [0.2, 0.1] {
            let aggregated_value = rate;
            let count = 1;
            let entry = NumericEntry::Aggregated {
                aggregated_value,
                count,
            };
            adapter.update_train(figure("Learning Rate", entry));
        }
        // burn-train's figure of the epoch is the mean of its steps.
        adapter.update_train(figure("Learning Rate", NumericEntry::Final(0.15)));
        adapter.update_train(figure("Loss", NumericEntry::Final(0.25)));
        adapter.update_train(figure("Accuracy", NumericEntry::Final(66.66666)));
        adapter.start_split("valid", 7);
        adapter.update_valid(figure("Loss", NumericEntry::Final(0.75)));
        adapter.update_valid(figure("Accuracy", NumericEntry::Final(100.0)));
        adapter.update_epoch(1);
        let history = History::read(&RunDir::new(folder.path()).history());
        let expected = HistoryRow {
            epoch: 1,
            learning_rate: 0.1,
            train_loss: 0.25,
            evaluated_loss: 0.75,
            train_accuracy: Some(2.0 / 3.0),
            evaluated_accuracy: Some(1.0),
        };
        assert_eq!(history.expect("a history").rows, [expected]);
        assert!(!interrupter.should_stop());
    }

    #[test]
    fn a_diverged_loss_stops_the_training_and_the_error_names_the_batch() {
        for (loss, name) in [(f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let (mut adapter, interrupter) = adapter(&folder);
            adapter.start(9, 1, None, None);
            adapter.update_epoch(1);
            adapter.start_split("train", 3);
            for loss in [1.0, 2.0, loss, f64::NAN] {
                adapter.update_train(batch_loss(loss));
            }
            assert!(interrupter.should_stop());
            let failure = adapter.log.lock().failure.take().expect("a failure");
            let words = format!("the loss became {name} in epoch 2, batch 3 of the training");
            assert!(failure.to_string().starts_with(&words), "{failure}");
        }
    }
}
