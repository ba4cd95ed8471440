//! `cargo xtask backends`: what is compiled in, what the machine offers, and a
//! small measured speed of each.

use std::process::ExitCode;

use kindling_formats::{Backend, DeviceReport};

use crate::flags::Backends;
use crate::kindling::{Build, Kindling};
use crate::say;
use crate::stop::Outcome;

/// Asks the binary, and prints a line a device.
pub fn run(flags: &Backends) -> Outcome {
    let backends = match flags.built.backend.as_slice() {
        [] => &[Backend::Flex],
        named => named,
    };
    let devices = Kindling::build(&Build::with(backends, &flags.built.extras.with))?.devices()?;
    if flags.json {
        say::json(&devices)?;
        return Ok(ExitCode::SUCCESS);
    }
    for line in table(backends, &devices) {
        say::out(line.trim_end());
    }
    Ok(ExitCode::SUCCESS)
}

fn table(compiled: &[Backend], devices: &[DeviceReport]) -> Vec<String> {
    let head = ["backend", "device", "product", "latency", "name"];
    let mut rows = vec![head.map(String::from)];
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
                of(device.product, "GFlop/s"),
                of(device.latency, "us"),
                device.name.clone(),
            ]
        }));
        if rows.len() == before {
            let why = if compiled.contains(&backend) {
                "no such device on this machine".into()
            } else {
                format!("not compiled in: add it to --backend, as in --backend flex,{name}")
            };
            let dash = || String::from("-");
            rows.push([name.into(), dash(), dash(), dash(), why]);
        }
    }
    let width = |column: usize| {
        let lengths = rows.iter().map(|row| row[column].chars().count());
        lengths.max().unwrap_or(0)
    };
    let widths = [width(0), width(1), width(2), width(3)];
    rows.iter()
        .map(|[backend, device, product, latency, name]| {
            format!(
                "{backend:<0$}  {device:<1$}  {product:>2$}  {latency:>3$}  {name}",
                widths[0], widths[1], widths[2], widths[3],
            )
        })
        .collect()
}

fn of(value: Option<f64>, unit: &str) -> String {
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
    fn every_backend_has_a_line_and_says_why_it_has_no_device() {
        let device = DeviceReport {
            device: "flex".into(),
            name: "a processor".into(),
            product: Some(212.4),
            latency: Some(1.25),
        };
        let lines = table(&[Backend::Flex, Backend::Wgpu], &[device]);
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
