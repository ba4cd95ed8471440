//! The one binary that links Burn: it trains the run that a folder describes.

use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use kindling_harness::{Display, Run, RunError, tell};
use kindling_spec::{ImageData, Record, Task};

/// Every operation of a CPU backend allocates its result. The system's allocator
/// hands large blocks back to the kernel each time and takes a fifth of the
/// convnet's time for it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Train one run of a study.
///
/// `cargo xtask` calls this; call it yourself to repeat a single run.
#[derive(Parser)]
#[command(
    version,
    after_help = "Exit codes: 0 done; 1 the training failed; 2 the config or the data is wrong.\n\n\
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
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Train { dir, progress } => train(&dir, progress),
        Command::Data { dir } => data(dir),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "where errors go")]
            {
                eprintln!("error: {error}");
            }
            ExitCode::from(if error.is_bad_input() { 2 } else { 1 })
        }
    }
}

fn train(dir: &Path, progress: bool) -> Result<(), RunError> {
    let display = if progress {
        end_with_standard_input();
        Display::Progress
    } else if std::io::stdout().is_terminal() {
        Display::Dashboard
    } else {
        Display::Lines
    };
    // The thread that trains is one of those that compute. From outside their
    // pool, each of the thousands of small operations would be handed over, and
    // this thread put to sleep and woken. It fails only where a pool is there.
    let _ = rayon::ThreadPoolBuilder::new()
        .use_current_thread()
        .build_global();
    let run = Run::open(dir, display)?;
    match dispatch(&run) {
        Ok(record) => Ok(run.dir().write_record(&record)?),
        Err(error) => {
            if !error.is_bad_input() {
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

/// Ends this process when whoever started it is gone: the pipe to its standard
/// input closes however that end dies, so no training is ever left behind.
fn end_with_standard_input() {
    std::thread::spawn(|| {
        let mut input = std::io::stdin().lock();
        let mut buffer = [0; 64];
        while matches!(input.read(&mut buffer), Ok(1..)) {}
        std::process::exit(1);
    });
}
