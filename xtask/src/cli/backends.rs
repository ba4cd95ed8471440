//! Flags of the commands that compare backends.

use clap::Args;
use kindling_formats::Precision;

use super::options::{BuildFlags, Changes, Compared, Folders, SizeFlags};

/// `cargo xtask backends`
#[derive(Debug, Args)]
#[command(after_help = "\
It builds kindling with the backends that are named, and measures each device. The product
is a matrix product of two matrices of 1024x1024 numbers. The latency is the time of the
smallest operation; small networks consist of such operations.

Examples:
  cargo xtask backends
  cargo xtask backends --backend flex,ndarray,wgpu")]
pub struct Backends {
    /// Print JSON, for programs
    #[arg(long)]
    pub json: bool,
    /// What the program is built with.
    #[command(flatten)]
    pub build: BuildFlags,
}

/// `cargo xtask parity`
#[derive(Debug, Args)]
#[command(after_help = "\
Both backends start from the same weights and see the same batches. If loss, gradients or
weights differ by more than rounding, the first such step and its layer are named, and the
exit code is 1. Every step is written to DIR/parity/CELL/ONE-OTHER.csv.

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
    /// Use dropout as the cells say; without this flag there is none
    #[arg(long)]
    pub dropout: bool,
    /// Let each backend go on from its own weights, so that differences add up; without
    /// this flag each step starts from the weights of the first backend
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
    /// What differs from the study's files.
    #[command(flatten)]
    pub changes: Changes,
    /// The folders.
    #[command(flatten)]
    pub folders: Folders,
}

/// `cargo xtask converge`
#[derive(Debug, Args)]
#[command(after_help = "\
It trains cells on 10,000 images on every backend with the same seeds. The exit code is 1
if mean test accuracies differ by more than the noise of the test images: two standard
errors of the difference of two proportions.

Examples:
  cargo xtask converge
  cargo xtask converge linear --backend flex,wgpu --seeds 1")]
pub struct Converge {
    /// Cells that classify [default: mlp convnet]
    #[arg(value_name = "CELL")]
    pub cells: Vec<String>,
    /// The devices that are compared.
    #[command(flatten)]
    pub compared: Compared,
    /// Train seeds 0 to N-1
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub seeds: u64,
    /// What differs from the study's files.
    #[command(flatten)]
    pub changes: Changes,
    /// The folders.
    #[command(flatten)]
    pub folders: Folders,
}
