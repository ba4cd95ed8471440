//! Flags of the commands for those who work on Kindling itself.

use std::path::PathBuf;

use clap::Args;
use kindling_formats::Backend;

use super::options::Folders;

/// `cargo xtask bench`
#[derive(Debug, Args)]
#[command(after_help = "\
The first time it installs Keras into target/peers. It writes each round to
DIR/bench/peers.csv. Let nothing else run at the same time.

To time our operations beside Burn's, and one training step of each family:
  cargo bench -p kindling-bench

Examples:
  cargo xtask bench
  cargo xtask bench mlp dropout-0.3 --rounds 5")]
pub struct Bench {
    /// Cells that train on images [default: linear mlp ae convnet]
    #[arg(value_name = "CELL")]
    pub cells: Vec<String>,
    /// How many times each cell is trained
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=100))]
    pub rounds: u64,
    /// Epochs of each training; the last one is timed
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub epochs: u64,
    /// Python that makes the virtual environment
    #[arg(long, value_name = "PROGRAM", default_value = "python3")]
    pub python: String,
    /// The folders.
    #[command(flatten)]
    pub folders: Folders,
}

/// `cargo xtask chaos`
#[derive(Debug, Args)]
#[command(after_help = "\
It trains quick runs in a temporary folder twice. The first time nothing disturbs them. The
second time it kills the matrix or one of its trainings at random moments, damages files,
and fills the disk; the last needs the right to mount a small file system, as root has. In
the end all records and files must be equal, no finished run may have been trained twice,
and nothing may be left behind. For Linux.

Examples:
  cargo xtask chaos --kills 10
  cargo xtask chaos --minutes 30 --seed 7")]
pub struct Chaos {
    /// Largest number of kills
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub kills: u64,
    /// Stop killing after N minutes
    #[arg(long, value_name = "N")]
    pub minutes: Option<u64>,
    /// Seed that decides when and what is killed and damaged
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Backend that trains
    #[arg(long, value_name = "NAME", default_value = "flex")]
    pub backend: Backend,
}

/// `cargo xtask ci`
#[derive(Debug, Args)]
#[command(after_help = "\
It stops at the first failure. It prints every command before it runs it, so that you can
repeat one alone.

Examples:
  cargo xtask ci
  cargo xtask ci --backend flex,ndarray,wgpu")]
pub struct Ci {
    /// Also build with these backends, train on each, and compare them; wgpu takes much
    /// longer
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub backend: Vec<Backend>,
}

/// `cargo xtask schema`
#[derive(Debug, Args)]
#[command(after_help = "\
The schemas go to configs/schema. The file .taplo.toml tells Taplo which schema is for
which file; editors use Taplo, such as VS Code with Even Better TOML.

Example:
  cargo xtask schema")]
pub struct Schema {
    /// Folder of configs [default: configs]
    #[arg(long, value_name = "DIR")]
    pub configs: Option<PathBuf>,
}

/// `cargo xtask completions`
#[derive(Debug, Args)]
#[command(after_help = "\
The script completes the name `xtask`, since no shell completes behind `cargo`:

  alias xtask='cargo xtask'
  source <(cargo xtask completions bash)")]
pub struct Completions {
    /// Shell to complete for
    pub shell: clap_complete::Shell,
}
