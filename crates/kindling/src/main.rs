//! The one binary that links Burn. It trains the run that a folder describes, and uses
//! trained networks.

mod cli;
mod commands;
mod digit;
mod network;
mod output;
mod picture;
mod threads;

use std::process::ExitCode;

use clap::Parser;
use kindling_harness::RunError;

use cli::{Cli, Command};

/// Every operation of a CPU backend allocates memory for its result. mimalloc keeps large
/// blocks for later; the system's allocator returns them to the kernel each time, which is
/// slower.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    use_small_pages();
    let result = match Cli::try_parse() {
        Ok(cli) => run(cli.command),
        Err(report) => match output::print_clap_report(&report) {
            Ok(code) => return ExitCode::from(code as u8),
            Err(error) => Err(error),
        },
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::print_to_stderr(&format!("error: {error}"));
            ExitCode::from(match error {
                RunError::Stopped(..) => commands::train::INTERRUPTED,
                error if error.is_bad_input() => 2,
                _ => 1,
            })
        }
    }
}

/// Asks Linux for pages of 4 KiB. With huge pages of 2 MiB, a training takes about 20 MiB more memory,
/// and is not faster.
fn use_small_pages() {
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}

fn run(command: Command) -> Result<(), RunError> {
    match command {
        Command::Train {
            dir,
            device,
            progress,
            no_tensorboard,
        } => commands::train::train(&dir, device, progress, !no_tensorboard),
        Command::Predict {
            run,
            images,
            pictures,
            json,
        } => commands::predict::predict(&run, &images, &pictures, json),
        Command::Evaluate {
            run,
            data,
            set,
            split,
            json,
        } => commands::evaluate::evaluate(&run, data, &set, split, json),
        Command::Embed {
            run,
            images,
            pictures,
        } => commands::embed::embed(&run, &images, &pictures),
        Command::Reconstruct {
            run,
            images,
            to,
            pictures,
        } => commands::reconstruct::reconstruct(&run, &images, &to, &pictures),
        Command::Export { run, format, to } => commands::export::export(&run, format, to),
        Command::Data { dir, set, repeated } => match repeated {
            true => commands::data::repeated(dir, &set),
            false => commands::data::data(dir, &set),
        },
        Command::Open { device } => commands::open::open(device),
        Command::Devices => commands::devices::devices(),
        Command::Parity { dir, flags } => commands::parity::parity(&dir, &flags),
        Command::Completions { shell } => commands::completions::completions(shell),
    }
}
