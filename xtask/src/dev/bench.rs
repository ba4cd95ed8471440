//! `cargo xtask bench`: compares the time of an epoch with the time that its arithmetic alone would
//! take (the floor), and on MNIST with Keras.
//!
//! The speed of a shared machine varies. So each round trains a cell in Kindling and then in
//! Keras, and the result is the ratio of the two times. The floor is the number of operations
//! of an epoch, divided by the rate of a matrix product that is measured in the same round. A
//! convolution can be faster than its floor: its backward pass skips gradients that a max-pool
//! makes zero.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use kindling_formats::{
    Backend, CsvRow, Host, RunConfig, RunDir, Selection, Setting, Size, TimingRow, read_csv,
    write_atomic, write_csv,
};
use kindling_report::{Align, plain_table};
use kindling_runner::{TrainingProgram, epoch_operations};
use serde::{Deserialize, Serialize};

use crate::cli::{Bench, Changes};
use crate::error::{CommandError, CommandResult};
use crate::steps::{Build, build_program, cargo, cells_or, data_of, executable, workspace};
use crate::ui::{self, output};

/// The cells that are compared if the user names none.
const CELLS: [&str; 4] = ["linear", "mlp", "ae", "convnet"];

/// The name of the program that prints the rate of a matrix product.
const RATE: &str = "gemm-rate";

/// The columns of the table of medians. Those from [`KERAS`] on are shown only if Keras trained,
/// too.
const COLUMNS: [(&str, Align); 7] = [
    ("cell", Align::Left),
    ("seconds", Align::Right),
    ("ours/floor", Align::Right),
    ("MiB", Align::Right),
    ("Keras", Align::Right),
    ("ours/Keras", Align::Right),
    ("Keras MiB", Align::Right),
];

/// The first column about Keras.
const KERAS: usize = 4;

/// A row of `peers.csv`: one cell in one round. Seconds are for the last epoch alone. What
/// concerns Keras is empty if Keras did not train.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Row {
    cell: String,
    round: u64,
    seconds: f64,
    keras_seconds: Option<f64>,
    ratio: Option<f64>,
    floor_seconds: f64,
    floor_ratio: f64,
    peak_mib: f64,
    keras_peak_mib: Option<f64>,
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

/// The result of a training in one of the two frameworks.
#[derive(Debug, Deserialize)]
struct Measured {
    /// Seconds of each epoch.
    seconds: Vec<f64>,
    test_loss: Option<f64>,
    test_accuracy: Option<f64>,
}

/// Trains every cell in each round, also in Keras unless the images are others or the user does not
/// want it, and writes `bench/peers.csv`.
pub fn bench(flags: &Bench) -> CommandResult {
    let configs = configs(flags)?;
    let program = build_program(&Build::with(&[Backend::Flex], &[]))?;
    let data = data_of(
        &program,
        &configs.iter().map(|one| one.0.clone()).collect::<Vec<_>>(),
    )?;
    let rate = build_rate()?;
    let Changes { set, data: dir } = &flags.changes;
    let with_keras = !flags.no_keras && set.is_empty() && dir.is_none();
    let python = with_keras.then(|| python(&flags.python)).transpose()?;
    let scratch = tempfile::tempdir().context("cannot make a temporary folder")?;
    let path = workspace::out(&flags.folders)?.join("bench/peers.csv");
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let mut rows: Vec<Row> = Vec::new();
    for round in 1..=flags.rounds {
        for ((config, _), data) in configs.iter().zip(&data) {
            let operations = data.info.as_ref();
            let operations = operations.and_then(|data| epoch_operations(config, data));
            let floor = operations.unwrap_or(f64::NAN) / (1e9 * rate_of_product(&rate)?);
            let row = compare(
                config,
                round,
                floor,
                &program,
                python.as_deref(),
                scratch.path(),
            )
            .with_context(|| format!("{} in round {round}", config.cell))?;
            let keras = row.keras_seconds.zip(row.ratio);
            let keras = keras.map_or(String::new(), |(seconds, ratio)| {
                format!("  Keras {seconds:>7.2} s  ratio {ratio:.2}")
            });
            output::print(format_args!(
                "{:<14} round {round}  {:>7.2} s  floor {:.2}{keras}",
                row.cell, row.seconds, row.floor_ratio
            ));
            rows.push(row);
            write_csv(&path, &rows)?;
        }
    }
    output::print(format_args!(
        "\nMedians of {}, {} epochs each, {}",
        ui::count(flags.rounds as usize, "round"),
        flags.epochs,
        ui::count(Host::cores(), "thread"),
    ));
    let mut table = Vec::new();
    let mut whole = [0.0, 0.0];
    for (config, epochs) in &configs {
        let of = |figure: fn(&Row) -> Option<f64>| {
            let rows = rows.iter().filter(|row| row.cell == config.cell);
            median(rows.filter_map(figure))
        };
        let seconds = of(|row| Some(row.seconds));
        let keras_seconds = of(|row| row.keras_seconds);
        whole[0] += *epochs as f64 * seconds;
        whole[1] += *epochs as f64 * keras_seconds;
        table.push([
            config.cell.clone(),
            format!("{seconds:.2}"),
            format!("{:.2}", of(|row| Some(row.floor_ratio))),
            format!("{:.0}", of(|row| Some(row.peak_mib))),
            format!("{keras_seconds:.2}"),
            format!("{:.2}", of(|row| row.ratio)),
            format!("{:.0}", of(|row| row.keras_peak_mib)),
        ]);
    }
    let columns = if with_keras { COLUMNS.len() } else { KERAS };
    let table = table.into_iter().map(|row| row.into_iter().take(columns));
    output::print(plain_table(&COLUMNS[..columns], table).trim_end());
    let keras = match with_keras {
        true => format!(
            ", Keras {:.0} s, ratio {:.2}",
            whole[1],
            whole[0] / whole[1]
        ),
        false => String::new(),
    };
    output::print(format_args!(
        "\nEstimate for all epochs of these cells, one seed: {:.0} s{keras}",
        whole[0]
    ));
    output::print(format_args!("\n{}", ui::path(&path)));
    Ok(ExitCode::SUCCESS)
}

