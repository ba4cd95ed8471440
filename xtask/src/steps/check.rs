//! Checks devices and data before any run starts. The training program does the checks, because
//! only that program can open devices and read images.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Context;
use kindling_formats::{
    DeviceReport, GENERATED, Host, ImageData, RunConfig, RunData, data_settings,
};
use kindling_runner::{TrainingProgram, failure_reason};

use super::build::{Build, build_program};
use crate::error::CommandError;
use crate::ui::output;

/// Builds the training program, and checks its devices and the data of `configs`, so that
/// errors in these are found before training. Returns the program and the data of each config.
///
/// # Errors
///
/// If the program does not build, a device cannot be opened, or images are missing or damaged,
/// or do not fit a config.
pub fn check_before_training(
    build: &Build,
    configs: &[RunConfig],
) -> Result<(TrainingProgram, Vec<RunData>), CommandError> {
    let program = build_program(build)?;
    for device in &build.devices {
        // The devices of CPU backends are always there.
        if device.backend.is_for_gpus() {
            let mut command = program.command();
            command.arg("open").arg(device.to_string());
            ask(command)?;
        }
    }
    let data = data_of(&program, configs)?;
    Ok((program, data))
}

/// Checks the images that `configs` train on, and that each config fits its images. Each data
/// set is read once. Returns the data of each config.
///
/// # Errors
///
/// If images are missing or damaged, or do not fit a config.
pub fn data_of(
    program: &TrainingProgram,
    configs: &[RunConfig],
) -> Result<Vec<RunData>, CommandError> {
    let mut known: HashMap<Vec<OsString>, RunData> = HashMap::new();
    let mut all = Vec::with_capacity(configs.len());
    for config in configs {
        let Some(images) = config.images() else {
            all.push(RunData {
                fingerprint: GENERATED.to_string(),
                info: None,
            });
            continue;
        };
        let arguments = data_arguments(images);
        let data = match known.get(&arguments) {
            Some(data) => data.clone(),
            None => read_data(program, &arguments)?,
        };
        if let Some(info) = &data.info {
            config.check_data(info).map_err(CommandError::input)?;
        }
        all.push(data.clone());
        known.insert(arguments, data);
    }
    Ok(all)
}

/// Measures all devices of the training program.
///
/// # Errors
///
/// If the program fails.
pub fn measure_devices(program: &TrainingProgram) -> Result<Vec<DeviceReport>, CommandError> {
    let mut command = program.command_with_threads(Host::cores());
    command.arg("devices");
    let printed = ask(command)?;
    Ok(serde_json::from_slice(&printed).context("`kindling devices` printed no list")?)
}

/// The arguments of `kindling data` that name `images`.
fn data_arguments(images: &ImageData) -> Vec<OsString> {
    let dir = images.dir.iter();
    let dir = dir.flat_map(|dir| ["--dir".into(), dir.clone().into_os_string()]);
    let settings = data_settings(images).into_iter();
    let settings = settings.flat_map(|one| ["--set".into(), one.to_string().into()]);
    dir.chain(settings).collect()
}

/// Checks the images that the arguments of `kindling data` name.
fn read_data(program: &TrainingProgram, arguments: &[OsString]) -> Result<RunData, CommandError> {
    let mut command = program.command();
    command.arg("data").args(arguments);
    let printed = ask(command)?;
    Ok(serde_json::from_slice(&printed).context("`kindling data` printed no fingerprint")?)
}

/// Runs a command of the training program that writes no files, and returns its output. Its
/// warnings are printed. If the command fails, the error is bad input.
fn ask(mut command: Command) -> Result<Vec<u8>, CommandError> {
    let program = command.get_program().to_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {}", Path::new(&program).display()))?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        for warning in stderr.lines().filter(|line| line.starts_with("warning: ")) {
            output::warn(warning);
        }
        return Ok(output.stdout);
    }
    Err(CommandError::bad_input(failure_reason(
        output.status,
        &stderr,
    )))
}
