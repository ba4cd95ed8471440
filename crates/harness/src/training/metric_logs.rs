//! burn-train's metric logs, in folders that are named after the splits.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use burn_train::Interrupter;
use burn_train::logger::{FileMetricLogger, MetricLogger};
use burn_train::metric::store::{EpochSummary, MetricsUpdate, Split as BurnSplit};
use burn_train::metric::{MetricDefinition, MetricId, NumericEntry};
use kindling_formats::{Error, RunDir, Split};

use super::history::SharedLog;

/// Writes burn-train's metric logs to the folder of a run: `train/epoch-3/Loss.log` has a line
/// for each batch of epoch 3, and a last line for the whole epoch.
///
/// The files are those of burn-train's `FileMetricLogger`, with two differences:
///
/// - burn-train knows only the splits "train" and "valid" during a training. This logger writes
///   the logs of the second one to `test/` if it holds test images, and to `valid/` if it holds
///   validation images.
/// - A file is written when its epoch has ended. burn-train wakes up a thread per metric to
///   write each line. Softmax regression spent a sixth of its processor time on this.
pub(super) struct MetricLogs {
    dir: RunDir,
    evaluated: Split,
    interrupter: Interrupter,
    log: SharedLog,
    /// Reads the logs for burn-train.
    files: FileMetricLogger,
    names: HashMap<MetricId, String>,
    /// The texts of the files that are not written yet, and their paths.
    texts: BTreeMap<PathBuf, String>,
}

impl MetricLogs {
    /// The logs of a training in `dir` that is evaluated on the split `evaluated`. If a file
    /// cannot be written, they stop the training, and `log` gets the error.
    pub(super) fn new(
        dir: &RunDir,
        evaluated: Split,
        interrupter: Interrupter,
        log: SharedLog,
    ) -> Self {
        Self {
            dir: dir.clone(),
            evaluated,
            interrupter,
            log,
            files: FileMetricLogger::new(dir.path()),
            names: HashMap::new(),
            texts: BTreeMap::new(),
        }
    }

    /// The split whose folder holds the logs of `split`.
    fn folder_of(&self, split: &BurnSplit) -> BurnSplit {
        match (split, self.evaluated) {
            (BurnSplit::Valid, Split::Test) => BurnSplit::Test(None),
            _ => split.clone(),
        }
    }

    fn write_files(&mut self) {
        for (path, text) in std::mem::take(&mut self.texts) {
            if let Err(error) = write_log(&path, &text) {
                self.log.fail(error.into(), &self.interrupter);
            }
        }
    }
}

impl MetricLogger for MetricLogs {
    fn log(&mut self, update: MetricsUpdate, epoch: usize, split: &BurnSplit) {
        let numeric = update.entries_numeric.iter().map(|update| &update.entry);
        for entry in update.entries.iter().chain(numeric) {
            // Some metrics have only a figure for the whole epoch.
            let text = &entry.serialized_entry;
            let Some(name) = self.names.get(&entry.metric_id) else {
                continue;
            };
            if text.is_not_available() {
                continue;
            }
            let folder = self.folder_of(split);
            let path = self.dir.file(&format!("{folder}/epoch-{epoch}/{name}.log"));
            let lines = self.texts.entry(path).or_default();
            lines.push_str(&text.serialized);
            lines.push('\n');
        }
    }

    fn read_numeric(
        &mut self,
        name: &str,
        epoch: usize,
        split: &BurnSplit,
    ) -> Result<Vec<NumericEntry>, String> {
        self.write_files();
        let split = self.folder_of(split);
        self.files.read_numeric(name, epoch, &split)
    }

    fn log_metric_definition(&mut self, definition: MetricDefinition) {
        let name = definition.name.replace(' ', "_");
        self.names.insert(definition.metric_id, name);
    }

    fn log_epoch_summary(&mut self, _summary: EpochSummary) {
        self.write_files();
    }
}

impl Drop for MetricLogs {
    /// Writes the logs of an epoch that was stopped.
    fn drop(&mut self) {
        self.write_files();
    }
}

/// Writes a log. It is no result, so it does not wait until the disk has it.
fn write_log(path: &Path, text: &str) -> Result<(), Error> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(Error::io("create the folder", folder))?;
    }
    std::fs::write(path, text).map_err(Error::io("write", path))
}
