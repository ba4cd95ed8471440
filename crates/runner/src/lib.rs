//! Trains many runs, several at a time, on this machine or by Slurm.
//!
//! A matrix of runs passes through these steps:
//!
//! 1. [`OutputLock`] makes sure that no other matrix writes to the same output folder.
//! 2. [`RunSlot`] knows the training folder and the result folder of a run.
//! 3. [`missing`] lists the runs that have no result yet.
//! 4. [`train_all`] trains them. Each run has its own process of a [`TrainingProgram`].
//!    [`slurm`] submits them to a cluster instead.
//!
//! A [`Manifest`] lists the runs that the matrix should train, and a [`Snapshot`] reads their
//! progress, or a [`Watcher`] again and again.
//!
//! This crate prints nothing and reads no command line. The caller passes the program that
//! trains, the fingerprints of the data, and a function that returns whether to stop. Another
//! function of the caller receives each [`Event`].

mod cost;
mod error;
mod estimate;
mod lock;
mod manifest;
mod missing;
mod pool;
mod process;
mod program;
mod slot;
pub mod slurm;
mod snapshot;
mod tuning;

pub use cost::{cost, epoch_operations};
pub use error::{Result, RunnerError};
pub use estimate::{Basis, EarlierRuns, Estimate, estimate, folder_size};
pub use lock::OutputLock;
pub use manifest::{Manifest, ManifestRun};
pub use missing::{Missing, missing};
pub use pool::{Event, StopRequest, train_all};
pub use process::{INTERRUPTED, RunEnd, TrainingSetup, failure_reason};
pub use program::{TrainingProgram, copy_by_content, keep_program};
pub use slot::{Recorded, RunLock, RunSlot, refuse_other_versions};
pub use snapshot::{RunSnapshot, Snapshot, Stage, Watcher};
pub use tuning::{CellOutcome, Outcome, choose_cells};
