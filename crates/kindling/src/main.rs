//! The one binary that links Burn: it trains the run that a folder describes, and uses
//! what was trained.

mod cli;
mod codes;
mod device;
mod export;
mod model;
mod picture;
mod predict;
mod train;

use std::path::PathBuf;
use std::process::ExitCode;

use burn_dataset::Dataset;
use clap::{CommandFactory, Parser};
use kindling_harness::{RunError, tell};
use kindling_spec::{ImageData, Precision};

use cli::{Cli, Command};

/// Every operation of a CPU backend allocates its result. The system's allocator
/// hands large blocks back to the kernel each time, which takes time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Train {
            dir,
            device,
            progress,
            no_tensorboard,
        } => train::train(&dir, device, progress, !no_tensorboard),
        Command::Predict {
            model,
            images,
            json,
        } => predict::predict(&model, &images, json),
        Command::Embed { model, images } => codes::embed(&model, &images),
        Command::Reconstruct { model, images, to } => codes::reconstruct(&model, &images, &to),
        Command::Export { model, format, to } => export::export(&model, format, to),
        Command::Data { dir } => data(dir),
        Command::Open { device } => kindling_harness::open(device, Precision::Full).map(|_| ()),
        Command::Devices => device::devices(),
        Command::Parity { dir, flags } => device::parity(&dir, &flags),
        Command::Completions { shell } => completions(shell),
        Command::Man => man(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "where errors go")]
            {
                eprintln!("error: {error}");
            }
            ExitCode::from(match error {
                RunError::Stopped(..) => train::INTERRUPTED,
                error if error.is_bad_input() => 2,
                _ => 1,
            })
        }
    }
}

/// Prints a script that completes the commands.
fn completions(shell: clap_complete::Shell) -> Result<(), RunError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "kindling", &mut script);
    tell(String::from_utf8_lossy(&script).trim_end());
    Ok(())
}

/// Prints the manual page.
fn man() -> Result<(), RunError> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command())
        .render(&mut page)
        .map_err(|error| RunError::Other(error.to_string()))?;
    tell(String::from_utf8_lossy(&page).trim_end());
    Ok(())
}

/// Prints what a folder of images holds, and what is not as it should be in it.
fn data(dir: Option<PathBuf>) -> Result<(), RunError> {
    let data = kindling_datasets::load(&ImageData {
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
    tell(
        &serde_json::json!({
            "fingerprint": data.fingerprint,
            "train": data.train.len(),
            "test": data.test.len(),
        })
        .to_string(),
    );
    Ok(())
}
