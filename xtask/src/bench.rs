//! `cargo xtask bench`: how long an epoch takes, here, in Keras, and in theory.
//!
//! Times drift on a shared machine, so the two take turns, and what counts is
//! the ratio of neighbours. The floor is the arithmetic of an epoch at the rate
//! that the matrix product reaches in the same round. A convolution can go below
//! it: its backward pass leaves out the gradients that a pool makes zero.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use kindling_formats::{
    Backend, CsvRow, Host, ImageData, RunConfig, RunDir, Selection, Setting, Size, TimingRow,
    read_csv, write_atomic, write_csv,
};
use serde::{Deserialize, Serialize};

use crate::flags::Bench;
use crate::kindling::{self, Build, Kindling, cargo};
use crate::stop::{Outcome, Stop};
use crate::{say, workspace};

/// The cells whose ratios the project promises.
const CELLS: [&str; 4] = ["linear", "mlp", "ae", "convnet"];

/// What prints the rate of the matrix product.
const RATE: &str = "gemm-rate";

/// A row of `peers.csv`: a cell in a round. Seconds are of the last epoch.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Row {
    cell: String,
    round: u64,
    seconds: f64,
    keras_seconds: f64,
    ratio: f64,
    floor_seconds: f64,
    floor_ratio: f64,
    peak_mib: f64,
    keras_peak_mib: f64,
    test_loss: Option<f64>,
    keras_test_loss: Option<f64>,
    test_accuracy: Option<f64>,
    keras_test_accuracy: Option<f64>,
}

impl CsvRow for Row {
    const COLUMNS: &'static [&'static str] = &[
        "cell",
        "round",
        "seconds",
        "keras_seconds",
        "ratio",
        "floor_seconds",
        "floor_ratio",
        "peak_mib",
        "keras_peak_mib",
        "test_loss",
        "keras_test_loss",
        "test_accuracy",
        "keras_test_accuracy",
    ];
}

/// What a training in either framework showed.
#[derive(Debug, Deserialize)]
struct Measured {
    /// Of each epoch.
    seconds: Vec<f64>,
    test_loss: Option<f64>,
    test_accuracy: Option<f64>,
}

/// Trains every cell by turns and writes `bench/peers.csv`.
pub fn run(flags: &Bench) -> Outcome {
    let configs = configs(flags)?;
    let kindling = Kindling::build(&Build::with(&[Backend::Flex], &[]))?;
    let rate = build_rate()?;
    let python = python(&flags.python)?;
    let scratch = tempfile::tempdir().context("cannot make a temporary folder")?;
    let path = workspace::out(&flags.folders)?.join("bench/peers.csv");
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let mut rows: Vec<Row> = Vec::new();
    for round in 1..=flags.rounds {
        for (config, _) in &configs {
            let row = compare(config, round, &kindling, &rate, &python, scratch.path())
                .with_context(|| format!("{} in round {round}", config.cell))?;
            say::out(format_args!(
                "{:<14} round {round}  {:>7.2} s  Keras {:>7.2} s  ratio {:.2}  floor {:.2}",
                row.cell, row.seconds, row.keras_seconds, row.ratio, row.floor_ratio
            ));
            rows.push(row);
            write_csv(&path, &rows)?;
        }
    }
    say::out(format_args!(
        "\nMedians of {}, {} epochs each, {}",
        say::count(flags.rounds as usize, "round"),
        flags.epochs,
        say::count(Host::cores(), "thread"),
    ));
    say::out(format_args!(
        "{:<14} {:>9} {:>9} {:>12} {:>12} {:>9} {:>9}",
        "cell", "seconds", "Keras", "ours/Keras", "ours/floor", "MiB", "Keras MiB"
    ));
    let mut whole = [0.0, 0.0];
    for (config, epochs) in &configs {
        let of = |figure: fn(&Row) -> f64| {
            median(
                rows.iter()
                    .filter(|row| row.cell == config.cell)
                    .map(figure),
            )
        };
        let (seconds, keras_seconds) = (of(|row| row.seconds), of(|row| row.keras_seconds));
        whole[0] += *epochs as f64 * seconds;
        whole[1] += *epochs as f64 * keras_seconds;
        say::out(format_args!(
            "{:<14} {seconds:>9.2} {keras_seconds:>9.2} {:>12.2} {:>12.2} {:>9.0} {:>9.0}",
            config.cell,
            of(|row| row.ratio),
            of(|row| row.floor_ratio),
            of(|row| row.peak_mib),
            of(|row| row.keras_peak_mib),
        ));
    }
    say::out(format_args!(
        "\nAll epochs of these cells, one seed: {:.0} s, Keras {:.0} s, ratio {:.2}",
        whole[0],
        whole[1],
        whole[0] / whole[1]
    ));
    say::out(format_args!("\n{}", workspace::shown(&path)));
    Ok(ExitCode::SUCCESS)
}

