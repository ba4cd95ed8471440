//! Flags of the commands that compare backends.

use clap::Args;
use kindling_formats::Precision;

use super::options::{BuildFlags, Changes, Compared, Folders, SizeFlags};

/// `cargo xtask backends`
#[derive(Debug, Args)]
#[command(after_help = "\
The command builds kindling with the backends that --backend names, and measures each
device. The column `product` is the speed of a product of two 1024x1024 matrices. The
column `latency` is the time of one tiny operation; small networks consist of such
operations.

Examples:
  cargo xtask backends
  cargo xtask backends --backend flex,ndarray,wgpu")]
pub struct Backends {
    /// Print JSON, for programs
    #[arg(long)]
    pub json: bool,
    /// The backends and features that the program is built with.
    #[command(flatten)]
    pub build: BuildFlags,
}

/// `cargo xtask parity`
#[derive(Debug, Args)]
#[command(after_help = "\
Both backends start from the same weights and train on the same batches. If the loss, the
gradients or the weights differ by more than rounding, the table names the first step and
layer that differ, and the exit code is 1. Every step is written to
DIR/parity/CELL/ONE-OTHER.csv.

Examples:
  cargo xtask parity
  cargo xtask parity convnet ae --steps 200
  cargo xtask parity --backend flex,wgpu --smoke --steps 5
  cargo xtask parity mlp --device wgpu:0,wgpu:1
  cargo xtask parity dropout-0.3 --dropout")]
pub struct Parity {
    /// Cells that train by gradient steps [default: convnet-y1 mlp convnet ae]
    #[arg(value_name = "CELL")]
    pub cells: Vec<String>,
    /// The size of the runs whose steps are compared.
    #[command(flatten)]
    pub size: SizeFlags,
    /// The devices that are compared.
    #[command(flatten)]
    pub compared: Compared,
    /// Number of steps to compare
    #[arg(long, value_name = "N", default_value_t = 50,
          value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub steps: u64,
    /// Largest relative difference of the loss that counts as rounding; gradients and
    /// weights may differ by thirty times as much [default: 1e-4 on CPUs, 1e-3 on GPUs]
    #[arg(long, value_name = "X")]
    pub tolerance: Option<f64>,
    /// Use the dropout of each cell's config; without this flag, dropout is off
    #[arg(long)]
    pub dropout: bool,
    /// Let each backend continue with its own weights, so that differences add up; without
    /// this flag, both start each step from the weights of the first backend
    #[arg(long)]
    pub drift: bool,
    /// Precision of matrix products on a GPU: full (default), mixed
    #[arg(
        long,
        value_name = "NAME",
        default_value = "full",
        hide_default_value = true
    )]
    pub precision: Precision,
    /// Seed of the runs
    #[arg(long, value_name = "N", default_value_t = 0,
          value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    pub seed: u64,
    /// The changes to the study's configs.
    #[command(flatten)]
    pub changes: Changes,
    /// The folders.
    #[command(flatten)]
    pub folders: Folders,
}

/// `cargo xtask converge`
#[derive(Debug, Args)]
#[command(after_help = "\
The command trains cells on 10,000 images on every backend with the same seeds. The exit
code is 1 if mean test accuracies differ by more than the noise of the test images: two
standard errors of the difference of two proportions.

Examples:
  cargo xtask converge
  cargo xtask converge linear --backend flex,wgpu --seeds 1")]
pub struct Converge {
    /// Cells of the family classifier [default: mlp convnet]
    #[arg(value_name = "CELL")]
    pub cells: Vec<String>,
    /// The devices that are compared.
    #[command(flatten)]
    pub compared: Compared,
    /// Train seeds 0 to N-1
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub seeds: u64,
    /// The changes to the study's configs.
    #[command(flatten)]
    pub changes: Changes,
    /// The folders.
    #[command(flatten)]
    pub folders: Folders,
}
