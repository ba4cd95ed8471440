//! `kindling parity`: the same training on two devices, compared step by step.

use std::path::Path;

use kindling_formats::{DeviceName, ParityStep, Precision, RunConfig, RunDir, Task};
use kindling_harness::{Lockstep, RunError};

use crate::cli::ParityFlags;
use crate::output::print;
use crate::threads::join_thread_pool;

/// Performs the training steps of the run in `dir` on both devices, and prints a line of JSON
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
        kindling_harness::open_device(name, precision).map(|opened| opened.device)
    };
    let lockstep = Lockstep {
        devices: [open(flags.first)?, open(flags.second)?],
        seed: config.seed,
        steps: flags.steps,
        dropout: flags.dropout,
        drift: flags.drift,
    };
    let mut printed = Ok(());
    let mut report = |step: ParityStep| {
        if printed.is_ok() {
            let json = serde_json::to_string(&step);
            printed = json
                .map_err(|error| RunError::Other(error.to_string()))
                .and_then(|json| print(&json));
        }
    };
    compare_family(&config, &lockstep, &mut report).and(printed)
}

/// Calls the `parity` function of a family. If the list of families names no such function,
/// the error is [`RunError::NoSteps`]: the family takes no training steps.
macro_rules! compare {
    ($config:ident, $task:ident, $lockstep:ident, $report:ident) => {{
        let _ = ($task, $lockstep, $report);
        Err(RunError::NoSteps($config.cell.clone()))
    }};
    ($config:ident, $task:ident, $lockstep:ident, $report:ident, $parity:path) => {
        $parity($task, $lockstep, $report)
    };
}

/// Defines `compare_family` for the list of families that calls this macro.
macro_rules! define_compare_family {
    ($(
        $(#[$doc:meta])*
        $variant:ident($module:ident::$task:ident) {
            train: $train:path,
            $(parity: $parity:path,)?
        }
    )*) => {
        /// Compares two devices with the `parity` function of the run's family. `report` is
        /// called after each training step.
        fn compare_family(
            config: &RunConfig,
            lockstep: &Lockstep,
            report: &mut dyn FnMut(ParityStep),
        ) -> Result<(), RunError> {
            match &config.task {
                $(Task::$variant(task) => compare!(config, task, lockstep, report $(, $parity)?),)*
            }
        }
    };
}

kindling_formats::families!(define_compare_family);
