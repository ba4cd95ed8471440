//! `matrix.json`: the list of runs that a matrix should train. A snapshot reads it.

use std::path::PathBuf;

use kindling_formats::{Layout, if_there, write_atomic};
use serde::{Deserialize, Serialize};

use crate::cost::cost;
use crate::slot::RunSlot;
use crate::{Result, RunnerError};

/// The content of `matrix.json`: the runs of a matrix.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// How many runs train at a time.
    pub jobs: usize,
    /// The runs in the order of the study.
    pub runs: Vec<ManifestRun>,
}

/// One run in a [`Manifest`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestRun {
    /// The name of the cell.
    pub cell: String,
    /// The seed.
    pub seed: u64,
    /// The number of epochs of the run, or of iterations for a toy function.
    pub epochs: usize,
    /// An estimate of the work, without a unit; see [`crate::cost`].
    pub cost: f64,
    /// The hash of the run's config. The record of the run holds the same hash.
    pub config_hash: String,
    /// The fingerprint of the run's data. The record of the run holds the same fingerprint.
    pub data_fingerprint: String,
}

impl Manifest {
    /// The manifest of `runs`, of which `jobs` train at a time.
    pub fn new(runs: &[RunSlot], jobs: usize) -> Self {
        let listed = |run: &RunSlot| ManifestRun {
            cell: run.config.cell.clone(),
            seed: run.config.seed,
            epochs: run.config.task.epochs(),
            cost: cost(&run.config, run.data.info.as_ref()),
            config_hash: run.config.hash(),
            data_fingerprint: run.data.fingerprint.clone(),
        };
        Self {
            jobs,
            runs: runs.iter().map(listed).collect(),
        }
    }

    fn path(layout: &Layout) -> PathBuf {
        layout.root().join("matrix.json")
    }

    /// Writes the manifest to the folder that `layout` describes.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn write(&self, layout: &Layout) -> Result<()> {
        let path = Self::path(layout);
        let json = serde_json::to_vec(self).map_err(RunnerError::damaged(&path))?;
        Ok(write_atomic(&path, &json)?)
    }

    /// Reads the manifest in the folder that `layout` describes.
    ///
    /// # Errors
    ///
    /// [`RunnerError::NoMatrix`] if there is no manifest; other errors if it cannot be read or
    /// another version wrote it.
    pub fn read(layout: &Layout) -> Result<Self> {
        let path = Self::path(layout);
        let bytes = if_there("read", &path, std::fs::read(&path))?;
        let bytes = bytes.ok_or_else(|| RunnerError::NoMatrix {
            folder: layout.root().to_path_buf(),
            kind: layout.kind(),
        })?;
        serde_json::from_slice(&bytes).map_err(RunnerError::damaged(&path))
    }
}
