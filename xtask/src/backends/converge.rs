//! `cargo xtask converge`: trains the same cells on several backends and compares the
//! accuracy that they reach.

use std::process::ExitCode;

use anyhow::anyhow;
use kindling_formats::{DeviceName, Layout, Precision, RunConfig, Selection, Setting, Size, Task};
use kindling_report::{Align, plain_table};
use kindling_runner::{OutputLock, RunSlot, TrainingProgram, refuse_other_versions};

use crate::cli::Converge;
use crate::error::{CommandError, CommandResult};
use crate::steps::{Request, cells_or, check_before_training, jobs_at_a_time, train_runs};
use crate::ui::{self, output};

/// The cells that are trained if the user names none.
const CELLS: [&str; 2] = ["mlp", "convnet"];
/// The number of training images, as a setting.
const IMAGES: &str = "data.train=10000";
/// The number of test images if a config does not set it.
const TESTS: usize = 10_000;

/// Trains the cells on each device, and prints one line for each cell and device.
pub fn converge(flags: &Converge) -> CommandResult {
    let (compared, changes) = (&flags.compared, &flags.changes);
    let precision = Precision::Full;
    let request = Request::comparison(compared, changes, Size::Full, precision, &flags.folders)?;
    let devices = &request.build.devices;
    let trainings: Vec<Vec<RunConfig>> = devices
        .iter()
        .map(|&device| configs(flags, &request, device))
        .collect::<Result<_, _>>()?;
    let out = request.out.join("converge");
    let lock_file = out.join(".lock");
    OutputLock::check(&lock_file)?;
    let layout_of = |device: &DeviceName| {
        let out = out.join(device.to_string().replace(':', ""));
        Layout::new(&out, Size::Full)
    };
    for device in devices {
        refuse_other_versions(&layout_of(device))?;
    }
    let (program, data) = check_before_training(&request.build, &trainings[0])?;
    let _lock = OutputLock::take(&lock_file)?;
    let mut accuracies = Vec::new();
    for (&device, configs) in devices.iter().zip(&trainings) {
        output::note(format_args!("training on {device}"));
        let program = TrainingProgram {
            device,
            ..program.clone()
        };
        let runs = RunSlot::all(configs.clone(), data.clone(), &layout_of(&device));
        accuracies.push(train(program, &runs)?);
    }
    Ok(compare(&trainings[0], devices, &accuracies))
}

/// The configs of all runs on a device: one for each cell and seed.
fn configs(
    flags: &Converge,
    request: &Request,
    device: DeviceName,
) -> Result<Vec<RunConfig>, CommandError> {
    let images: Setting = IMAGES.parse().map_err(CommandError::bad_input)?;
    let selection = request.selection_on(device);
    let selection = Selection {
        set: [vec![images], selection.set].concat(),
        ..selection
    };
    let names = cells_or(&flags.cells, &CELLS);
    let configs = request.configs(&names, 0..flags.seeds, &selection)?;
    match configs
        .iter()
        .find(|it| !matches!(it.task, Task::Classifier(_)))
    {
        None => Ok(configs),
        Some(config) => Err(CommandError::bad_input(format!(
            "{} has no accuracy; name cells of the family classifier",
            config.cell
        ))),
    }
}

/// Trains `runs`, and returns the test accuracy of each.
fn train(program: TrainingProgram, runs: &[RunSlot]) -> anyhow::Result<Vec<f64>> {
    let ends = train_runs(program, runs, jobs_at_a_time(runs, None), true);
    let accuracies = runs.iter().zip(ends).map(|(run, end)| {
        let folder = ui::path(run.training.path());
        let failed = |reason: &str| anyhow!("{} in {folder}: {reason}", run.name());
        match (end.failure, end.record) {
            (Some(reason), _) => Err(failed(&reason)),
            (None, None) => Err(failed("the training was stopped")),
            (None, Some(record)) => record
                .test_accuracy
                .ok_or_else(|| failed("the record has no accuracy")),
        }
    });
    accuracies.collect()
}

/// Prints the mean accuracy of each cell on each device and its difference from the first
/// device. `accuracies[device][run]` is in the order of `runs`.
fn compare(runs: &[RunConfig], devices: &[DeviceName], accuracies: &[Vec<f64>]) -> ExitCode {
    let columns = [
        ("cell", Align::Left),
        ("device", Align::Left),
        ("accuracy", Align::Right),
        ("difference", Align::Right),
        ("noise", Align::Right),
        ("", Align::Left),
    ];
    let mut rows = Vec::new();
    let mut all_equal = true;
    let mut start = 0;
    for seeds in runs.chunk_by(|one, other| one.cell == other.cell) {
        let of_cell = start..start + seeds.len();
        start += seeds.len();
        let mean = |all: &[f64]| all[of_cell.clone()].iter().sum::<f64>() / seeds.len() as f64;
        let reference = mean(&accuracies[0]);
        let tests = seeds[0].images().and_then(|images| images.test);
        let noise = noise(reference, tests.unwrap_or(TESTS));
        for (device, accuracies) in devices.iter().zip(accuracies) {
            let difference = mean(accuracies) - reference;
            // A NaN counts as a difference.
            let differs = !difference.is_finite() || noise.is_nan() || difference.abs() > noise;
            all_equal &= !differs;
            rows.push([
                seeds[0].cell.clone(),
                device.to_string(),
                format!("{:.4}", mean(accuracies)),
                format!("{difference:+.4}"),
                format!("{noise:.4}"),
                if differs { "differs" } else { "" }.into(),
            ]);
        }
    }
    output::print(plain_table(&columns, rows).trim_end());
    if all_equal {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Two standard errors of the difference of two accuracies near `accuracy`, each measured on
/// `tests` images. The formula is for two independent samples of images. Both backends are
/// tested on the same images, so the true standard error is smaller.
fn noise(accuracy: f64, tests: usize) -> f64 {
    2.0 * (2.0 * accuracy * (1.0 - accuracy) / tests as f64).sqrt()
}