/// The configs of the cells to compare, shortened to a few epochs. Each comes with the number
/// of epochs that the cell has in the study.
fn configs(flags: &Bench) -> Result<Vec<(RunConfig, usize)>, CommandError> {
    let study = workspace::study(&flags.folders)?;
    let epochs = format!("train.epochs={}", flags.epochs);
    let epochs = epochs.parse().map_err(CommandError::bad_input)?;
    let whole = selection(flags, Vec::new())?;
    let short = selection(flags, vec![epochs])?;
    cells_or(&flags.cells, &CELLS)
        .into_iter()
        .map(|name| {
            let cell = study.cell(&name).map_err(CommandError::input)?;
            let resolve = |selection| {
                study
                    .resolve(cell, 0, selection)
                    .map_err(CommandError::input)
            };
            let (config, epochs) = (resolve(&short)?, resolve(&whole)?.task.epochs());
            if epochs == 0 || config.images().is_none() {
                return Err(CommandError::input(anyhow!(
                    "{name} cannot be compared: name a cell that trains for epochs on images"
                )));
            }
            Ok((config, epochs))
        })
        .collect()
}

/// The study's runs of full size, with the user's changes and then the settings `more`.
fn selection(flags: &Bench, more: Vec<Setting>) -> Result<Selection, CommandError> {
    let Changes { set, data } = &flags.changes;
    Ok(Selection {
        set: set.iter().cloned().chain(more).collect(),
        data: workspace::data("--data", data.as_deref())?,
        ..Selection::own(Size::Full)
    })
}

/// Trains one cell, also in Keras if there is a `python`. `floor_seconds` is the time that the arithmetic of an
/// epoch takes at the rate of a matrix product.
fn compare(
    config: &RunConfig,
    round: u64,
    floor_seconds: f64,
    program: &TrainingProgram,
    python: Option<&Path>,
    scratch: &Path,
) -> anyhow::Result<Row> {
    let (ours, peak) = ours(config, program, scratch)?;
    let theirs = python.map(|python| theirs(config, python, scratch));
    let (theirs, keras_peak) = theirs.transpose()?.unzip();
    let last = |measured: &Measured| {
        measured
            .seconds
            .last()
            .copied()
            .context("no epoch was timed")
    };
    let seconds = last(&ours)?;
    let keras_seconds = theirs.as_ref().map(last).transpose()?;
    let theirs = theirs.as_ref();
    Ok(Row {
        cell: config.cell.clone(),
        round,
        seconds,
        keras_seconds,
        ratio: keras_seconds.map(|keras| seconds / keras),
        floor_seconds,
        floor_ratio: seconds / floor_seconds,
        peak_mib: peak,
        keras_peak_mib: keras_peak,
        test_loss: ours.test_loss,
        keras_test_loss: theirs.and_then(|theirs| theirs.test_loss),
        test_accuracy: ours.test_accuracy,
        keras_test_accuracy: theirs.and_then(|theirs| theirs.test_accuracy),
    })
}

