//! The programs that `cargo xtask bench` times: Kindling, the scripts of its peers, and the program
//! that measures the rate of a matrix product.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use kindling_formats::{RunConfig, RunDir, TimingRow, read_csv, write_atomic};
use kindling_runner::TrainingProgram;
use serde::Deserialize;

use crate::cli::Peer;
use crate::steps::{cargo, executable, workspace};
use crate::ui::{self, output};

/// The name of the program that prints the rate of a matrix product.
const RATE: &str = "gemm-rate";

impl Peer {
    /// All peers.
    pub const ALL: [Self; 3] = [Self::Keras, Self::Jax, Self::Torch];

    /// The name in flags, tables and the names of files.
    pub fn name(self) -> &'static str {
        match self {
            Peer::Keras => "keras",
            Peer::Jax => "jax",
            Peer::Torch => "torch",
        }
    }

    /// The name in sentences.
    pub fn title(self) -> &'static str {
        match self {
            Peer::Keras => "Keras",
            Peer::Jax => "JAX",
            Peer::Torch => "PyTorch",
        }
    }
}

/// What a training left.
#[derive(Debug, Clone)]
pub struct Trained {
    /// Seconds of the last epoch.
    pub seconds: f64,
    pub test_loss: Option<f64>,
    pub test_accuracy: Option<f64>,
    /// The peak memory of the process; NaN on systems other than Linux.
    pub peak_mib: f64,
}

/// Trains `config` in Kindling.
pub fn train_ours(
    program: &TrainingProgram,
    config: &RunConfig,
    threads: usize,
) -> anyhow::Result<Trained> {
    let scratch = scratch()?;
    let dir = RunDir::new(scratch.path().join("run"));
    write_atomic(&dir.config(), config.to_toml().as_bytes())?;
    let mut command = program.train_command(dir.path(), threads);
    let child = command.stdout(Stdio::null()).spawn()?;
    let (_, peak_mib) = finish(child, "kindling")?;
    let record = dir.read_record()?.context("the training left no record")?;
    let timing: Vec<TimingRow> = read_csv(&dir.timing())?;
    let last = timing.last().context("no epoch was timed")?;
    Ok(Trained {
        seconds: last.seconds,
        test_loss: record.test_loss,
        test_accuracy: record.test_accuracy,
        peak_mib,
    })
}

/// A peer, and the Python that it is installed in.
#[derive(Debug)]
pub struct Installed {
    pub peer: Peer,
    python: PathBuf,
}

impl Installed {
    /// Installs `peer` into a virtual environment below `target/`, unless it is there. `base` is
    /// the Python program that makes the environment.
    pub fn new(peer: Peer, base: &str) -> anyhow::Result<Self> {
        let environment = workspace::root().join("target/peers").join(peer.name());
        let python = environment.join("bin/python");
        let requirements = scripts().join(format!("requirements-{}.txt", peer.name()));
        let wanted = std::fs::read_to_string(&requirements)?;
        let installed = environment.join("requirements.txt");
        if std::fs::read_to_string(&installed).is_ok_and(|there| there == wanted) {
            return Ok(Self { peer, python });
        }
        let size = match peer {
            Peer::Torch => ", which takes several gigabytes on Linux",
            Peer::Keras | Peer::Jax => "",
        };
        output::note(format_args!(
            "installing {} into {}{size}",
            peer.title(),
            ui::path(&environment)
        ));
        check(Command::new(base).args(["-m", "venv"]).arg(&environment)).with_context(|| {
            format!("{base} cannot make a virtual environment; name another Python with --python")
        })?;
        check(
            Command::new(&python)
                .args(["-m", "pip", "install", "--quiet", "--requirement"])
                .arg(&requirements),
        )?;
        write_atomic(&installed, wanted.as_bytes())?;
        Ok(Self { peer, python })
    }

    /// Trains `config` in this peer, on all of MNIST.
    pub fn train(&self, config: &RunConfig, threads: usize) -> anyhow::Result<Trained> {
        #[derive(Deserialize)]
        struct Printed {
            seconds: Vec<f64>,
            test_loss: Option<f64>,
            test_accuracy: Option<f64>,
        }
        let name = self.peer.title();
        let scratch = scratch()?;
        let config_file = scratch.path().join("config.toml");
        let stderr = scratch.path().join("stderr.txt");
        write_atomic(&config_file, config.to_toml().as_bytes())?;
        let child = Command::new(&self.python)
            .arg(scripts().join(format!("{}_cell.py", self.peer.name())))
            .arg(&config_file)
            .arg(workspace::root().join("crates/datasets/mnist"))
            .arg(config.task.epochs().to_string())
            .arg(threads.to_string())
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdout(Stdio::piped())
            .stderr(File::create(&stderr)?) // TensorFlow prints many lines there
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let (output, peak_mib) = finish(child, name).with_context(|| {
            let stderr = std::fs::read_to_string(&stderr).unwrap_or_default();
            stderr.lines().last().unwrap_or_default().to_string()
        })?;
        let line = output.lines().last().unwrap_or_default();
        let printed: Printed =
            serde_json::from_str(line).with_context(|| format!("{name} printed no figures"))?;
        let seconds = printed.seconds.last().copied();
        Ok(Trained {
            seconds: seconds.context("no epoch was timed")?,
            test_loss: printed.test_loss,
            test_accuracy: printed.test_accuracy,
            peak_mib,
        })
    }
}

/// The folder of the scripts of the peers.
fn scripts() -> PathBuf {
    workspace::root().join("crates/bench/peers")
}

fn scratch() -> anyhow::Result<tempfile::TempDir> {
    tempfile::tempdir().context("cannot make a temporary folder")
}

/// Builds the program that measures the rate of a matrix product.
pub fn build_rate() -> anyhow::Result<PathBuf> {
    let output = Command::new(cargo())
        .args(["build", "--release", "--package", "kindling-bench"])
        .args(["--bin", RATE, "--message-format=json-render-diagnostics"])
        .current_dir(workspace::root())
        .stderr(Stdio::inherit())
        .output()?;
    executable(&String::from_utf8_lossy(&output.stdout), RATE)
        .with_context(|| format!("cargo did not build {RATE}; the lines above say why"))
}

/// The rate of a matrix product on so many threads, in billions of operations per second.
pub fn rate_of_product(rate: &Path, threads: usize) -> anyhow::Result<f64> {
    let child = Command::new(rate)
        .env("RAYON_NUM_THREADS", threads.to_string())
        .env("MATMUL_NUM_THREADS", threads.to_string())
        .stdout(Stdio::piped())
        .spawn()?;
    let (output, _) = finish(child, RATE)?;
    Ok(output.trim().parse()?)
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

/// Runs a command that must succeed.
fn check(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status()?;
    if !status.success() {
        bail!("{} failed: {status}", command.get_program().display());
    }
    Ok(())
}
