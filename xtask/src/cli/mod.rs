//! The command line as types. The commands themselves are in other folders.
//!
//! This file lists the commands. `study.rs`, `tune.rs`, `backends.rs` and `dev.rs` have the flags
//! of each command, and `options.rs` has the flags that several commands share.

mod backends;
mod dev;
mod options;
mod study;
mod tune;

use clap::{Parser, Subcommand};

pub use backends::{Backends, Converge, Parity};
pub use dev::{Bench, Chaos, Ci, Completions, Peer, Pictures, Schema};
pub use options::{Changes, Compared, Executor, Extra, Folders, MatrixFlags, Training, Tree};
pub use study::{Claims, Compare, Experiments, New, Report, Serve, Task, Train, Watch};
pub use tune::{Clean, Tune};

/// Trains the study of small networks and reports on it.
#[derive(Debug, Parser)]
#[command(
    bin_name = "cargo xtask",
    arg_required_else_help = true,
    after_help = "\
Examples:
  cargo xtask experiments --quick   train a small version of everything
  cargo xtask experiments           train the whole study, then write its report
  cargo xtask train mlp             train one cell in the foreground
  cargo xtask tune --cell mlp       choose the learning rate of one cell
  cargo xtask new my-study          begin a study of your own

`cargo xtask COMMAND --help` explains a command.

Exit codes:
  0    done
  1    a run or a check failed; the output names it
  2    the arguments, configs or data are wrong; nothing was written
  130  stopped by Ctrl-C; run the same command again to continue"
)]
pub struct Cli {
    /// Print only results, warnings and errors
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// The command to run.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train every cell of the study, then write the report
    Experiments(Experiments),
    /// Choose hyper-parameters by trials that never see a test image
    Tune(Tune),
    /// Train one cell in the foreground
    Train(Train),
    /// Write the configs of a small study of your own
    New(New),
    /// Watch training progress in the terminal
    Watch(Watch),
    /// Watch training progress and read the report in a browser
    Serve(Serve),
    /// Write the report again from the records
    Report(Report),
    /// Test the claims of the study against the records
    Claims(Claims),
    /// Compare trees of results: which verdicts differ, and by how much results differ
    Compare(Compare),
    /// List trials, outdated and foreign runs, and remove them when told to
    Clean(Clean),
    /// List the devices of this machine and measure their speed
    Backends(Backends),
    /// Compare two backends step by step in one training
    Parity(Parity),
    /// Compare the accuracy that several backends reach
    Converge(Converge),
    /// Compare the time of an epoch with Keras, JAX and PyTorch
    Bench(Bench),
    /// Kill a matrix many times and check that no result is lost
    Chaos(Chaos),
    /// Run all checks: format, tests, lints, and the quick study
    Ci(Ci),
    /// Train one run of a Slurm job array; Slurm calls this command
    #[command(hide = true)]
    Task(Task),
    /// Make the pictures of the README
    Pictures(Pictures),
    /// Write JSON Schemas of the config files for editors
    Schema(Schema),
    /// Print a completion script for a shell
    Completions(Completions),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definitions_of_the_flags_are_consistent() {
        Cli::command().debug_assert();
    }
}
