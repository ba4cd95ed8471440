//! The one binary that links Burn: it trains the run that a folder describes.

use std::io::{BufRead, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use kindling_harness::{Display, Lockstep, Run, RunError, tell};
use kindling_spec::{
    DeviceName, DeviceReport, Host, ImageData, ParityStep, Precision, Record, RunDir, Task,
};

/// Every operation of a CPU backend allocates its result. The system's allocator
/// hands large blocks back to the kernel each time and takes a fifth of the
/// convnet's time for it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Exit code of a training that was stopped: 128 and the number of Ctrl-C's signal.
const INTERRUPTED: u8 = 130;

/// Train one run of a study.
///
/// `cargo xtask` calls this; call it yourself to repeat a single run.
#[derive(Parser)]
#[command(
    version,
    after_help = "Exit codes: 0 done; 1 the training failed; 2 the config, the data or the device is \
                  wrong; 130 it was stopped, and the same command goes on.\n\n\
                  Example:\n  kindling train artifacts/runs/mlp/seed-0"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Train the run whose config.toml lies in DIR, and leave its record there
    Train {
        /// Folder of the run
        dir: PathBuf,
        /// Another device than the config's backend has, as in wgpu:1; it becomes
        /// the config's [default: what BURN_DEVICE says]
        #[arg(long, value_name = "NAME")]
        device: Option<DeviceName>,
        /// Print progress as lines of JSON, and end when standard input closes
        #[arg(long)]
        progress: bool,
    },
    /// Check a set of images and print its fingerprint as JSON
    Data {
        /// Folder of IDX files, gzipped or not [default: MNIST]
        #[arg(long)]
        dir: Option<PathBuf>,
    },
    /// Check that a device is there
    Open {
        /// As in flex, wgpu or wgpu:1
        device: DeviceName,
    },
    /// Print what this build can compute on, and how fast, as JSON
    Devices,
    /// Train the run of DIR on two devices in lockstep; print each step as JSON
    Parity {
        /// Folder of the run; nothing is written to it
        dir: PathBuf,
        /// How.
        #[command(flatten)]
        flags: Parity,
    },
}

#[derive(Args)]
struct Parity {
    /// The first device
    first: DeviceName,
    /// The second
    second: DeviceName,
    /// Steps to take
    #[arg(long, value_name = "N", default_value_t = 50)]
    steps: usize,
    /// Drop units out as the config says
    #[arg(long)]
    dropout: bool,
    /// Let each go its own way: by default the second takes over the first's
    /// weights after every step
    #[arg(long)]
    drift: bool,
    /// Let GPUs multiply in mixed precision
    #[arg(long)]
    mixed: bool,
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Train {
            dir,
            device,
            progress,
        } => train(&dir, device, progress),
        Command::Data { dir } => data(dir),
        Command::Open { device } => kindling_harness::open(device, Precision::Full).map(|_| ()),
        Command::Devices => devices(),
        Command::Parity { dir, flags } => parity(&dir, &flags),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "where errors go")]
            {
                eprintln!("error: {error}");
            }
            ExitCode::from(match error {
                RunError::Stopped(..) => INTERRUPTED,
                error if error.is_bad_input() => 2,
                _ => 1,
            })
        }
    }
}

fn train(dir: &Path, device: Option<DeviceName>, progress: bool) -> Result<(), RunError> {
    let display = if progress {
        heed_standard_input();
        Display::Progress
    } else if std::io::stdout().is_terminal() {
        Display::Dashboard
    } else {
        Display::Lines
    };
    let device = match device {
        Some(device) => Some(device),
        None => DeviceName::from_environment().map_err(RunError::Environment)?,
    };
    if display != Display::Progress {
        heed_signals(display);
    }
    join_the_pool();
    let run = Run::open(dir, device, display)?;
    match dispatch(&run) {
        Ok(mut record) => {
            record.files = run.dir().digests()?;
            run.dir().write_record(&record)?;
            // Whole, it has no use for them. What cannot be removed harms nothing.
            let _ = std::fs::remove_dir_all(run.dir().checkpoints());
            Ok(())
        }
        Err(error) => {
            if !error.is_bad_input() && !matches!(error, RunError::Stopped(..)) {
                run.dir().write_record(&run.failed(&error))?;
            }
            Err(error)
        }
    }
}

