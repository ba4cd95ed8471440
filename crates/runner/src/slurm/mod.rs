//! Submits a matrix to Slurm: as job arrays with one task for each run, and a job that writes
//! the report after them.
//!
//! Slurm schedules the tasks. They run on machines that share the output folder, and a task
//! writes the same files as a run on this machine.

mod client;
mod options;
mod queue;
mod submit;
mod task;

pub use options::SlurmOptions;
pub use queue::{Queue, QueueNotice};
pub use submit::{Submission, Submitter};
pub use task::Task;
