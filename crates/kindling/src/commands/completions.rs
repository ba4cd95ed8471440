//! `kindling completions`: a script that makes a shell complete the commands and flags.

use clap::CommandFactory;
use clap_complete::Shell;
use kindling_harness::RunError;

use crate::cli::Cli;
use crate::output::print;

/// Prints the completion script for `shell`.
///
/// # Errors
///
/// If standard output cannot be written.
pub fn completions(shell: Shell) -> Result<(), RunError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "kindling", &mut script);
    print(String::from_utf8_lossy(&script).trim_end())
}
