//! A run's folders: which runs stand finished already, and how a new result
//! takes the place of an old one.

use std::path::Path;

use anyhow::{Context, anyhow};
use kindling_spec::{
    Host, Layout, Record, RunConfig, RunDir, Status, VERSION, if_there, remove_temporary,
    write_atomic,
};

use crate::flags::Tree;
use crate::stop::Stop;
use crate::workspace::{self, shown};

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
}

impl Run {
    /// The run of `config` in the tree `layout`.
    pub fn new(config: RunConfig, fingerprint: String, layout: &Layout) -> Self {
        Self {
            partial: layout.partial(&config.cell, config.seed),
            finished: layout.finished(&config.cell, config.seed),
            config,
            fingerprint,
        }
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
                match self.finished.damaged(&record) {
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
    /// an end between the record and the rename.
    pub fn adopt(&self) -> anyhow::Result<()> {
        match self.partial.read_record() {
            Ok(Some(record))
                if self.is_answered_by(&record)
                    && self
                        .partial
                        .damaged(&record)
                        .is_ok_and(|list| list.is_empty()) =>
            {
                self.finish()
            }
            _ => Ok(()),
        }
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
            self.clear()?;
        }
        write_atomic(&self.partial.config(), self.config.to_toml().as_bytes())?;
        Ok(())
    }

    /// Whether a run of this config was begun and is not whole.
    pub fn is_begun(&self) -> bool {
        let config = std::fs::read_to_string(self.partial.config());
        config.is_ok_and(|config| config == self.config.to_toml())
    }

    /// Removes the partial folder, where there is one.
    pub fn clear(&self) -> anyhow::Result<()> {
        remove(self.partial.path())
    }

    /// Puts the partial folder in the place of the finished one. Only here does
    /// an old result go.
    pub fn finish(&self) -> anyhow::Result<()> {
        let (from, to) = (self.partial.path(), self.finished.path());
        remove(to)?;
        std::fs::rename(from, to)
            .with_context(|| format!("cannot rename {} to {}", from.display(), to.display()))
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
            Status::Failed => record.error.unwrap_or_else(|| "it failed".into()),
            Status::Complete => {
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
            && record.status == Status::Failed
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
            status: Status::Failed,
            error: None,
            metrics: Default::default(),
            config_hash: config.hash(),
            data_fingerprint: self.fingerprint.clone(),
            revision: revision.to_string(),
            burn_version: "unknown".into(),
            host: Host::detect(threads),
            files: Default::default(),
        };
        let record = Record {
            status: Status::Failed,
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

/// The tree that `flags` name, to be looked at.
///
/// # Errors
///
/// If another version's results are there.
pub fn tree(flags: &Tree) -> Result<Layout, Stop> {
    let layout = Layout::new(&workspace::out(&flags.folders)?, flags.length.size());
    refuse_foreign(&layout)?;
    Ok(layout)
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

fn remove(folder: &Path) -> anyhow::Result<()> {
    if_there("remove", folder, std::fs::remove_dir_all(folder))?;
    Ok(())
}
