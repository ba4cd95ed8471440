//! `kindling devices`: the devices that this build can use, and their speed.

use kindling_formats::{DeviceReport, Host};
use kindling_harness::RunError;

use crate::output::print;
use crate::threads::join_thread_pool;

/// Measures every device that this build can use, and prints a JSON list of
/// [`DeviceReport`]s.
///
/// # Errors
///
/// If the devices of a backend cannot be listed, or standard output cannot be written. A
/// backend that finds no GPU is left out.
pub fn devices() -> Result<(), RunError> {
    join_thread_pool();
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
