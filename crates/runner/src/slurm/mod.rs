//! A matrix as job arrays of Slurm: one task for each run, and the report behind them.
//!
//! There is no scheduler here. Slurm starts one task for each run on machines that share
//! the folder of results, and a task leaves the same files as a run on this machine.

mod client;
mod options;
mod queue;
mod submit;
mod task;

pub use options::SlurmOptions;
pub use queue::{Queue, QueueNotice};
pub use submit::{Submission, Submitter};
pub use task::Task;