/// The cells to compare, shortened to some epochs, each with those it has in the
/// study.
fn configs(flags: &Bench) -> Result<Vec<(RunConfig, usize)>, Stop> {
    let study = workspace::study(&flags.folders)?;
    let names: Vec<&str> = if flags.cells.is_empty() {
        CELLS.to_vec()
    } else {
        flags.cells.iter().map(String::as_str).collect()
    };
    let epochs = format!("train.epochs={}", flags.epochs);
    let epochs = epochs
        .parse()
        .map_err(|error| Stop::input(anyhow!("{error}")))?;
    let whole = selection(Vec::new());
    let short = selection(vec![epochs]);
    names
        .into_iter()
        .map(|name| {
            let cell = study.cell(name).map_err(Stop::input)?;
            let resolve = |selection| study.resolve(cell, 0, selection).map_err(Stop::input);
            let (config, epochs) = (resolve(&short)?, resolve(&whole)?.task.epochs());
            let all = |data: &ImageData| (&data.dir, data.train, data.test) == (&None, None, None);
            if config.epoch_operations().is_none() || !config.images().is_some_and(all) {
                return Err(Stop::input(anyhow!(
                    "{name} cannot be compared: name a cell that trains for epochs, and on all \
                     of MNIST as Keras does"
                )));
            }
            Ok((config, epochs))
        })
        .collect()
}

fn selection(set: Vec<Setting>) -> Selection {
    Selection {
        set,
        ..Selection::own(Size::Full)
    }
}

fn compare(
    config: &RunConfig,
    round: u64,
    kindling: &Kindling,
    rate: &Path,
    python: &Path,
    scratch: &Path,
) -> anyhow::Result<Row> {
    let per_second = 1e9 * rate_of_product(rate)?;
    let (ours, peak) = ours(config, kindling, scratch)?;
    let (theirs, keras_peak) = theirs(config, python, scratch)?;
    let last = |measured: &Measured| {
        measured
            .seconds
            .last()
            .copied()
            .context("no epoch was timed")
    };
    let (seconds, keras_seconds) = (last(&ours)?, last(&theirs)?);
    let floor_seconds = config.epoch_operations().unwrap_or(f64::NAN) / per_second;
    Ok(Row {
        cell: config.cell.clone(),
        round,
        seconds,
        keras_seconds,
        ratio: seconds / keras_seconds,
        floor_seconds,
        floor_ratio: seconds / floor_seconds,
        peak_mib: peak,
        keras_peak_mib: keras_peak,
        test_loss: ours.test_loss,
        keras_test_loss: theirs.test_loss,
        test_accuracy: ours.test_accuracy,
        keras_test_accuracy: theirs.test_accuracy,
    })
}

/// Trains `config` with all cores, as the one training at work.
fn ours(
    config: &RunConfig,
    kindling: &Kindling,
    scratch: &Path,
) -> anyhow::Result<(Measured, f64)> {
    let dir = RunDir::new(scratch.join("ours"));
    if dir.path().exists() {
        std::fs::remove_dir_all(dir.path())?;
    }
    write_atomic(&dir.config(), config.to_toml().as_bytes())?;
    let mut command = kindling.train(dir.path(), Host::cores());
    let child = command.stdout(Stdio::null()).spawn()?;
    let (_, peak) = finish(child, "kindling")?;
    let record = dir.read_record()?.context("it left no record")?;
    let timing: Vec<TimingRow> = read_csv(&dir.timing())?;
    let measured = Measured {
        seconds: timing.iter().map(|row| row.seconds).collect(),
        test_loss: record.test_loss,
        test_accuracy: record.test_accuracy,
    };
    Ok((measured, peak))
}

