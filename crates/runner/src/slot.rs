//! The two folders of a run. It trains in its training folder. When it is complete, that
//! folder is renamed to the result folder.

use std::fs::{File, TryLockError};
use std::path::Path;

use kindling_formats::{
    BURN_VERSION, Error, Host, Layout, Record, RunConfig, RunData, RunDir, RunStatus, VERSION, hex,
    if_there, remove_temporary, write_atomic,
};
use sha2::{Digest, Sha256};

use crate::{Result, RunnerError};

/// The state of the result folder of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    /// It holds a result of this config on this data.
    Complete,
    /// It holds a result of another config, other data or another version of Burn.
    Outdated,
    /// It holds a result that has changed since it was written. The text says what is damaged.
    Damaged(String),
    /// It does not exist.
    Nothing,
}

/// One run of a matrix: its config, its data, and its folders.
#[derive(Debug, Clone)]
pub struct RunSlot {
    /// The config of the run.
    pub config: RunConfig,
    /// The data that the run trains on.
    pub data: RunData,
    /// The folder in which the run trains.
    pub training: RunDir,
    /// The folder that holds the result of the run.
    pub result: RunDir,
    layout: Layout,
}

/// The exclusive right to train a run, until this value is dropped. The operating system
/// releases the lock when the process ends, so a killed process blocks no other process.
#[derive(Debug)]
pub struct RunLock(Option<File>);

impl Drop for RunLock {
    /// Closing the file is not enough: a process that another thread is starting at this moment
    /// holds a copy of the open file until its program begins.
    fn drop(&mut self) {
        if let Some(file) = &self.0 {
            // If this fails, the lock ends when the last copy is closed.
            let _ = file.unlock();
        }
    }
}

impl RunSlot {
    /// The run of `config` below the folder that `layout` describes.
    pub fn new(config: RunConfig, data: RunData, layout: &Layout) -> Self {
        Self {
            training: layout.partial(&config.cell, config.seed),
            result: layout.finished(&config.cell, config.seed),
            layout: layout.clone(),
            config,
            data,
        }
    }

    /// One slot for each config; `data` is in the order of `configs`.
    pub fn all(configs: Vec<RunConfig>, data: Vec<RunData>, layout: &Layout) -> Vec<Self> {
        let pairs = configs.into_iter().zip(data);
        pairs
            .map(|(config, data)| Self::new(config, data, layout))
            .collect()
    }

