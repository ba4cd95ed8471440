//! Checks devices and data before any run starts. The training program does the checks, because
//! only that program can open devices and read images.

use std::collections::HashMap;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, anyhow};
use kindling_formats::{DeviceReport, GENERATED, Host, ImageData, RunConfig, Task};
use kindling_runner::{TrainingProgram, failure_reason};
use serde::Deserialize;

use super::build::{Build, build_program};
use crate::error::CommandError;
use crate::ui::{self, output};

/// The output of `kindling data` about a folder of images.
#[derive(Debug, Clone, Deserialize)]
struct DataReport {
    fingerprint: String,
    /// The number of training images.
    train: usize,
    /// The number of test images.
    test: usize,
}

/// Builds the training program, and checks its devices and the data of `configs`, so that
/// errors in these are found before training. Returns the program and the fingerprint of each
/// config's data.
///
/// # Errors
///
/// If the program does not build, a device cannot be opened, or images are missing, damaged
/// or too few.
pub fn check_before_training(
    build: &Build,
    configs: &[RunConfig],
) -> Result<(TrainingProgram, Vec<String>), CommandError> {
    let program = build_program(build)?;
    for device in &build.devices {
        // The devices of CPU backends are always there.
        if device.backend.is_for_gpus() {
            let mut command = program.command();
            command.arg("open").arg(device.to_string());
            ask(command)?;
        }
    }
    let fingerprints = data_fingerprints(&program, configs)?;
    Ok((program, fingerprints))
}

/// Checks the images that `configs` train on, and that there are as many as each config asks
/// for. Each folder is read once. Returns the fingerprint of each config's data.
///
/// # Errors
///
/// If images are missing, damaged or too few.
pub fn data_fingerprints(
    program: &TrainingProgram,
    configs: &[RunConfig],
) -> Result<Vec<String>, CommandError> {
    let mut known: HashMap<Option<&Path>, DataReport> = HashMap::new();
    let mut fingerprints = Vec::with_capacity(configs.len());
    for config in configs {
        let Some(images) = config.images() else {
            fingerprints.push(GENERATED.to_string());
            continue;
        };
        let dir = images.dir.as_deref();
        let data = match known.get(&dir) {
            Some(data) => data.clone(),
            None => read_data(program, dir)?,
        };
        check_number_of_images(config, images, &data)?;
        fingerprints.push(data.fingerprint.clone());
        known.insert(dir, data);
    }
    Ok(fingerprints)
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

/// Checks the images in the folder `dir`, or the repository's MNIST if `dir` is `None`.
fn read_data(program: &TrainingProgram, dir: Option<&Path>) -> Result<DataReport, CommandError> {
    let mut command = program.command();
    command.arg("data");
    if let Some(dir) = dir {
        command.arg("--dir").arg(dir);
    }
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

/// Checks that there are as many images as a config asks for, and for PCA at least as many
/// as components.
fn check_number_of_images(
    config: &RunConfig,
    images: &ImageData,
    found: &DataReport,
) -> Result<(), CommandError> {
    let place = match &images.dir {
        Some(dir) => ui::path(dir),
        None => "MNIST".into(),
    };
    for (split, wanted, found) in [
        ("train", images.train, found.train),
        ("test", images.test, found.test),
    ] {
        if let Some(wanted) = wanted.filter(|&wanted| wanted > found) {
            return Err(CommandError::input(anyhow!(
                "{}: `data.{split}` asks for {wanted} images, and {place} has {found}; ask for \
                 fewer, or leave the key out for all",
                config.cell
            )));
        }
    }
    let train = images.train.unwrap_or(found.train);
    let validation = images.validation.unwrap_or(0);
    if validation >= train {
        return Err(CommandError::input(anyhow!(
            "{}: `data.validation` holds out {validation} of {train} training images, which \
             leaves none to learn from; use a number below {train}",
            config.cell
        )));
    }
    let train = train - validation;
    if let Task::Pca(task) = &config.task
        && task.model.components > train
    {
        return Err(CommandError::input(anyhow!(
            "{}: `model.components` asks for {} components, and {train} images have at most \
             {train}; ask for fewer",
            config.cell,
            task.model.components
        )));
    }
    Ok(())
}
