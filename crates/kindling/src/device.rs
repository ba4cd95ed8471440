//! What this build can compute on, and how alike.

use std::path::Path;

use kindling_formats::{
    DeviceName, DeviceReport, Host, ParityStep, Precision, RunConfig, RunDir, Task,
};
use kindling_harness::{Lockstep, RunError};

use crate::cli::Parity;
use crate::output::print;

/// Prints every device, measured.
pub fn devices() -> Result<(), RunError> {
    join_the_pool();
    let mut reports = Vec::new();
    for backend in kindling_harness::compiled_backends() {
        let devices = match kindling_harness::list_devices(backend) {
            Ok(devices) => devices,
            Err(RunError::NoGpu(_)) => continue,
            Err(error) => return Err(error),
        };
        for device in devices {
            let speed = kindling_harness::measure_speed(&device.device).ok();
            reports.push(DeviceReport {
                device: device.name.to_string(),
                name: device.adapter().unwrap_or_else(|| Host::detect(1).cpu),
                product: speed.map(|speed| speed.product / 1e9),
                latency: speed.map(|speed| speed.latency.as_secs_f64() * 1e6),
            });
        }
    }
    let json = serde_json::to_string(&reports);
    print(&json.map_err(|error| RunError::Other(error.to_string()))?)
}

/// Follows the run of `dir` on two devices.
pub fn parity(dir: &Path, flags: &Parity) -> Result<(), RunError> {
    let config = RunDir::new(dir).read_config()?;
    join_the_pool();
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
    let mut tell = |step: ParityStep| {
        if printed.is_ok() {
            let json = serde_json::to_string(&step);
            printed = json
                .map_err(|error| RunError::Other(error.to_string()))
                .and_then(|json| print(&json));
        }
    };
    follow_family(&config, &lockstep, &mut tell).and(printed)
}

/// Calls the function that follows a family on two devices, or refuses a family that has
/// none.
macro_rules! follow {
    ($config:ident, $task:ident, $lockstep:ident, $report:ident) => {{
        let _ = ($task, $lockstep, $report);
        Err(RunError::NoSteps($config.cell.clone()))
    }};
    ($config:ident, $task:ident, $lockstep:ident, $report:ident, $parity:path) => {
        $parity($task, $lockstep, $report)
    };
}

macro_rules! define_follow_family {
    ($(
        $(#[$doc:meta])*
        $variant:ident($module:ident::$task:ident) {
            train: $train:path,
            $(parity: $parity:path,)?
        }
    )*) => {
        /// Follows a run of any family on two devices, as the list of families says.
        fn follow_family(
            config: &RunConfig,
            lockstep: &Lockstep,
            report: &mut dyn FnMut(ParityStep),
        ) -> Result<(), RunError> {
            match &config.task {
                $(Task::$variant(task) => follow!(config, task, lockstep, report $(, $parity)?),)*
            }
        }
    };
}

kindling_formats::families!(define_follow_family);

/// Makes this thread one of those that compute. From outside their pool, each of
/// the thousands of small operations would be handed over, and this thread put to
/// sleep and woken. It fails only where a pool is there.
pub fn join_the_pool() {
    let _ = rayon::ThreadPoolBuilder::new()
        .use_current_thread()
        .build_global();
}