    /// Takes the lock of this run, because two trainings in one folder would mix their files.
    /// `None` if another process holds the lock. On a file system without locks, every process
    /// gets the lock.
    ///
    /// # Errors
    ///
    /// If the lock file cannot be created.
    pub fn lock(&self) -> Result<Option<RunLock>> {
        let path = self.layout.lock(&self.config.cell, self.config.seed);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)
                .map_err(RunnerError::io("create the folder", folder))?;
        }
        let mut options = File::options();
        let file = options.create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(RunnerError::io("write", &path))?;
        Ok(match file.try_lock() {
            Ok(()) => Some(RunLock(Some(file))),
            Err(TryLockError::WouldBlock) => None,
            Err(TryLockError::Error(_)) => Some(RunLock(None)),
        })
    }

    /// The name of the run: its cell and its seed, as in `mlp 0`.
    pub fn name(&self) -> String {
        format!("{} {}", self.config.cell, self.config.seed)
    }

    /// Reads the state of the result folder.
    pub fn recorded(&self) -> Recorded {
        match self.result.read_record() {
            Ok(Some(record)) if self.is_answered_by(&record) => {
                match self.result.damaged(&record, &self.config) {
                    Ok(damaged) if damaged.is_empty() => Recorded::Complete,
                    Ok(damaged) => Recorded::Damaged(damaged.join(", ")),
                    Err(error) => Recorded::Damaged(error.to_string()),
                }
            }
            Ok(Some(_)) => Recorded::Outdated,
            Ok(None) if !self.result.path().exists() => Recorded::Nothing,
            Ok(None) => Recorded::Damaged("record.json is missing".into()),
            Err(error) => Recorded::Damaged(error.to_string()),
        }
    }

    /// Whether this run is a trial that has diverged. That is its result: the candidate loses,
    /// and the trial is not trained again. The record lies in the training folder. The record of
    /// a run without a result may not say which data it is of; then it counts for these data.
    pub fn has_diverged(&self) -> bool {
        let record = self.training.read_record().ok().flatten();
        self.config.is_trial()
            && record.is_some_and(|record| {
                record.status == RunStatus::Diverged
                    && record.burn_version == BURN_VERSION
                    && record.config_hash == self.config.hash()
                    && [self.data.fingerprint.as_str(), ""].contains(&&*record.data_fingerprint)
            })
    }

    /// Restores a complete result of this run from another folder to the result folder. It may
    /// be in the training folder, where a killed process left it, or it may have been set aside
    /// while the run had another config. A stopped training of this config that was set aside
    /// is restored to the training folder, so that it can continue.
    ///
    /// # Errors
    ///
    /// If a folder cannot be renamed or removed.
    pub fn restore(&self) -> Result<()> {
        if self.holds_result(&self.training) {
            return self.publish();
        }
        let (cell, seed) = (&self.config.cell, self.config.seed);
        let key = result_key(&self.config.hash(), &self.data.fingerprint);
        let aside = self.layout.set_aside(cell, seed, &key);
        // The check for a result that was set aside is fast. The check of the result folder
        // comes second, because it reads all files there.
        if self.holds_result(&aside) && self.recorded() != Recorded::Complete {
            self.put_in_place(&aside)?;
        }
        let key = training_key(&self.config);
        let aside = self.layout.partial_set_aside(cell, seed, &key);
        if !self.was_begun() && aside.path().exists() {
            self.clear_training_folder()?;
            rename(aside.path(), self.training.path())?;
        }
        Ok(())
    }

    /// Prepares the training folder and writes the config there. The checkpoints of a stopped
    /// training with the same config are kept, so that the run continues from the last one.
    ///
    /// # Errors
    ///
    /// If a file cannot be written, or the folder cannot be cleared.
    pub fn begin(&self) -> Result<()> {
        if self.was_begun() {
            for file in [self.training.record(), self.training.stderr()] {
                if_there("remove", &file, std::fs::remove_file(&file))?;
            }
            remove_temporary(self.training.path());
            remove_temporary(&self.training.checkpoints());
        } else {
            self.clear_training_folder()?;
        }
        let config = self.config.to_toml();
        write_atomic(&self.training.config(), config.as_bytes())?;
        Ok(())
    }

    /// Whether the training folder holds a training of this config.
    pub fn was_begun(&self) -> bool {
        let config = self.training.read_config();
        config.is_ok_and(|config| config.hash() == self.config.hash())
    }

    /// Whether the training folder holds a stopped training of another config that has a
    /// checkpoint.
    pub fn was_begun_with_other_config(&self) -> bool {
        let checkpoints = std::fs::read_dir(self.training.checkpoints());
        let config = self.training.read_config();
        config.is_ok_and(|config| config.hash() != self.config.hash())
            && checkpoints.is_ok_and(|mut files| files.next().is_some())
    }

    /// Removes the training folder. If it holds a training of another config with a
    /// checkpoint, the folder is renamed instead, so that this training can continue later.
    ///
    /// # Errors
    ///
    /// If a folder cannot be renamed or removed.
    pub fn clear_training_folder(&self) -> Result<()> {
        if !self.was_begun_with_other_config() {
            return self.remove_training_folder();
        }
        let other = self.training.read_config()?;
        let (cell, seed) = (&self.config.cell, self.config.seed);
        let key = training_key(&other);
        let aside = self.layout.partial_set_aside(cell, seed, &key);
        remove(aside.path())?;
        rename(self.training.path(), aside.path())
    }

    /// Removes the training folder if there is one.
    ///
    /// # Errors
    ///
    /// If the folder cannot be removed.
    pub fn remove_training_folder(&self) -> Result<()> {
        remove(self.training.path())
    }

    /// Renames the training folder to the result folder. If the result folder already holds a
    /// complete result of another config or other data, that result is set aside. An older
    /// result of this config is removed.
    ///
    /// # Errors
    ///
    /// If a folder cannot be renamed or removed.
    pub fn publish(&self) -> Result<()> {
        self.put_in_place(&self.training)
    }

    /// Reads the record of a training that ended without an error.
    ///
    /// # Errors
    ///
    /// The reason why the record does not show a complete run.
    pub fn read_result(&self) -> std::result::Result<Record, String> {
        let record = match self.training.read_record() {
            Ok(Some(record)) => record,
            Ok(None) => return Err("the training ended without writing record.json".into()),
            Err(error) => return Err(error.to_string()),
        };
        if self.is_answered_by(&record) {
            return Ok(record);
        }
        Err(match record.status {
            RunStatus::Failed | RunStatus::Diverged => {
                record.error.unwrap_or_else(|| "the training failed".into())
            }
            RunStatus::Complete => {
                "record.json is of another config or other data; did the data change during the \
                 training?"
                    .into()
            }
        })
    }

    /// Writes a record with the status `failed` to the training folder, unless the training
    /// wrote one itself. `seconds` is how long the training took. Returns the record, and an
    /// error if the record cannot be written, as on a full disk.
    pub fn record_failure(
        &self,
        error: &str,
        seconds: f64,
        revision: &str,
        threads: usize,
    ) -> (Record, Option<Error>) {
        let written = self.training.read_record().ok().flatten();
        if let Some(record) = &written
            && record.status.is_failure()
        {
            return (record.clone(), None);
        }
        let record = Record {
            status: RunStatus::Failed,
            error: Some(error.to_string()),
            ..written.unwrap_or_else(|| self.empty_record(seconds, revision, threads))
        };
        let problem = self.training.write_record(&record).err();
        (record, problem)
    }

    /// A record of this run without any results.
    fn empty_record(&self, seconds: f64, revision: &str, threads: usize) -> Record {
        let config = &self.config;
        Record {
            version: VERSION.into(),
            section: config.section.clone(),
            cell: config.cell.clone(),
            family: config.task.family().to_string(),
            backend: config.backend,
            seed: config.seed,
            epochs: 0,
            parameters: 0,
            train_loss: None,
            validation_loss: None,
            test_loss: None,
            train_accuracy: None,
            validation_accuracy: None,
            test_accuracy: None,
            seconds,
            status: RunStatus::Failed,
            error: None,
            metrics: Default::default(),
            config_hash: config.hash(),
            data_fingerprint: self.data.fingerprint.clone(),
            data: self.data.info.clone(),
            scale: None,
            program: "unknown".into(),
            revision: revision.to_string(),
            burn_version: "unknown".into(),
            host: Host::detect(threads),
            files: Default::default(),
        }
    }

    /// Whether `record` is a complete result of this run.
    fn is_answered_by(&self, record: &Record) -> bool {
        record.answers(&self.config, &self.data.fingerprint)
    }

    /// Whether a folder holds a complete and undamaged result of this run.
    fn holds_result(&self, dir: &RunDir) -> bool {
        let record = dir.read_record().ok().flatten();
        record.is_some_and(|record| {
            let is_undamaged = |damaged: Vec<String>| damaged.is_empty();
            self.is_answered_by(&record)
                && dir.damaged(&record, &self.config).is_ok_and(is_undamaged)
        })
    }

    /// Renames `new` to the result folder, and sets aside or removes the old result.
    fn put_in_place(&self, new: &RunDir) -> Result<()> {
        let place = self.result.path();
        match self.result.read_record() {
            Ok(Some(old)) if old.status == RunStatus::Complete && !self.has_key_of(&old) => {
                let key = result_key(&old.config_hash, &old.data_fingerprint);
                let (cell, seed) = (&self.config.cell, self.config.seed);
                let aside = self.layout.set_aside(cell, seed, &key);
                remove(aside.path())?;
                rename(place, aside.path())?;
            }
            _ => remove(place)?,
        }
        rename(new.path(), place)
    }

    /// Whether a record is of the same config and data. Its version of Burn may differ.
    fn has_key_of(&self, record: &Record) -> bool {
        record.config_hash == self.config.hash() && record.data_fingerprint == self.data.fingerprint
    }
}

