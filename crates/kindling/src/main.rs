//! The one binary that links Burn: it trains the run that a folder describes, and uses
//! what was trained.

mod cli;
mod codes;
mod device;
mod export;
mod ink;
mod model;
mod output;
mod picture;
mod plane;
mod predict;
mod runs;
mod strokes;
mod train;

use std::path::PathBuf;
use std::process::ExitCode;

use burn_dataset::Dataset;
use clap::{CommandFactory, Parser};
use kindling_formats::{ImageData, Precision};
use kindling_harness::RunError;

use cli::{Cli, Command};
use output::print;

/// Every operation of a CPU backend allocates its result. The system's allocator
/// hands large blocks back to the kernel each time, which takes time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let result = match Cli::try_parse() {
        Ok(cli) => run(cli.command),
        Err(error) => match output::print_clap(&error) {
            Ok(code) => return ExitCode::from(code as u8),
            Err(error) => Err(error),
        },
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::complain(&format!("error: {error}"));
            ExitCode::from(match error {
                RunError::Stopped(..) => train::INTERRUPTED,
                error if error.is_bad_input() => 2,
                _ => 1,
            })
        }
    }
}

fn run(command: Command) -> Result<(), RunError> {
    match command {
        Command::Train {
            dir,
            device,
            progress,
            no_tensorboard,
        } => train::train(&dir, device, progress, !no_tensorboard),
        Command::Predict {
            model,
            images,
            debug_image,
            json,
        } => predict::predict(&model, &images, debug_image.as_deref(), json),
        Command::Embed {
            model,
            images,
            debug_image,
        } => codes::embed(&model, &images, debug_image.as_deref()),
        Command::Reconstruct {
            model,
            images,
            to,
            debug_image,
        } => codes::reconstruct(&model, &images, &to, debug_image.as_deref()),
        Command::Export { model, format, to } => export::export(&model, format, to),
        Command::Data { dir } => data(dir),
        Command::Open { device } => {
            kindling_harness::open_device(device, Precision::Full).map(|_| ())
        }
        Command::Devices => device::devices(),
        Command::Parity { dir, flags } => device::parity(&dir, &flags),
        Command::Completions { shell } => completions(shell),
        Command::Man => man(),
    }
}

/// Prints a script that completes the commands.
fn completions(shell: clap_complete::Shell) -> Result<(), RunError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "kindling", &mut script);
    print(String::from_utf8_lossy(&script).trim_end())
}

/// Prints the manual page.
fn man() -> Result<(), RunError> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command())
        .render(&mut page)
        .map_err(|error| RunError::Other(error.to_string()))?;
    print(String::from_utf8_lossy(&page).trim_end())
}

/// Prints what a folder of images holds, and what is not as it should be in it.
fn data(dir: Option<PathBuf>) -> Result<(), RunError> {
    let data = kindling_datasets::load_images(&ImageData {
        dir,
        train: None,
        test: None,
    })?;
    for warning in &data.warnings {
        #[expect(clippy::print_stderr, reason = "where warnings go")]
        {
            eprintln!("warning: {warning}");
        }
    }
    print(
        &serde_json::json!({
            "fingerprint": data.fingerprint,
            "train": data.train.len(),
            "test": data.test.len(),
        })
        .to_string(),
    )
}
