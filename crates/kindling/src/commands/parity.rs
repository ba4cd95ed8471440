//! `kindling parity`: the same training on two devices, compared step by step.

use std::path::Path;

use kindling_formats::{DeviceName, ParityStep, Precision, RunDir, Task};
use kindling_harness::{Lockstep, RunError};

use crate::cli::ParityFlags;
use crate::output::print;
use crate::threads::join_thread_pool;

/// Takes the training steps of the run in `dir` on both devices, and prints a line of JSON
/// with a [`ParityStep`] after each step.
///
/// # Errors
///
/// If the config cannot be read, a device cannot be opened, the run's family takes no
/// training steps, or standard output cannot be written.
pub fn parity(dir: &Path, flags: &ParityFlags) -> Result<(), RunError> {
    let config = RunDir::new(dir).read_config()?;
    join_thread_pool();
    let open = |name: DeviceName| {
        let precision = if flags.mixed && name.backend.is_for_gpus() {
            Precision::Mixed
        } else {
            Precision::Full
        };
        kindling_harness::open(name, precision).map(|opened| opened.device)
    };
    let lockstep = Lockstep {
        devices: [open(flags.first)?, open(flags.second)?],
        seed: config.seed,
        steps: flags.steps,
        dropout: flags.dropout,
        drift: flags.drift,
    };
    let mut printed = Ok(());
    let mut tell = |step: ParityStep| {
        if printed.is_ok() {
            let json = serde_json::to_string(&step);
            printed = json
                .map_err(|error| RunError::Other(error.to_string()))
                .and_then(|json| print(&json));
        }
    };
    let followed = match &config.task {
        Task::Regression(task) => kindling_regression::parity(task, &lockstep, &mut tell),
        Task::Classifier(task) => kindling_classifiers::parity(task, &lockstep, &mut tell),
        Task::Autoencoder(task) => kindling_autoencoder::parity(task, &lockstep, &mut tell),
        Task::Gradients(_) | Task::Pca(_) => Err(RunError::NoSteps(config.cell)),
    };
    followed.and(printed)
}
