//! The command line, as types. What each flag does to the study is decided
//! elsewhere; here it is only read.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
use kindling_spec::{Backend, Setting};

/// Trains the study of small networks and reports on it.
#[derive(Debug, Parser)]
#[command(
    bin_name = "cargo xtask",
    arg_required_else_help = true,
    after_help = "\
Examples:
  cargo xtask experiments --quick   everything once, small, in about a minute
  cargo xtask experiments           the whole study, then its report
  cargo xtask train mlp             one cell in the foreground

`cargo xtask COMMAND --help` has more of each."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train every cell of the study, then report
    Experiments(Experiments),
    /// Train one cell in the foreground
    Train(Train),
    /// Rebuild the tables and curves from the records
    Report(Report),
    /// Say which sentences of the study stand
    Claims(Claims),
    /// Time epochs, by turns with Keras
    Bench(Bench),
    /// Run all that the gate runs: format, lints, tests, the quick study
    #[command(after_help = "\
Examples:
  cargo xtask ci

It stops at the first failure, the cheapest checks come first, and every command
is printed before it runs, so that one can be repeated alone.")]
    Ci,
}

/// `cargo xtask experiments`
#[derive(Debug, Args)]
#[command(after_help = "\
A run that is recorded already, with the same config and the same data, is not
trained again. One that fails does not stop the others; it is named at the end.

Examples:
  cargo xtask experiments --list
  cargo xtask experiments --quick
  cargo xtask experiments --only dropout --only mlp --seeds 5
  cargo xtask experiments --backend ndarray --jobs 1 --out /tmp/ndarray
  cargo xtask experiments --only mlp --set train.epochs=5 --out /tmp/short")]
pub struct Experiments {
    /// Shorten every run: one seed, few steps, less data
    #[arg(long)]
    pub quick: bool,
    /// Only cells whose name contains WORD; repeatable
    #[arg(long, value_name = "WORD")]
    pub only: Vec<String>,
    /// Print the matrix and train nothing
    #[arg(long)]
    pub list: bool,
    /// Seeds 0 to N-1, not as many as the study says
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub seeds: Option<u64>,
    /// Runs at a time [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1024))]
    pub jobs: Option<u64>,
    /// Train although it is recorded already
    #[arg(long)]
    pub fresh: bool,
    /// What every command that trains can be told.
    #[command(flatten)]
    pub training: Training,
    /// Which folders.
    #[command(flatten)]
    pub folders: Folders,
}

/// `cargo xtask train`
#[derive(Debug, Args)]
#[command(after_help = "\
On a terminal it shows a dashboard, elsewhere plain lines. The result goes to
DIR/train, so the study's own records stay as they are.

Examples:
  cargo xtask train mlp
  cargo xtask train mlp --set dropout=0.3 --seed 1
  cargo xtask train convnet --quick | cat")]
pub struct Train {
    /// The cell's whole name, as `experiments --list` shows it
    #[arg(value_name = "CELL")]
    pub cell: String,
    /// The seed
    #[arg(long, value_name = "N", default_value_t = 0,
          value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    pub seed: u64,
    /// Shorten it: few steps, a slice of the data
    #[arg(long)]
    pub quick: bool,
    /// What every command that trains can be told.
    #[command(flatten)]
    pub training: Training,
    /// Which folders.
    #[command(flatten)]
    pub folders: Folders,
}

/// `cargo xtask report`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo xtask report
  cargo xtask report --quick
  cargo xtask report --publish")]
pub struct Report {
    /// The report of the quick runs
    #[arg(long)]
    pub quick: bool,
    /// Put it in artifacts/reference and README.md
    #[arg(long, conflicts_with = "quick")]
    pub publish: bool,
    /// Which folders.
    #[command(flatten)]
    pub folders: Folders,
}

/// `cargo xtask claims`
#[derive(Debug, Args)]
#[command(after_help = "\
The sentences are those of claims.toml. A refuted one is a finding, not an error:
the exit code is 0, and 2 where a claim is malformed.

Examples:
  cargo xtask claims
  cargo xtask claims --until-decided
  cargo xtask claims --until-decided --most 12")]
pub struct Claims {
    /// Those of the quick runs
    #[arg(long, conflicts_with = "until_decided")]
    pub quick: bool,
    /// Train more seeds of the cells that undecided claims rest on
    #[arg(long)]
    pub until_decided: bool,
    /// With --until-decided: seeds of a cell at most
    #[arg(long, value_name = "N", default_value_t = 8, requires = "until_decided",
          value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub most: u64,
    /// What every command that trains can be told; for --until-decided.
    #[command(flatten)]
    pub training: Training,
    /// Which folders.
    #[command(flatten)]
    pub folders: Folders,
}

/// `cargo xtask bench`
#[derive(Debug, Args)]
#[command(after_help = "\
It installs Keras into target/peers the first time, and writes each round to
DIR/bench/peers.csv. Let nothing else run meanwhile.

Our operations beside Burn's, and one training step of each family:
  cargo bench -p kindling-bench

Examples:
  cargo xtask bench
  cargo xtask bench mlp dropout-0.3 --rounds 5")]
pub struct Bench {
    /// Cells that train on images [default: linear mlp ae convnet]
    #[arg(value_name = "CELL")]
    pub cells: Vec<String>,
    /// How often each is trained
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=100))]
    pub rounds: u64,
    /// Epochs of a training; the last is timed
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub epochs: u64,
    /// The Python that makes the virtual environment
    #[arg(long, value_name = "PROGRAM", default_value = "python3")]
    pub python: String,
    /// Which folders.
    #[command(flatten)]
    pub folders: Folders,
}

/// How to train.
#[derive(Debug, Args)]
pub struct Training {
    /// What computes: flex (default), ndarray, wgpu, cuda
    #[arg(long, value_name = "NAME", default_value = "flex", value_parser = backends(),
          hide_default_value = true, hide_possible_values = true)]
    pub backend: Backend,
    /// Change a key, as in dropout=0.3; repeatable
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<Setting>,
    /// A folder of IDX files in MNIST's place
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

/// Where from and where to. A default lies in the repository, a given folder is
/// looked for from the current one.
#[derive(Debug, Args)]
pub struct Folders {
    /// Where results go [default: artifacts]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Where the study stands [default: configs]
    #[arg(long, value_name = "DIR")]
    pub configs: Option<PathBuf>,
}

/// Reads a backend's name.
fn backends() -> impl TypedValueParser<Value = Backend> {
    PossibleValuesParser::new(Backend::ALL.map(Backend::name)).map(|name| {
        Backend::ALL
            .into_iter()
            .find(|backend| backend.name() == name)
            .unwrap_or(Backend::Flex) // clap has let no other name through
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_flags_do_not_contradict_each_other() {
        Cli::command().debug_assert();
    }
}
