//! Many runs: which of them are missing, and how they are trained side by side on this
//! machine or by Slurm.
//!
//! The files stand in the order in which a matrix of runs passes through them:
//! [`OutputLock`] makes sure that no other matrix writes to the same folder, [`RunSlot`]
//! says where a run trains and whether its result is there already, [`missing`] lists the
//! runs that have to train, and [`train_all`] trains them, one process of a
//! [`TrainingProgram`] for each run. [`slurm`] submits them to a cluster instead.
//! [`Manifest`] writes down what was asked for, and a [`Snapshot`] says how far it is.
//!
//! This crate prints nothing and reads no command line. It is handed the program that
//! trains, the fingerprints of the data, and a function that says whether to stop; it
//! reports what happens to a function of the caller's, as an [`Event`].

mod cost;
mod error;
mod lock;
mod manifest;
mod missing;
mod pool;
mod process;
mod program;
mod slot;
pub mod slurm;
mod snapshot;

pub use cost::{cost, epoch_operations};
pub use error::{Result, RunnerError};
pub use lock::OutputLock;
pub use manifest::{Manifest, ManifestRun};
pub use missing::{Missing, missing};
pub use pool::{Event, StopRequest, train_all};
pub use process::{INTERRUPTED, RunEnd, TrainingSetup, failure_reason};
pub use program::{TrainingProgram, copy_by_content, keep_program};
pub use slot::{Recorded, RunLock, RunSlot, refuse_other_versions};
pub use snapshot::{RunSnapshot, Snapshot, Stage};
