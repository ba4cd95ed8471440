//! `cargo xtask parity`: trains on two backends in lockstep and finds the first step and
//! layer at which they differ by more than rounding.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{ExitCode, Stdio};

use anyhow::{Context, anyhow};
use kindling_formats::{
    CsvRow, DeviceName, Host, ParityStep, Precision, RunConfig, write_atomic, write_csv,
};
use kindling_report::{Align, plain_table};
use kindling_runner::{TrainingProgram, failure_reason};
use serde::{Deserialize, Serialize};

use super::difference::{Tolerance, first_difference, gradient_gap, loss_gap, weights_gap};
use crate::cli::Parity;
use crate::error::{CommandError, CommandResult};
use crate::steps::{Request, cells_or, check_before_training};
use crate::ui::{self, output};

/// The cells that are compared if the user names none: one of each family that has training
/// steps, and both kinds of classifier.
const CELLS: [&str; 4] = ["convnet-y1", "mlp", "convnet", "ae"];

/// The largest relative difference of the loss that counts as rounding between CPU backends.
/// docs/backends.md has the largest differences that were measured over 50 steps.
const ON_CPUS: f64 = 1e-4;
/// The largest relative difference of the loss that counts as rounding if a backend is for GPUs.
const ON_GPUS: f64 = 1e-3;
/// The tolerance of gradients and weights, as a multiple of the tolerance of the loss. It is
/// larger for two reasons. A loss is a mean, and the rounding errors in a mean cancel each
/// other. And if two inputs of a max-pool are nearly equal, rounding decides which of them
/// receives the gradient; with few images, one such case is a large part of the gradient of a
/// convolution.
const OF_LAYERS: f64 = 30.0;

/// The columns of the table of results.
const COLUMNS: [(&str, Align); 7] = [
    ("cell", Align::Left),
    ("backends", Align::Left),
    ("steps", Align::Right),
    ("loss", Align::Right),
    ("gradient", Align::Right),
    ("weights", Align::Right),
    ("verdict", Align::Left),
];

/// A row of `parity/CELL/ONE-OTHER.csv`: one step.
#[derive(Serialize, Deserialize)]
struct Row {
    step: usize,
    one_loss: Option<f64>,
    other_loss: Option<f64>,
    loss_gap: f64,
    gradient_gap: f64,
    gradient_of: String,
    weights_gap: f64,
    weights_of: String,
}

impl CsvRow for Row {
    const COLUMNS: &'static [&'static str] = &[
        "step",
        "one_loss",
        "other_loss",
        "loss_gap",
        "gradient_gap",
        "gradient_of",
        "weights_gap",
        "weights_of",
    ];
}

