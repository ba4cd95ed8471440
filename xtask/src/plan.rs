//! `matrix.json`: what a matrix was asked to train, for whoever looks on.

use std::path::PathBuf;

use anyhow::{Context, anyhow};
use kindling_formats::{Layout, if_there, write_atomic};
use serde::{Deserialize, Serialize};

use crate::runs::Run;

/// What a matrix was asked to train.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// How many runs at a time.
    pub jobs: usize,
    /// In the study's order.
    pub runs: Vec<Planned>,
}

/// A run of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Planned {
    /// Its cell.
    pub cell: String,
    /// Its seed.
    pub seed: u64,
    /// Epochs, or iterations, that it trains.
    pub epochs: usize,
    /// Its share of the whole work, in no unit.
    pub cost: f64,
    /// By which its result is known.
    pub config_hash: String,
    /// By which its result is known.
    pub data_fingerprint: String,
}

impl Plan {
    /// Of `runs`, so many at a time.
    pub fn new(runs: &[Run], jobs: usize) -> Self {
        let planned = |run: &Run| Planned {
            cell: run.config.cell.clone(),
            seed: run.config.seed,
            epochs: run.config.task.epochs(),
            cost: run.config.cost(),
            config_hash: run.config.hash(),
            data_fingerprint: run.fingerprint.clone(),
        };
        Self {
            jobs,
            runs: runs.iter().map(planned).collect(),
        }
    }

    fn path(layout: &Layout) -> PathBuf {
        layout.root().join("matrix.json")
    }

    /// Leaves it in the tree of the runs.
    pub fn write(&self, layout: &Layout) -> anyhow::Result<()> {
        write_atomic(&Self::path(layout), &serde_json::to_vec(self)?)?;
        Ok(())
    }

    /// Reads it.
    ///
    /// # Errors
    ///
    /// If there is none, or none of this version.
    pub fn read(layout: &Layout) -> anyhow::Result<Self> {
        let path = Self::path(layout);
        let bytes = if_there("read", &path, std::fs::read(&path))?.ok_or_else(|| {
            anyhow!(
                "no matrix has begun in {}; start `cargo xtask experiments`, or name its folder \
                 with --out, and its size with --quick or --smoke",
                crate::workspace::shown(layout.root())
            )
        })?;
        serde_json::from_slice(&bytes).with_context(|| path.display().to_string())
    }
}
