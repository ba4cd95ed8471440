//! Flags that several commands share.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use kindling_formats::{Backend, DeviceName, Precision, Protocol, Setting, Size};

/// How much of each run is trained.
#[derive(Debug, Args)]
pub struct SizeFlags {
    /// Short runs: one seed, one epoch, less data
    #[arg(long)]
    pub quick: bool,
    /// Even shorter runs, for slow backends: at most 20 steps, 256 test images
    #[arg(long, conflicts_with = "quick")]
    pub smoke: bool,
}

impl SizeFlags {
    /// The size that the flags name.
    pub fn size(&self) -> Size {
        match (self.quick, self.smoke) {
            (_, true) => Size::Smoke,
            (true, false) => Size::Quick,
            (false, false) => Size::Full,
        }
    }
}

/// The folders of configs and results. The default folders are in the repository. A relative
/// path that the user gives starts in the current folder.
#[derive(Debug, Args)]
pub struct Folders {
    /// Folder for results [default: artifacts; with --configs NAME artifacts/studies/NAME]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Folder of the study's configs [default: configs]
    #[arg(long, value_name = "DIR")]
    pub configs: Option<PathBuf>,
}

/// How the hyper-parameters of the cells came about.
#[derive(Debug, Args)]
pub struct ProtocolFlag {
    /// Hyper-parameters: written, which are those of the configs (default), or tuned, which
    /// `cargo xtask tune` chose
    #[arg(
        long,
        value_name = "NAME",
        default_value = "written",
        hide_default_value = true
    )]
    pub protocol: Protocol,
}

/// Which cells train, and where.
#[derive(Debug, Args)]
pub struct MatrixFlags {
    /// Take the cell with exactly this name; repeatable
    #[arg(long, value_name = "NAME")]
    pub cell: Vec<String>,
    /// Take the cells whose name contains WORD; repeatable, and added to --cell
    #[arg(long, value_name = "WORD")]
    pub only: Vec<String>,
    /// Train N runs at a time [default: one per core; on a GPU one]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1024))]
    pub jobs: Option<u64>,
    /// Also train runs that already have a result
    #[arg(long)]
    pub fresh: bool,
    /// Where to train: local (default), or slurm, which submits a job array
    #[arg(
        long,
        value_name = "NAME",
        value_enum,
        default_value_t,
        hide_default_value = true,
        hide_possible_values = true
    )]
    pub executor: Executor,
    /// Options for sbatch, quoted as for a shell, as in
    /// --slurm-args="--partition=gpu --time=1:00:00". The options account, clusters,
    /// partition, qos and reservation are used for the last job too
    #[arg(long, value_name = "ARGS", allow_hyphen_values = true)]
    pub slurm_args: Vec<String>,
    /// Further options for the last job, which writes the report or the choices, as in
    /// --slurm-report-args=--partition=cpu
    #[arg(long, value_name = "ARGS", allow_hyphen_values = true)]
    pub slurm_report_args: Vec<String>,
}

/// Where a matrix trains.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Executor {
    /// In processes on this machine.
    #[default]
    Local,
    /// In a job array of Slurm.
    Slurm,
}

/// The folder of results that a command reads: of one size and protocol, and of the study or a
/// variant.
#[derive(Debug, Args)]
pub struct Tree {
    /// The protocol of the runs.
    #[command(flatten)]
    pub protocol: ProtocolFlag,
    /// How much of each run was trained.
    #[command(flatten)]
    pub size: SizeFlags,
    /// Results that were trained with changed settings, such as ndarray or
    /// train.epochs=5: the name of their folder in DIR/variants
    #[arg(long, value_name = "NAME")]
    pub variant: Option<String>,
    /// The folders.
    #[command(flatten)]
    pub folders: Folders,
}

/// Additional features of GPU backends. The Cargo features have the same names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Extra {
    /// Several operations become one kernel.
    Fusion,
    /// Each run measures several kernels and uses the fastest.
    Autotune,
}

/// Additional features of GPU backends.
#[derive(Debug, Args)]
pub struct Extras {
    /// Additional features of GPU backends: fusion (several operations become one kernel),
    /// autotune (each run measures several kernels and uses the fastest)
    #[arg(
        long,
        value_name = "NAMES",
        value_delimiter = ',',
        hide_possible_values = true
    )]
    pub with: Vec<Extra>,
}

/// The backends and features that the training program is built with.
#[derive(Debug, Args)]
pub struct BuildFlags {
    /// Backend: flex (default), ndarray, wgpu, cuda. If you name several, as in flex,wgpu, the
    /// program contains all of them and trains on the first one
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub backend: Vec<Backend>,
    /// Features of GPU backends.
    #[command(flatten)]
    pub extras: Extras,
}

/// The changes to the study's configs.
#[derive(Debug, Args)]
pub struct Changes {
    /// Change one key of the configs, as in dropout=0.3; repeatable
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<Setting>,
    /// Folder of images to use in place of MNIST
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

/// How to train.
#[derive(Debug, Args)]
pub struct Training {
    /// The backends and features that the program is built with.
    #[command(flatten)]
    pub build: BuildFlags,
    /// Precision of matrix products on a GPU: full (default), mixed
    #[arg(
        long,
        value_name = "NAME",
        default_value = "full",
        hide_default_value = true
    )]
    pub precision: Precision,
    /// Device to train on: one of the backends, or one GPU of a backend, as in wgpu:1
    /// [default: the value of BURN_DEVICE, or else the first backend]
    #[arg(long, value_name = "NAME")]
    pub device: Option<DeviceName>,
    /// Write no files for TensorBoard
    #[arg(long)]
    pub no_tensorboard: bool,
    /// The changes to the study's configs.
    #[command(flatten)]
    pub changes: Changes,
}

/// The devices that are compared.
#[derive(Debug, Args)]
pub struct Compared {
    /// Backends that the program contains [default: flex,ndarray, or the backends of --device]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub backend: Vec<Backend>,
    /// Devices to compare: the first one with each of the others, as in flex,wgpu:1
    /// [default: all backends of --backend]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub device: Vec<DeviceName>,
    /// Features of GPU backends.
    #[command(flatten)]
    pub extras: Extras,
}