fn dispatch(run: &Run) -> Result<Record, RunError> {
    match &run.config().task {
        Task::Gradients(task) => kindling_regression::gradients(task, run),
        Task::Regression(task) => kindling_regression::train(task, run),
        Task::Classifier(task) => kindling_classifiers::train(task, run),
        Task::Autoencoder(task) => kindling_autoencoder::train(task, run),
        Task::Pca(task) => kindling_autoencoder::pca(task, run),
    }
}

fn data(dir: Option<PathBuf>) -> Result<(), RunError> {
    use burn_dataset::Dataset;
    let (train, test, fingerprint) = kindling_datasets::load(&ImageData {
        dir,
        train: None,
        test: None,
    })?;
    tell(
        &serde_json::json!({
            "fingerprint": fingerprint,
            "train": train.len(),
            "test": test.len(),
        })
        .to_string(),
    );
    Ok(())
}

fn devices() -> Result<(), RunError> {
    join_the_pool();
    let mut reports = Vec::new();
    for backend in kindling_harness::compiled() {
        let devices = match kindling_harness::devices(backend) {
            Ok(devices) => devices,
            Err(RunError::NoGpu(_)) => continue,
            Err(error) => return Err(error),
        };
        for device in devices {
            let speed = kindling_harness::speed(&device.device).ok();
            reports.push(DeviceReport {
                device: device.name.to_string(),
                name: device.adapter().unwrap_or_else(|| Host::detect(1).cpu),
                product: speed.map(|speed| speed.product / 1e9),
                latency: speed.map(|speed| speed.latency.as_secs_f64() * 1e6),
            });
        }
    }
    let json = serde_json::to_string(&reports);
    tell(&json.map_err(|error| RunError::Other(error.to_string()))?);
    Ok(())
}

fn parity(dir: &Path, flags: &Parity) -> Result<(), RunError> {
    let config = RunDir::new(dir).read_config()?;
    join_the_pool();
    let open = |name: DeviceName| {
        let precision = if flags.mixed && name.backend.is_for_gpus() {
            Precision::Mixed
        } else {
            Precision::Full
        };
        kindling_harness::open(name, precision).map(|opened| opened.device)
    };
    let lockstep = Lockstep {
        devices: [open(flags.first)?, open(flags.second)?],
        seed: config.seed,
        steps: flags.steps,
        dropout: flags.dropout,
        drift: flags.drift,
    };
    let mut tell = |step: ParityStep| {
        if let Ok(json) = serde_json::to_string(&step) {
            tell(&json);
        }
    };
    match &config.task {
        Task::Regression(task) => kindling_regression::parity(task, &lockstep, &mut tell),
        Task::Classifier(task) => kindling_classifiers::parity(task, &lockstep, &mut tell),
        Task::Autoencoder(task) => kindling_autoencoder::parity(task, &lockstep, &mut tell),
        Task::Gradients(_) | Task::Pca(_) => Err(RunError::NoSteps(config.cell)),
    }
}

/// Makes this thread one of those that compute. From outside their pool, each of
/// the thousands of small operations would be handed over, and this thread put to
/// sleep and woken. It fails only where a pool is there.
fn join_the_pool() {
    let _ = rayon::ThreadPoolBuilder::new()
        .use_current_thread()
        .build_global();
}

/// Stops the training after its epoch when a line says `stop`, and ends this process
/// when whoever started it is gone: the pipe to its standard input closes however
/// that end dies, so no training is ever left behind.
fn heed_standard_input() {
    std::thread::spawn(|| {
        for line in std::io::stdin().lock().lines() {
            match line.as_deref() {
                Ok("stop") => kindling_harness::stop_after_this_epoch(),
                Ok(_) => {}
                Err(_) => break,
            }
        }
        std::process::exit(INTERRUPTED.into());
    });
}

/// Stops the training after its epoch at the first Ctrl-C, and at once at the
/// second. Where that cannot be had, Ctrl-C ends it as it always did.
fn heed_signals(display: Display) {
    let mut pressed = false;
    let _ = ctrlc::set_handler(move || {
        if std::mem::replace(&mut pressed, true) {
            kindling_harness::restore_terminal();
            std::process::exit(INTERRUPTED.into());
        }
        kindling_harness::stop_after_this_epoch();
        if display == Display::Lines {
            tell("stopping after this epoch; Ctrl-C again stops at once");
        }
    });
}
