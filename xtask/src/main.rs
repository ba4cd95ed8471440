//! `cargo xtask`: runs the study, one cell of it, its report, or its checks.
//!
//! This file only dispatches. What the words on the command line mean stands in
//! `flags.rs`; each command has a file of its own. Nothing here links Burn:
//! training is left to the binary `kindling`, one process for each run.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line talks to whoever typed it"
)]

mod backends;
mod bench;
mod chaos;
mod child;
mod ci;
mod claims;
mod converge;
mod disk;
mod display;
mod experiments;
mod flags;
mod http;
mod kindling;
mod list;
mod lock;
mod matrix;
mod parity;
mod plan;
mod publish;
mod report;
mod runs;
mod say;
mod sbatch;
mod schema;
mod select;
mod serve;
mod shell;
mod signal;
mod slurm;
mod state;
mod stop;
mod train;
mod watch;
mod workspace;

use std::process::ExitCode;

use clap::Parser;

use flags::{Cli, Command};
use stop::Outcome;

fn main() -> ExitCode {
    let code = match Cli::try_parse() {
        Ok(cli) => {
            if cli.quiet {
                say::hush();
            }
            run(cli.command).unwrap_or_else(|stop| {
                say::err(format_args!("error: {}", stop.text()));
                stop.code()
            })
        }
        Err(error) => explain(&error),
    };
    say::code(code)
}

/// Prints the help that was asked for, or what is wrong with the arguments.
fn explain(error: &clap::Error) -> ExitCode {
    let text = error.to_string();
    if error.use_stderr() {
        say::err(text.trim_end());
        ExitCode::from(stop::BAD_INPUT)
    } else {
        say::out(text.trim_end());
        ExitCode::SUCCESS
    }
}

/// Does what a command says.
fn run(command: Command) -> Outcome {
    match command {
        Command::Experiments(flags) => experiments::run(&flags),
        Command::Train(flags) => train::run(&flags),
        Command::Watch(flags) => watch::run(&flags),
        Command::Serve(flags) => serve::run(&flags),
        Command::Report(flags) => report::run(&flags),
        Command::Claims(flags) => claims::run(&flags),
        Command::Backends(flags) => backends::run(&flags),
        Command::Parity(flags) => parity::run(&flags),
        Command::Converge(flags) => converge::run(&flags),
        Command::Bench(flags) => bench::run(&flags),
        Command::Chaos(flags) => chaos::run(&flags),
        Command::Ci(flags) => ci::run(&flags),
        Command::Task(flags) => slurm::task(&flags),
        Command::Schema(flags) => schema::run(&flags),
        Command::Completions(flags) => shell::completions(&flags),
        Command::Man(flags) => shell::man(&flags),
    }
}