/// Compares the first device with each other device on every cell, and prints a table with one
/// line for each comparison.
pub fn parity(flags: &Parity) -> CommandResult {
    if let Some(tolerance) = flags.tolerance
        && !(tolerance >= 0.0 && tolerance.is_finite())
    {
        return Err(CommandError::bad_input(format!(
            "--tolerance {tolerance}: must be a finite number, 0 or larger"
        )));
    }
    let size = flags.size.size();
    let request = Request::comparison(
        &flags.compared,
        &flags.changes,
        size,
        flags.precision,
        &flags.folders,
    )?;
    let configs = configs(flags, &request)?;
    let folder = request.out.join("parity");
    let (program, _) = check_before_training(&request.build, &configs)?;

    let mut rows = Vec::new();
    let mut all_equal = true;
    let first = request.build.device();
    for config in &configs {
        for &other in &request.build.devices[1..] {
            output::note(format_args!(
                "comparing {} on {first} and {other}",
                config.cell
            ));
            let pair = [first, other];
            let steps = compare(flags, &program, config, pair, &folder)?;
            let difference = describe(&steps, flags.steps, tolerance(flags, pair));
            all_equal &= difference.is_none();
            // `fold` with `max` is right, because a gap is never NaN.
            let largest = |gap: &dyn Fn(&ParityStep) -> f64| {
                format!("{:.1e}", steps.iter().map(gap).fold(0.0, f64::max))
            };
            rows.push([
                config.cell.clone(),
                format!("{first} {other}"),
                steps.len().to_string(),
                largest(&loss_gap),
                largest(&|step| gradient_gap(step).0),
                largest(&|step| weights_gap(step).0),
                difference.unwrap_or_else(|| "equal".into()),
            ]);
        }
    }
    output::print(plain_table(&COLUMNS, rows));
    output::print(format_args!(
        "Each number is the largest relative difference in any step. All steps are in {}",
        ui::path(&folder)
    ));
    Ok(if all_equal {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The configs of the cells to compare.
fn configs(flags: &Parity, request: &Request) -> Result<Vec<RunConfig>, CommandError> {
    let names = cells_or(&flags.cells, &CELLS);
    let seeds = flags.seed..flags.seed + 1;
    let configs = request.configs(&names, seeds, &request.selection)?;
    match configs.iter().find(|config| config.task.epochs() == 0) {
        None => Ok(configs),
        Some(config) => Err(CommandError::bad_input(format!(
            "{} has no training steps; name a cell that trains by gradient steps",
            config.cell
        ))),
    }
}

fn tolerance(flags: &Parity, devices: [DeviceName; 2]) -> Tolerance {
    let default = if devices.iter().any(|device| device.backend.is_for_gpus()) {
        ON_GPUS
    } else {
        ON_CPUS
    };
    let loss = flags.tolerance.unwrap_or(default);
    Tolerance {
        loss,
        layers: OF_LAYERS * loss,
    }
}

/// Trains a cell on both devices in one process. Writes the steps that the process prints to a
/// CSV file, and returns them.
fn compare(
    flags: &Parity,
    program: &TrainingProgram,
    config: &RunConfig,
    devices: [DeviceName; 2],
    folder: &Path,
) -> anyhow::Result<Vec<ParityStep>> {
    let folder = folder.join(&config.cell);
    write_atomic(&folder.join("config.toml"), config.to_toml().as_bytes())?;
    let mut command = program.command_with_threads(Host::cores());
    command
        .arg("parity")
        .arg(&folder)
        .args(devices.map(|device| device.to_string()))
        .args(["--steps", &flags.steps.to_string()]);
    for (flag, is_set) in [
        ("--dropout", flags.dropout),
        ("--drift", flags.drift),
        ("--mixed", flags.precision == Precision::Mixed),
    ] {
        if is_set {
            command.arg(flag);
        }
    }
    let stderr = tempfile::NamedTempFile::new().context("cannot make a temporary file")?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(stderr.reopen()?)
        .spawn()
        .context("cannot start kindling")?;
    let mut steps: Vec<ParityStep> = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines() {
            steps.push(
                serde_json::from_str(&line?)
                    .context("kindling printed a line that is not a step")?,
            );
        }
    }
    let status = child.wait()?;
    let [one, other] = devices;
    if !status.success() {
        let stderr = std::fs::read_to_string(stderr.path()).unwrap_or_default();
        return Err(anyhow!(
            "{} on {one} and {other}: {}",
            config.cell,
            failure_reason(status, &stderr)
        ));
    }
    if steps.is_empty() {
        return Err(anyhow!(
            "{} on {one} and {other}: kindling took no step, so nothing was compared",
            config.cell
        ));
    }
    let rows: Vec<Row> = steps.iter().map(row).collect();
    // Some file systems refuse the colon in `wgpu:1`.
    let name = format!("{one}-{other}.csv").replace(':', "");
    write_csv(&folder.join(name), &rows)?;
    Ok(steps)
}

fn row(step: &ParityStep) -> Row {
    let (gradient_gap, gradient_of) = gradient_gap(step);
    let (weights_gap, weights_of) = weights_gap(step);
    Row {
        step: step.step,
        one_loss: step.losses[0],
        other_loss: step.losses[1],
        loss_gap: loss_gap(step),
        gradient_gap,
        gradient_of: gradient_of.into(),
        weights_gap,
        weights_of: weights_of.into(),
    }
}

/// Where the devices differ first, or that there are fewer than `steps_asked` steps. `None` if
/// the devices agree in all steps.
fn describe(steps: &[ParityStep], steps_asked: u64, tolerance: Tolerance) -> Option<String> {
    let Some(difference) = first_difference(steps, tolerance) else {
        let is_whole = steps.len() as u64 == steps_asked;
        return (!is_whole).then(|| {
            let count = steps.len();
            format!("equal, but the training ended after {count} of {steps_asked} steps")
        });
    };
    let mut what = difference.what.iter();
    let (first, gap) = what.next()?;
    let more = match what.count() {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    Some(format!(
        "differs at step {}: {first} by {gap:.1e}{more}",
        difference.step
    ))
}
