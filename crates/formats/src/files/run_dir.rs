//! The folder of one run: the paths of its files, and how its config and record are read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::configs::RunConfig;
use crate::digest::hex;
use crate::error::{Error, Result};
use crate::results::{Record, RecordError};
use crate::write::{TEMPORARY, if_there, write_atomic};

/// The paths of the files of one run.
#[derive(Debug, Clone)]
pub struct RunDir {
    path: PathBuf,
}

impl RunDir {
    /// The run whose folder is `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The folder of the run.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file `name` in the run's folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// `config.toml`: the resolved config. It is written before the first step.
    pub fn config(&self) -> PathBuf {
        self.file("config.toml")
    }

    /// `record.json`: the result. It is written last.
    pub fn record(&self) -> PathBuf {
        self.file("record.json")
    }

    /// `history.csv`: losses and accuracies of each epoch, or of each iteration.
    pub fn history(&self) -> PathBuf {
        self.file("history.csv")
    }

    /// `timing.csv`: the seconds of each epoch.
    pub fn timing(&self) -> PathBuf {
        self.file("timing.csv")
    }

    /// `model.bpk`: the trained weights, in Burn's format.
    pub fn model(&self) -> PathBuf {
        self.file("model.bpk")
    }

    /// `weights.safetensors`: the trained weights, for programs without Burn.
    pub fn weights(&self) -> PathBuf {
        self.file("weights.safetensors")
    }

    /// `test.safetensors`: what a final run did on each test image, in the order of the test
    /// images. The tensors of a classifier are `label` and `prediction`, 8-bit integers, and
    /// `loss`, 32-bit floats. An autoencoder and PCA have the tensor `error`, 32-bit floats.
    /// Each tensor has the shape `[test images]`.
    pub fn test_evidence(&self) -> PathBuf {
        self.file("test.safetensors")
    }

    /// `tensorboard/`: the files that TensorBoard reads.
    pub fn tensorboard(&self) -> PathBuf {
        self.file("tensorboard")
    }

    /// `checkpoint/`: the checkpoints that a stopped training resumes from. The folder is
    /// removed when the run is finished.
    pub fn checkpoints(&self) -> PathBuf {
        self.file("checkpoint")
    }

    /// `stderr.txt`: the standard error of a failed run.
    pub fn stderr(&self) -> PathBuf {
        self.file("stderr.txt")
    }

    /// Reads `config.toml`.
    ///
    /// # Errors
    ///
    /// If the file is missing, or is not a valid config.
    pub fn read_config(&self) -> Result<RunConfig> {
        RunConfig::read(&self.config())
    }

    /// Reads `record.json`; `None` if there is no such file.
    ///
    /// # Errors
    ///
    /// If the record is damaged, or another version of Kindling wrote it.
    pub fn read_record(&self) -> Result<Option<Record>> {
        let file = self.record();
        let Some(bytes) = if_there("read", &file, std::fs::read(&file))? else {
            return Ok(None);
        };
        Record::from_json(&bytes).map(Some).map_err(|error| {
            let problem = error.to_string();
            match error {
                RecordError::Damaged(_) => Error::File { file, problem },
                RecordError::Version(_) => Error::Version { file, problem },
            }
        })
    }

    /// The SHA-256, hexadecimal, of each file in the run's folder, by the name of the file. It
    /// leaves out `record.json`, which holds the digests, `stderr.txt`, and folders, which
    /// hold logs.
    ///
    /// # Errors
    ///
    /// If a file cannot be read.
    pub fn digests(&self) -> Result<BTreeMap<String, String>> {
        let mut digests = BTreeMap::new();
        let entries = std::fs::read_dir(&self.path).map_err(Error::io("read", &self.path))?;
        for entry in entries {
            let path = entry.map_err(Error::io("read", &self.path))?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let is_result = path != self.record() && path != self.stderr();
            if path.is_file() && is_result && !name.starts_with(TEMPORARY) {
                let bytes = std::fs::read(&path).map_err(Error::io("read", &path))?;
                digests.insert(name.into_owned(), hex(&Sha256::digest(bytes)));
            }
        }
        Ok(digests)
    }

    /// The names of the damaged files. A file is damaged if its digest is not the digest in
    /// `record`, if it is missing, or if a finished run of `config` writes it and `record` does
    /// not list it.
    ///
    /// # Errors
    ///
    /// If a file cannot be read.
    pub fn damaged(&self, record: &Record, config: &RunConfig) -> Result<Vec<String>> {
        let found = self.digests()?;
        let files = record.files.iter();
        let damaged = files.filter(|&(name, digest)| found.get(name) != Some(digest));
        let mut damaged: Vec<String> = damaged.map(|(name, _)| name.clone()).collect();
        damaged.extend(record.lacks(&config.task).map(str::to_string));
        Ok(damaged)
    }

    /// Writes `record.json`.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn write_record(&self, record: &Record) -> Result<()> {
        let path = self.record();
        let text = record
            .to_json()
            .map_err(|error| Error::file(&path, error))?;
        write_atomic(&path, text.as_bytes())
    }
}
