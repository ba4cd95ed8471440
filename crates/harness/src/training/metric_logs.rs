//! burn-train's metric logs, in folders that are named after the splits.

use burn_train::logger::{FileMetricLogger, MetricLogger};
use burn_train::metric::store::{EpochSummary, MetricsUpdate, Split as BurnSplit};
use burn_train::metric::{MetricDefinition, NumericEntry};
use kindling_formats::{RunDir, Split};

/// Writes burn-train's metric logs to the folder of a run.
///
/// burn-train knows only the splits "train" and "valid" during a training. This logger writes
/// the logs of the second one to `test/` if it holds test images, and to `valid/` if it holds
/// validation images.
pub(super) struct MetricLogs {
    files: FileMetricLogger,
    evaluated: Split,
}

impl MetricLogs {
    /// The logs of a training in `dir` that is evaluated on the split `evaluated`.
    pub(super) fn new(dir: &RunDir, evaluated: Split) -> Self {
        Self {
            files: FileMetricLogger::new(dir.path()),
            evaluated,
        }
    }

    /// The split whose folder holds the logs of `split`.
    fn folder_of(&self, split: &BurnSplit) -> BurnSplit {
        match (split, self.evaluated) {
            (BurnSplit::Valid, Split::Test) => BurnSplit::Test(None),
            _ => split.clone(),
        }
    }
}

impl MetricLogger for MetricLogs {
    fn log(&mut self, update: MetricsUpdate, epoch: usize, split: &BurnSplit) {
        let split = self.folder_of(split);
        self.files.log(update, epoch, &split);
    }

    fn read_numeric(
        &mut self,
        name: &str,
        epoch: usize,
        split: &BurnSplit,
    ) -> Result<Vec<NumericEntry>, String> {
        let split = self.folder_of(split);
        self.files.read_numeric(name, epoch, &split)
    }

    fn log_metric_definition(&mut self, definition: MetricDefinition) {
        self.files.log_metric_definition(definition);
    }

    fn log_epoch_summary(&mut self, summary: EpochSummary) {
        self.files.log_epoch_summary(summary);
    }
}
