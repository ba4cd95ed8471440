//! A run's folders: which runs stand finished already, and how a new result
//! takes the place of an old one.

use std::fs::{File, TryLockError};
use std::path::Path;

use anyhow::{Context, anyhow};
use kindling_formats::{
    Error, Host, Layout, Record, RunConfig, RunDir, RunStatus, VERSION, hex, if_there,
    remove_temporary, write_atomic,
};
use sha2::{Digest, Sha256};

use crate::stop::Stop;
use crate::workspace::shown;

/// What a finished folder says about a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    /// It is the result of this config on this data.
    Answered,
    /// It is the result of another config, other data or another Burn.
    Differs,
    /// It was a result, and this is no longer as it was.
    Damaged(String),
    /// There is none.
    Missing,
}

/// A run to be: its config, the data it will see, its folders.
#[derive(Debug, Clone)]
pub struct Run {
    /// What to train.
    pub config: RunConfig,
    /// Of that data.
    pub fingerprint: String,
    /// Where it trains.
    pub partial: RunDir,
    /// Where its result stands in the end.
    pub finished: RunDir,
    layout: Layout,
}

/// The right to train a run, until it is dropped. The lock is the operating system's own,
/// so that of a dead process blocks nobody.
#[derive(Debug)]
pub struct RunLock(#[expect(dead_code, reason = "held for its lock")] Option<File>);

impl Run {
    /// The run of `config` in the tree `layout`.
    pub fn new(config: RunConfig, fingerprint: String, layout: &Layout) -> Self {
        Self {
            partial: layout.partial(&config.cell, config.seed),
            finished: layout.finished(&config.cell, config.seed),
            layout: layout.clone(),
            config,
            fingerprint,
        }
    }

    /// Takes the right to train it: two trainings would mix their files. `None` if
    /// another process has it. Where the file system knows no locks, everybody has it.
    ///
    /// # Errors
    ///
    /// If the file of the lock cannot be made.
    pub fn lock(&self) -> anyhow::Result<Option<RunLock>> {
        let path = self.layout.lock(&self.config.cell, self.config.seed);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(Error::io("create the folder", folder))?;
        }
        let mut options = File::options();
        let file = options.create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(Error::io("write", &path))?;
        Ok(match file.try_lock() {
            Ok(()) => Some(RunLock(Some(file))),
            Err(TryLockError::WouldBlock) => None,
            Err(TryLockError::Error(_)) => Some(RunLock(None)),
        })
    }

    /// `mlp 0`: the cell and the seed.
    pub fn name(&self) -> String {
        format!("{} {}", self.config.cell, self.config.seed)
    }

    /// Whether `record` is the whole result of this run.
    pub fn is_answered_by(&self, record: &Record) -> bool {
        record.answers(&self.config, &self.fingerprint)
    }

    /// What stands in the finished folder.
    pub fn recorded(&self) -> Recorded {
        match self.finished.read_record() {
            Ok(Some(record)) if self.is_answered_by(&record) => {
                match self.finished.damaged(&record, &self.config) {
                    Ok(damaged) if damaged.is_empty() => Recorded::Answered,
                    Ok(damaged) => Recorded::Damaged(damaged.join(", ")),
                    Err(error) => Recorded::Damaged(error.to_string()),
                }
            }
            Ok(Some(_)) => Recorded::Differs,
            Ok(None) if !self.finished.path().exists() => Recorded::Missing,
            Ok(None) => Recorded::Damaged("record.json is gone".into()),
            Err(error) => Recorded::Damaged(error.to_string()),
        }
    }

    /// Puts in place a whole result that was left in the partial folder, as by
    /// an end between the record and the rename, and what was set aside when the config
    /// was another for a while: a result, or a run that was stopped.
    pub fn adopt(&self) -> anyhow::Result<()> {
        let (cell, seed) = (&self.config.cell, self.config.seed);
        if self.is_whole(&self.partial) {
            return self.finish();
        }
        let key = key(&self.config.hash(), &self.fingerprint);
        let aside = self.layout.set_aside(cell, seed, &key);
        // In this order: mostly nothing is set aside, and to look at a result takes time.
        if self.is_whole(&aside) && self.recorded() != Recorded::Answered {
            self.put_in_place(&aside)?;
        }
        let aside = self
            .layout
            .partial_set_aside(cell, seed, &partial_key(&self.config));
        if !self.is_begun() && aside.path().exists() {
            self.make_way()?;
            rename(aside.path(), self.partial.path())?;
        }
        Ok(())
    }

    /// Whether a folder holds a whole and undamaged result of this run.
    fn is_whole(&self, dir: &RunDir) -> bool {
        let record = dir.read_record().ok().flatten();
        record.is_some_and(|record| {
            let is_undamaged = |damaged: Vec<String>| damaged.is_empty();
            self.is_answered_by(&record)
                && dir.damaged(&record, &self.config).is_ok_and(is_undamaged)
        })
    }

    /// Writes the config to the partial folder, which is emptied before; unless a
    /// run of the same config was stopped there, which goes on then.
    pub fn begin(&self) -> anyhow::Result<()> {
        if self.is_begun() {
            for ended in [self.partial.record(), self.partial.stderr()] {
                if_there("remove", &ended, std::fs::remove_file(&ended))?;
            }
            remove_temporary(self.partial.path());
            remove_temporary(&self.partial.checkpoints());
        } else {
            self.make_way()?;
        }
        write_atomic(&self.partial.config(), self.config.to_toml().as_bytes())?;
        Ok(())
    }

    /// Whether a run of this config was begun and is not whole.
    pub fn is_begun(&self) -> bool {
        let config = self.partial.read_config();
        config.is_ok_and(|config| config.hash() == self.config.hash())
    }

    /// Whether a run of another config was stopped in the partial folder, and could go
    /// on.
    pub fn is_anothers(&self) -> bool {
        let checkpoints = std::fs::read_dir(self.partial.checkpoints());
        let config = self.partial.read_config();
        config.is_ok_and(|config| config.hash() != self.config.hash())
            && checkpoints.is_ok_and(|mut files| files.next().is_some())
    }

    /// Clears the partial folder; a run of another config that could go on is set aside.
    pub fn make_way(&self) -> anyhow::Result<()> {
        if !self.is_anothers() {
            return self.clear();
        }
        let other = self.partial.read_config()?;
        let (cell, seed) = (&self.config.cell, self.config.seed);
        let aside = self
            .layout
            .partial_set_aside(cell, seed, &partial_key(&other));
        remove(aside.path())?;
        rename(self.partial.path(), aside.path())
    }

    /// Removes the partial folder, where there is one.
    pub fn clear(&self) -> anyhow::Result<()> {
        remove(self.partial.path())
    }

    /// Puts the partial folder in the place of the finished one. A result of another
    /// config, or of other data, that stood there is set aside; one of this run goes.
    pub fn finish(&self) -> anyhow::Result<()> {
        self.put_in_place(&self.partial)
    }

    fn put_in_place(&self, whole: &RunDir) -> anyhow::Result<()> {
        let to = self.finished.path();
        match self.finished.read_record() {
            Ok(Some(old))
                if old.status == RunStatus::Complete
                    && (old.config_hash != self.config.hash()
                        || old.data_fingerprint != self.fingerprint) =>
            {
                let key = key(&old.config_hash, &old.data_fingerprint);
                let (cell, seed) = (&self.config.cell, self.config.seed);
                let aside = self.layout.set_aside(cell, seed, &key);
                remove(aside.path())?;
                rename(to, aside.path())?;
            }
            _ => remove(to)?,
        }
        rename(whole.path(), to)
    }

    /// The record of a training that ended well.
    ///
    /// # Errors
    ///
    /// Why its record does not show that it did.
    pub fn result(&self) -> Result<Record, String> {
        let record = match self.partial.read_record() {
            Ok(Some(record)) => record,
            Ok(None) => return Err("it ended without writing record.json".into()),
            Err(error) => return Err(error.to_string()),
        };
        if self.is_answered_by(&record) {
            return Ok(record);
        }
        Err(match record.status {
            RunStatus::Failed => record.error.unwrap_or_else(|| "it failed".into()),
            RunStatus::Complete => {
                "its record.json is of another config or other data: did the data change \
                 while it trained?"
                    .into()
            }
        })
    }

    /// Leaves in the partial folder a record that says `failed`, unless the
    /// training wrote one, and returns it.
    pub fn fail(&self, error: &str, seconds: f64, revision: &str, threads: usize) -> Record {
        let written = self.partial.read_record().ok().flatten();
        if let Some(record) = &written
            && record.status == RunStatus::Failed
        {
            return record.clone();
        }
        let config = &self.config;
        let blank = || Record {
            version: VERSION.into(),
            section: config.section.clone(),
            cell: config.cell.clone(),
            family: config.task.family().to_string(),
            backend: config.backend,
            seed: config.seed,
            epochs: 0,
            parameters: 0,
            train_loss: None,
            test_loss: None,
            train_accuracy: None,
            test_accuracy: None,
            seconds,
            status: RunStatus::Failed,
            error: None,
            metrics: Default::default(),
            config_hash: config.hash(),
            data_fingerprint: self.fingerprint.clone(),
            program: "unknown".into(),
            revision: revision.to_string(),
            burn_version: "unknown".into(),
            host: Host::detect(threads),
            files: Default::default(),
        };
        let record = Record {
            status: RunStatus::Failed,
            error: Some(error.to_string()),
            ..written.unwrap_or_else(blank)
        };
        // On a full disk this fails as well; the run is named all the same.
        if let Err(error) = self.partial.write_record(&record) {
            crate::say::err(format_args!("warning: {error}"));
        }
        record
    }
}

/// Refuses a tree in which another version of Kindling has left results: to this one
/// they would be damaged or stale, and be replaced.
///
/// # Errors
///
/// With the first of them.
pub fn refuse_foreign(layout: &Layout) -> Result<(), Stop> {
    match layout.foreign() {
        None => Ok(()),
        Some(error) => Err(Stop::BadInput(anyhow!(
            "{error}: name another folder with --out, or move {} away",
            shown(&layout.runs())
        ))),
    }
}

/// Tells results apart that have stood in the same place: eight digits.
fn key(config_hash: &str, fingerprint: &str) -> String {
    let digest = hex(&Sha256::digest(format!("{config_hash} {fingerprint}")));
    format!("{digest:.8}")
}

/// The same for runs that were stopped, which do not say what their data was.
fn partial_key(config: &RunConfig) -> String {
    format!("{:.8}", config.hash())
}

fn rename(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::rename(from, to)
        .with_context(|| format!("cannot rename {} to {}", from.display(), to.display()))
}

fn remove(folder: &Path) -> anyhow::Result<()> {
    if_there("remove", folder, std::fs::remove_dir_all(folder))?;
    Ok(())
}