/// Trains `config` in Keras.
fn theirs(config: &RunConfig, python: &Path, scratch: &Path) -> anyhow::Result<(Measured, f64)> {
    let (path, said) = (scratch.join("keras.toml"), scratch.join("keras.txt"));
    write_atomic(&path, config.to_toml().as_bytes())?;
    let child = Command::new(python)
        .arg(peers().join("keras_cell.py"))
        .arg(&path)
        .arg(workspace::root().join("crates/datasets/mnist"))
        .arg(config.task.epochs().to_string())
        .stdout(Stdio::piped())
        .stderr(File::create(&said)?) // TensorFlow greets at length
        .spawn()
        .context("cannot start Keras")?;
    let (output, peak) = finish(child, "Keras").with_context(|| {
        let said = std::fs::read_to_string(&said).unwrap_or_default();
        said.lines().last().unwrap_or_default().to_string()
    })?;
    let line = output.lines().last().unwrap_or_default();
    let measured = serde_json::from_str(line).context("Keras printed no figures")?;
    Ok((measured, peak))
}

/// What a child printed, and the most memory it had resident, in MiB, as Linux
/// counts it; NaN elsewhere.
fn finish(mut child: Child, name: &str) -> anyhow::Result<(String, f64)> {
    let status_file = PathBuf::from(format!("/proc/{}/status", child.id()));
    let mut peak = f64::NAN;
    while child.try_wait()?.is_none() {
        let status = std::fs::read_to_string(&status_file).unwrap_or_default();
        let high = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = high.and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<f64>().ok());
        peak = kib.map_or(peak, |kib| kib / 1024.0);
        std::thread::sleep(Duration::from_millis(20));
    }
    let output = child.wait_with_output()?;
    if !output.status.success() {
        bail!("{name} ended with {}", output.status);
    }
    Ok((String::from_utf8_lossy(&output.stdout).into_owned(), peak))
}

/// The folder of what we compare with.
fn peers() -> PathBuf {
    workspace::root().join("crates/bench/peers")
}

/// A Python with Keras, in a virtual environment below `target/`.
fn python(base: &str) -> anyhow::Result<PathBuf> {
    let environment = workspace::root().join("target/peers");
    let python = environment.join("bin/python");
    let wanted = std::fs::read_to_string(peers().join("requirements.txt"))?;
    let installed = environment.join("requirements.txt");
    if std::fs::read_to_string(&installed).is_ok_and(|there| there == wanted) {
        return Ok(python);
    }
    say::note(format_args!(
        "installing Keras into {}",
        workspace::shown(&environment)
    ));
    check(Command::new(base).args(["-m", "venv"]).arg(&environment)).with_context(|| {
        format!("{base} makes no virtual environment; name another by --python")
    })?;
    check(
        Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--requirement"])
            .arg(peers().join("requirements.txt")),
    )?;
    write_atomic(&installed, wanted.as_bytes())?;
    Ok(python)
}

/// Builds what measures the rate of the matrix product.
fn build_rate() -> anyhow::Result<PathBuf> {
    let output = Command::new(cargo())
        .args(["build", "--release", "--package", "kindling-bench"])
        .args(["--bin", RATE, "--message-format=json-render-diagnostics"])
        .current_dir(workspace::root())
        .stderr(Stdio::inherit())
        .output()?;
    kindling::executable(&String::from_utf8_lossy(&output.stdout), RATE)
        .with_context(|| format!("cargo did not build {RATE}; it says why above"))
}

/// In billions of operations a second, by all cores.
fn rate_of_product(rate: &Path) -> anyhow::Result<f64> {
    let child = Command::new(rate)
        .env("RAYON_NUM_THREADS", Host::cores().to_string())
        .stdout(Stdio::piped())
        .spawn()?;
    let (output, _) = finish(child, RATE)?;
    Ok(output.trim().parse()?)
}

fn check(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status()?;
    if !status.success() {
        bail!("{} failed: {status}", command.get_program().display());
    }
    Ok(())
}

fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    match figures.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => figures[middle],
        _ => f64::midpoint(figures[middle - 1], figures[middle]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_the_middle() {
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), 2.0);
        assert_eq!(median([4.0, 1.0, 2.0, 3.0].into_iter()), 2.5);
        assert!(median(std::iter::empty()).is_nan());
    }
}
