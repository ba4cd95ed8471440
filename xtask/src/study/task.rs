//! `cargo xtask task`: trains one run of a job array. Slurm starts it.

use kindling_runner::slurm::Task as SlurmTask;

use crate::cli::Task;
use crate::error::CommandResult;
use crate::steps::{exit_code, workspace};
use crate::ui::{MatrixProgress, interrupt, output};

/// Trains the run of a task in the same way as a matrix on this machine.
pub fn task(flags: &Task) -> CommandResult {
    let threads = std::env::var("SLURM_CPUS_PER_TASK").ok();
    let threads = threads
        .and_then(|threads| threads.parse().ok())
        .unwrap_or(1);
    let task = SlurmTask::read(&flags.tasks, flags.index, threads, workspace::root())?;
    interrupt::start_counting();
    let mut progress = MatrixProgress::new(std::slice::from_ref(task.run()), 1);
    let end = task.train(interrupt::stop_request, |event| progress.observe(event));
    progress.close();
    for warning in &end.warnings {
        output::warn(format_args!("warning: {warning}"));
    }
    if let Some(failure) = &end.failure {
        output::warn(format_args!(
            "error: {} failed: {failure}",
            task.run().name()
        ));
    }
    Ok(exit_code(&[end]))
}
