//! `cargo xtask`: trains the study, shows its results, and checks this repository.
//!
//! This file only dispatches. `cli/` has the command line as types, `steps/` has the steps that
//! several commands share, `ui/` has the output, and `study/`, `backends/` and `dev/` have one
//! file for each command. Nothing here links Burn: the program `kindling` trains, in one
//! process for each run.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is a command line"
)]

mod backends;
mod cli;
mod dev;
mod error;
mod steps;
mod study;
mod ui;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command};
use error::CommandResult;
use ui::output;

fn main() -> ExitCode {
    let code = match Cli::try_parse() {
        Ok(cli) => {
            if cli.quiet {
                output::set_quiet();
            }
            run(cli.command).unwrap_or_else(|error| {
                output::warn(format_args!("error: {}", error.text()));
                error.code()
            })
        }
        Err(error) => print_help_or_error(&error),
    };
    output::exit_code(code)
}

/// Prints the help that the user asked for, or an error about the arguments.
fn print_help_or_error(error: &clap::Error) -> ExitCode {
    let text = error.to_string();
    if error.use_stderr() {
        output::warn(text.trim_end());
        ExitCode::from(error::BAD_INPUT)
    } else {
        output::print(text.trim_end());
        ExitCode::SUCCESS
    }
}

fn run(command: Command) -> CommandResult {
    match command {
        Command::Experiments(flags) => study::experiments(&flags),
        Command::Tune(flags) => study::tune(&flags),
        Command::Train(flags) => study::train(&flags),
        Command::New(flags) => study::new(&flags),
        Command::Watch(flags) => study::watch(&flags),
        Command::Serve(flags) => study::serve(&flags),
        Command::Report(flags) => study::report(&flags),
        Command::Claims(flags) => study::claims(&flags),
        Command::Compare(flags) => study::compare(&flags),
        Command::Task(flags) => study::task(&flags),
        Command::Clean(flags) => study::clean(&flags),
        Command::Backends(flags) => backends::devices(&flags),
        Command::Parity(flags) => backends::parity(&flags),
        Command::Converge(flags) => backends::converge(&flags),
        Command::Bench(flags) => dev::bench(&flags),
        Command::Chaos(flags) => dev::chaos(&flags),
        Command::Ci(flags) => dev::ci(&flags),
        Command::Pictures(flags) => dev::pictures(&flags),
        Command::Schema(flags) => dev::schema(&flags),
        Command::Completions(flags) => dev::completions(&flags),
    }
}
