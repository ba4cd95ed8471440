//! `cargo xtask parity`: one training on two backends in lockstep, and the first
//! step and layer at which they part.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{ExitCode, Stdio};

use anyhow::{Context, anyhow};
use kindling_formats::{
    CsvRow, DeviceName, ParityStep, Precision, RunConfig, Tolerance, parting, write_atomic,
    write_csv,
};
use serde::{Deserialize, Serialize};

use crate::child::reason;
use crate::flags::Parity;
use crate::kindling::Kindling;
use crate::stop::{Outcome, Stop};
use crate::{say, select, workspace};

/// The cells that are followed where none is named: one of each family, and both
/// kinds of classifier.
const CELLS: [&str; 4] = ["convnet-y1", "mlp", "convnet", "ae"];

/// The differences that we call rounding: relative, of the loss. The largest over
/// 50 steps stand in README.md.
const ON_CPUS: f64 = 1e-4;
const ON_GPUS: f64 = 1e-3;
/// Gradients and weights may differ by so much more. A loss is a mean, whose
/// rounding errors cancel; and where two numbers are nearly equal, rounding decides
/// which of them a max-pool lets the gradient pass to. With few images one such case
/// is much of a convolution's gradient.
const OF_LAYERS: f64 = 30.0;

/// A row of `parity/CELL/ONE-OTHER.csv`.
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

/// Follows every cell on every pair, and prints a line each.
pub fn run(flags: &Parity) -> Outcome {
    let build = flags.compared.build()?;
    if let Some(tolerance) = flags.tolerance
        && !(tolerance >= 0.0 && tolerance.is_finite())
    {
        return Err(Stop::input(anyhow!(
            "--tolerance {tolerance}: must be 0 or a finite number above it"
        )));
    }
    let configs = configs(flags, build.device())?;
    let folder = workspace::out(&flags.folders)?.join("parity");
    let (kindling, _) = Kindling::ready(&build, &configs)?;

    let width = configs.iter().map(|config| config.cell.len()).max();
    let width = width.unwrap_or(0);
    say::out(format_args!(
        "{:<width$}  {:<15}  {:>5}  {:>8}  {:>8}  {:>8}  verdict",
        "cell", "backends", "steps", "loss", "gradient", "weights"
    ));
    let mut equal = true;
    for config in &configs {
        for &other in &build.devices[1..] {
            let pair = [build.device(), other];
            let steps = follow(flags, &kindling, config, pair, &folder)?;
            let verdict = judge(&steps, flags.steps, tolerance(flags, pair));
            equal &= verdict.is_none();
            // A gap is never NaN, and there are steps.
            let most = |gap: &dyn Fn(&ParityStep) -> f64| {
                format!("{:.1e}", steps.iter().map(gap).fold(0.0, f64::max))
            };
            say::out(format_args!(
                "{:<width$}  {:<15}  {:>5}  {:>8}  {:>8}  {:>8}  {}",
                config.cell,
                format!("{} {other}", build.device()),
                steps.len(),
                most(&|step| step.loss_gap()),
                most(&|step| step.gradient_gap().0),
                most(&|step| step.weights_gap().0),
                verdict.unwrap_or_else(|| "equal".into()),
            ));
        }
    }
    say::out(format_args!(
        "\nlargest relative differences of all steps; every step is in {}",
        workspace::shown(&folder)
    ));
    Ok(if equal {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn configs(flags: &Parity, device: DeviceName) -> Result<Vec<RunConfig>, Stop> {
    let study = workspace::study(&flags.folders)?;
    let size = flags.length.size();
    let selection = select::selection(&flags.changes, size, device, Precision::Full)?;
    let named = flags.cells.iter().map(String::as_str);
    let names: Vec<&str> = if flags.cells.is_empty() {
        CELLS.to_vec()
    } else {
        named.collect()
    };
    let configs = names.into_iter().map(|name| {
        let cell = study.cell(name).map_err(Stop::input)?;
        let config = study.resolve(cell, flags.seed, &selection);
        let config = config.map_err(Stop::input)?;
        if config.task.epochs() == 0 {
            return Err(Stop::input(anyhow!(
                "{name} takes no training steps; name a cell that does"
            )));
        }
        Ok(config)
    });
    configs.collect()
}

fn tolerance(flags: &Parity, devices: [DeviceName; 2]) -> Tolerance {
    let usual = if devices.iter().any(|device| device.backend.is_for_gpus()) {
        ON_GPUS
    } else {
        ON_CPUS
    };
    let loss = flags.tolerance.unwrap_or(usual);
    Tolerance {
        loss,
        layers: OF_LAYERS * loss,
    }
}

/// Runs both in a process, and keeps what it says of every step.
fn follow(
    flags: &Parity,
    kindling: &Kindling,
    config: &RunConfig,
    devices: [DeviceName; 2],
    folder: &Path,
) -> anyhow::Result<Vec<ParityStep>> {
    let folder = folder.join(&config.cell);
    write_atomic(&folder.join("config.toml"), config.to_toml().as_bytes())?;
    let mut command = kindling.parity(&folder, devices, flags.steps);
    for (flag, is_set) in [
        ("--dropout", flags.dropout),
        ("--drift", flags.drift),
        ("--mixed", flags.precision == Precision::Mixed),
    ] {
        if is_set {
            command.arg(flag);
        }
    }
    let said = tempfile::NamedTempFile::new().context("cannot make a temporary file")?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(said.reopen()?)
        .spawn()
        .context("cannot start kindling")?;
    let mut steps: Vec<ParityStep> = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines() {
            steps.push(serde_json::from_str(&line?).context("kindling printed no step")?);
        }
    }
    let status = child.wait()?;
    let [one, other] = devices;
    if !status.success() {
        let said = std::fs::read_to_string(said.path()).unwrap_or_default();
        return Err(anyhow!(
            "{} on {one} and {other}: {}",
            config.cell,
            reason(status, &said)
        ));
    }
    if steps.is_empty() {
        return Err(anyhow!(
            "{} on {one} and {other}: kindling took no step, so nothing was compared",
            config.cell
        ));
    }
    let rows: Vec<Row> = steps.iter().map(row).collect();
    // `wgpu:1` is no name that every file system takes.
    let name = format!("{one}-{other}.csv").replace(':', "");
    write_csv(&folder.join(name), &rows)?;
    Ok(steps)
}

fn row(step: &ParityStep) -> Row {
    let (gradient_gap, gradient_of) = step.gradient_gap();
    let (weights_gap, weights_of) = step.weights_gap();
    Row {
        step: step.step,
        one_loss: step.losses[0],
        other_loss: step.losses[1],
        loss_gap: step.loss_gap(),
        gradient_gap,
        gradient_of: gradient_of.into(),
        weights_gap,
        weights_of: weights_of.into(),
    }
}

/// `None` where the two agree in all the steps that were `asked` for, or else where
/// they part.
fn judge(steps: &[ParityStep], asked: u64, tolerance: Tolerance) -> Option<String> {
    let Some(parting) = parting(steps, tolerance) else {
        let is_whole = steps.len() as u64 == asked;
        return (!is_whole)
            .then(|| format!("equal as far as it went: {} of {asked} steps", steps.len()));
    };
    let mut what = parting.what.iter();
    let (first, gap) = what.next()?;
    let more = match what.count() {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    Some(format!(
        "part at step {}: {first} by {gap:.1e}{more}",
        parting.step
    ))
}
