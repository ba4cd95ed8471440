//! `cargo xtask backends`: the devices of each backend and their measured speed.

use std::process::ExitCode;

use kindling_formats::{Backend, DeviceReport};
use kindling_report::{Align, plain_table};

use crate::cli::Backends;
use crate::error::CommandResult;
use crate::steps::{Build, build_program, measure_devices};
use crate::ui::output;

/// Measures all devices and prints one line for each.
pub fn devices(flags: &Backends) -> CommandResult {
    let backends = match flags.build.backend.as_slice() {
        [] => &[Backend::Flex],
        named => named,
    };
    let program = build_program(&Build::with(backends, &flags.build.extras.with))?;
    let devices = measure_devices(&program)?;
    if flags.json {
        output::print_json(&devices)?;
        return Ok(ExitCode::SUCCESS);
    }
    output::print(table(backends, &devices).trim_end());
    Ok(ExitCode::SUCCESS)
}

/// One line for each device, and one for each backend without a device.
fn table(compiled: &[Backend], devices: &[DeviceReport]) -> String {
    let columns = [
        ("backend", Align::Left),
        ("device", Align::Left),
        ("product", Align::Right),
        ("latency", Align::Right),
        ("name", Align::Left),
    ];
    let mut rows = Vec::new();
    for backend in Backend::ALL {
        let name = backend.name();
        let found = devices.iter().filter(|device| {
            device.device == name || device.device.starts_with(&format!("{name}:"))
        });
        let before = rows.len();
        rows.extend(found.map(|device| {
            [
                name.into(),
                device.device.clone(),
                speed(device.product, "GFlop/s"),
                speed(device.latency, "us"),
                device.name.clone(),
            ]
        }));
        if rows.len() == before {
            let reason = if compiled.contains(&backend) {
                "no such device on this machine".into()
            } else {
                format!("not compiled in: add it to --backend, as in --backend flex,{name}")
            };
            let dash = || String::from("-");
            rows.push([name.into(), dash(), dash(), dash(), reason]);
        }
    }
    plain_table(&columns, rows)
}

/// A measured speed with its unit.
fn speed(value: Option<f64>, unit: &str) -> String {
    match value {
        None => "failed".into(),
        Some(value) if value < 10.0 => format!("{value:.1} {unit}"),
        Some(value) => format!("{value:.0} {unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backend_without_a_device_has_a_line_with_the_reason() {
        let device = DeviceReport {
            device: "flex".into(),
            name: "a processor".into(),
            product: Some(212.4),
            latency: Some(1.25),
        };
        let table = table(&[Backend::Flex, Backend::Wgpu], &[device]);
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines.len(), 5);
        assert!(
            lines[1].ends_with("212 GFlop/s   1.2 us  a processor"),
            "{}",
            lines[1]
        );
        assert!(lines[2].contains("not compiled in"), "{}", lines[2]);
        assert!(lines[3].contains("no such device"), "{}", lines[3]);
    }
}