/// Refuses an output folder with results of another version of Kindling. This version would
/// treat them as outdated or damaged, and replace them.
///
/// # Errors
///
/// [`RunnerError::OtherVersion`], with the first of those results.
pub fn refuse_other_versions(layout: &Layout) -> Result<()> {
    match layout.foreign() {
        None => Ok(()),
        Some(source) => Err(RunnerError::OtherVersion {
            source,
            runs: layout.runs(),
        }),
    }
}

/// Eight hexadecimal digits that distinguish results of the same cell and seed.
fn result_key(config_hash: &str, data_fingerprint: &str) -> String {
    let digest = hex(&Sha256::digest(format!("{config_hash} {data_fingerprint}")));
    format!("{digest:.8}")
}

/// Eight hexadecimal digits that distinguish stopped trainings of the same cell and seed. A
/// stopped training holds no fingerprint of its data, so the digits depend on the config alone.
fn training_key(config: &RunConfig) -> String {
    format!("{:.8}", config.hash())
}

fn rename(from: &Path, to: &Path) -> Result<()> {
    std::fs::rename(from, to).map_err(RunnerError::io("rename", from))
}

fn remove(folder: &Path) -> Result<()> {
    if_there("remove", folder, std::fs::remove_dir_all(folder))?;
    Ok(())
}
