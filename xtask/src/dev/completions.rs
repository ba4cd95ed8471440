//! `cargo xtask completions`: prints a completion script for a shell.

use std::process::ExitCode;

use clap::CommandFactory;

use crate::cli::{Cli, Completions};
use crate::error::CommandResult;
use crate::ui::output;

/// The name of the command that the script completes.
const NAME: &str = "xtask";

/// Prints the script.
pub fn completions(flags: &Completions) -> CommandResult {
    let mut script = Vec::new();
    let mut command = Cli::command().bin_name(NAME);
    clap_complete::generate(flags.shell, &mut command, NAME, &mut script);
    output::print(String::from_utf8_lossy(&script).trim_end());
    Ok(ExitCode::SUCCESS)
}