/// Trains `config` in Kindling with all cores. Returns the result and the peak memory in MiB.
fn ours(
    config: &RunConfig,
    program: &TrainingProgram,
    scratch: &Path,
) -> anyhow::Result<(Measured, f64)> {
    let dir = RunDir::new(scratch.join("ours"));
    if dir.path().exists() {
        std::fs::remove_dir_all(dir.path())?;
    }
    write_atomic(&dir.config(), config.to_toml().as_bytes())?;
    let mut command = program.train_command(dir.path(), Host::cores());
    let child = command.stdout(Stdio::null()).spawn()?;
    let (_, peak) = finish(child, "kindling")?;
    let record = dir.read_record()?.context("the training left no record")?;
    let timing: Vec<TimingRow> = read_csv(&dir.timing())?;
    let measured = Measured {
        seconds: timing.iter().map(|row| row.seconds).collect(),
        test_loss: record.test_loss,
        test_accuracy: record.test_accuracy,
    };
    Ok((measured, peak))
}

/// Trains `config` in Keras. Returns the result and the peak memory in MiB.
fn theirs(config: &RunConfig, python: &Path, scratch: &Path) -> anyhow::Result<(Measured, f64)> {
    let (path, stderr) = (scratch.join("keras.toml"), scratch.join("keras.txt"));
    write_atomic(&path, config.to_toml().as_bytes())?;
    let child = Command::new(python)
        .arg(peers().join("keras_cell.py"))
        .arg(&path)
        .arg(workspace::root().join("crates/datasets/mnist"))
        .arg(config.task.epochs().to_string())
        .stdout(Stdio::piped())
        .stderr(File::create(&stderr)?) // TensorFlow prints many lines there
        .spawn()
        .context("cannot start Keras")?;
    let (output, peak) = finish(child, "Keras").with_context(|| {
        let stderr = std::fs::read_to_string(&stderr).unwrap_or_default();
        stderr.lines().last().unwrap_or_default().to_string()
    })?;
    let line = output.lines().last().unwrap_or_default();
    let measured = serde_json::from_str(line).context("Keras printed no figures")?;
    Ok((measured, peak))
}

/// Waits for a process. Returns its output and the peak of its resident memory in MiB. The
/// peak is NaN on systems other than Linux.
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

/// The folder of the scripts for Keras.
fn peers() -> PathBuf {
    workspace::root().join("crates/bench/peers")
}

/// A Python with Keras in a virtual environment below `target/`, installed if it is missing.
fn python(base: &str) -> anyhow::Result<PathBuf> {
    let environment = workspace::root().join("target/peers");
    let python = environment.join("bin/python");
    let wanted = std::fs::read_to_string(peers().join("requirements.txt"))?;
    let installed = environment.join("requirements.txt");
    if std::fs::read_to_string(&installed).is_ok_and(|there| there == wanted) {
        return Ok(python);
    }
    output::note(format_args!(
        "installing Keras into {}",
        ui::path(&environment)
    ));
    check(Command::new(base).args(["-m", "venv"]).arg(&environment)).with_context(|| {
        format!("{base} cannot make a virtual environment; name another Python with --python")
    })?;
    check(
        Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--requirement"])
            .arg(peers().join("requirements.txt")),
    )?;
    write_atomic(&installed, wanted.as_bytes())?;
    Ok(python)
}

/// Builds the program that measures the rate of a matrix product.
fn build_rate() -> anyhow::Result<PathBuf> {
    let output = Command::new(cargo())
        .args(["build", "--release", "--package", "kindling-bench"])
        .args(["--bin", RATE, "--message-format=json-render-diagnostics"])
        .current_dir(workspace::root())
        .stderr(Stdio::inherit())
        .output()?;
    executable(&String::from_utf8_lossy(&output.stdout), RATE)
        .with_context(|| format!("cargo did not build {RATE}; the lines above say why"))
}

/// The rate of a matrix product on all cores, in billions of operations per second.
fn rate_of_product(rate: &Path) -> anyhow::Result<f64> {
    let child = Command::new(rate)
        .env("RAYON_NUM_THREADS", Host::cores().to_string())
        .stdout(Stdio::piped())
        .spawn()?;
    let (output, _) = finish(child, RATE)?;
    Ok(output.trim().parse()?)
}

/// Runs a command that must succeed.
fn check(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status()?;
    if !status.success() {
        bail!("{} failed: {status}", command.get_program().display());
    }
    Ok(())
}

/// The median; NaN if there are no figures.
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
