//! Flags of the commands for developers of Kindling.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use kindling_formats::Backend;

use super::options::{Changes, Folders};

/// `cargo xtask bench`
#[derive(Debug, Args)]
#[command(after_help = "\
Each round trains every cell once in Kindling and in each peer, and is written to
DIR/bench/peers.csv. A peer is a Python library, with the same cells written for speed:
  keras  Keras on TensorFlow
  jax    JAX; an epoch is one compiled function
  torch  PyTorch, eager; it needs more than 5 GB of disk space on Linux
The first call installs each peer into target/peers. Run nothing else on this machine at the
same time.

The floor is the time that the arithmetic of an epoch would take at the speed of a matrix
product. On other images than all of MNIST, only the floor is compared.

--study trains all cells that learn from images, with seed 0 and all of their epochs: two
processes of one thread each take the next cell until none is left. It prints the time that this
takes, and writes DIR/bench/study.csv.

Another command times Kindling's own operations against Burn's, and one training step of
each family:
  cargo bench -p kindling-bench

Examples:
  cargo xtask bench
  cargo xtask bench mlp dropout-0.3 --rounds 5 --threads 1,2
  cargo xtask bench convnet --peer keras --peer jax --peer torch
  cargo xtask bench --study --peer jax
  cargo xtask bench convnet --data cifar-10")]
pub struct Bench {
    /// Cells that train on images [default: linear mlp ae convnet; with --study all]
    #[arg(value_name = "CELL")]
    pub cells: Vec<String>,
    /// How many times each cell is trained
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=100))]
    pub rounds: u64,
    /// Epochs of each training; the last one is timed [default: 2; with --study those of the cell]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub epochs: Option<u64>,
    /// What to compare with; repeatable [default: keras and jax]
    #[arg(long, value_name = "NAME", value_enum, conflicts_with = "no_peers")]
    pub peer: Vec<Peer>,
    /// Compare with the floor only
    #[arg(long)]
    pub no_peers: bool,
    /// Threads of each training; several numbers, as in 1,2, are compared in turns
    /// [default: one per core]
    #[arg(long, value_name = "N", value_delimiter = ',', value_parser = clap::value_parser!(u64).range(1..=1024))]
    pub threads: Vec<u64>,
    /// Train all cells once, two at a time, and compare the whole time
    #[arg(long, conflicts_with_all = ["rounds", "threads"])]
    pub study: bool,
    /// The images and other changes.
    #[command(flatten)]
    pub changes: Changes,
    /// Python program that creates the virtual environments
    #[arg(long, value_name = "PROGRAM", default_value = "python3")]
    pub python: String,
    /// The folders.
    #[command(flatten)]
    pub folders: Folders,
}

/// A Python library that Kindling is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Peer {
    /// Keras on TensorFlow.
    Keras,
    /// JAX.
    Jax,
    /// PyTorch.
    Torch,
}

/// `cargo xtask chaos`
#[derive(Debug, Args)]
#[command(after_help = "\
The command trains quick runs in a temporary folder twice. The first matrix is undisturbed.
During the second one, the command kills the matrix or one of its trainings at random
moments, damages files, and fills the disk. Only root can fill the disk, because it is a
small file system that has to be mounted. At the end, the records and files of both must be
equal, no finished run may have been trained twice, and no temporary file may be left. This
command needs Linux.

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
    /// Seed of the random choice of what is killed or damaged, and when
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Backend that trains
    #[arg(long, value_name = "NAME", default_value = "flex")]
    pub backend: Backend,
}

/// `cargo xtask ci`
#[derive(Debug, Args)]
#[command(after_help = "\
The command stops at the first check that fails. It prints the command line of each check
before it runs the check, so that you can run this check alone.

Examples:
  cargo xtask ci
  cargo xtask ci --backend flex,ndarray,wgpu")]
pub struct Ci {
    /// Also build with these backends, train on each of them, and compare them; with wgpu
    /// this takes much longer
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub backend: Vec<Backend>,
}

/// `cargo xtask pictures`
#[derive(Debug, Args)]
#[command(after_help = "\
The first picture is the first screen of the report, which Chromium opens. The second one is
burn-train's dashboard. For this, the cell mlp is trained in tmux. It takes about a minute.
KINDLING_BROWSER names a browser to use in place of Chromium.

Example:
  cargo xtask pictures")]
pub struct Pictures {
    /// Folder for the pictures [default: docs/pictures]
    #[arg(long, value_name = "DIR")]
    pub to: Option<PathBuf>,
    /// Folder of the results whose report is shown [default: artifacts]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// `cargo xtask schema`
#[derive(Debug, Args)]
#[command(after_help = "\
The schemas are written to configs/schema. The file .taplo.toml assigns a schema to each
config file. Editors read it with Taplo; in VS Code, the extension Even Better TOML does.

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
Shells cannot complete the arguments of `cargo xtask`. So define an alias `xtask`, which the
script completes:

  alias xtask='cargo xtask'
  source <(cargo xtask completions bash)")]
pub struct Completions {
    /// Shell to complete for
    pub shell: clap_complete::Shell,
}
