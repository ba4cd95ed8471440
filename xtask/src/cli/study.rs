//! Flags of the commands that train the study and show its results.

use std::path::PathBuf;

use clap::Args;
use kindling_formats::DeviceName;

use super::options::{Extras, Folders, MatrixFlags, ProtocolFlag, SizeFlags, Training, Tree};

/// `cargo xtask experiments`
#[derive(Debug, Args)]
#[command(after_help = "\
A run that already has a result of the same config and the same data is not trained again.
A run that fails does not stop the others; failed runs are listed at the end.

With --executor slurm, each missing run becomes one task of a job array. If there are more
runs than Slurm allows in an array, several arrays are submitted. --jobs limits how many
tasks of an array train at a time. DIR/slurm.json lists the submitted runs. If Slurm cannot
be asked about these jobs, only the runs that have a result count as ended. To train the
others, run the command where Slurm can be asked; or, if you know that the jobs have ended,
remove DIR/slurm.json.

With --set, --data, --precision or another --backend, the runs are a variant of the study.
Their results are written to DIR/variants/NAME, and `report`, `claims`, `watch` and `serve`
show them with --variant NAME.

With --protocol tuned, the keys that tuning.toml names have the values that `cargo xtask tune`
chose. The results are written to DIR/tuned. The choices are read from DIR/tuned/choices.toml,
or else from the file choices.toml beside the configs.

Examples:
  cargo xtask experiments --list
  cargo xtask experiments --quick
  cargo xtask experiments --cell mlp --only dropout --seeds 5
  cargo xtask experiments --backend ndarray --jobs 1
  cargo xtask experiments --backend wgpu --smoke
  cargo xtask experiments --cell mlp --set train.epochs=5
  cargo xtask experiments --protocol tuned --cell mlp")]
pub struct Experiments {
    /// Print JSON, for programs
    #[arg(long)]
    pub json: bool,
    /// How much of each run is trained.
    #[command(flatten)]
    pub size: SizeFlags,
    /// Which cells train, and where.
    #[command(flatten)]
    pub matrix: MatrixFlags,
    /// Print the cells and train nothing
    #[arg(long)]
    pub list: bool,
    /// Train seeds 0 to N-1 [default: the number of seeds in the study's configs]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub seeds: Option<u64>,
    /// The protocol of the runs.
    #[command(flatten)]
    pub protocol: ProtocolFlag,
    /// How to train.
    #[command(flatten)]
    pub training: Training,
    /// The folders.
    #[command(flatten)]
    pub folders: Folders,
}

/// `cargo xtask train`
#[derive(Debug, Args)]
#[command(after_help = "\
On a terminal, the command shows a dashboard; elsewhere it prints plain lines. The result is
written to DIR/train, so it does not replace a result of the study.

Examples:
  cargo xtask train mlp
  cargo xtask train mlp --set dropout=0.3 --seed 1
  cargo xtask train convnet --quick | cat")]
pub struct Train {
    /// Full name of the cell, as `experiments --list` shows it
    #[arg(value_name = "CELL")]
    pub cell: String,
    /// Seed of the run
    #[arg(long, value_name = "N", default_value_t = 0,
          value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    pub seed: u64,
    /// How much of the run is trained.
    #[command(flatten)]
    pub size: SizeFlags,
    /// The protocol of the run.
    #[command(flatten)]
    pub protocol: ProtocolFlag,
    /// How to train.
    #[command(flatten)]
    pub training: Training,
    /// The folders.
    #[command(flatten)]
    pub folders: Folders,
}

/// `cargo xtask watch`
#[derive(Debug, Args)]
#[command(after_help = "\
The command only reads files. So you can start and stop it at any time while a matrix
trains, and run it several times at once. It lists the runs that have begun first, each with
a curve of its test loss by epoch, then failed runs, then complete runs. Ctrl-C ends the
command; the training continues.

Examples:
  cargo xtask watch
  cargo xtask watch --quick
  cargo xtask watch --trials
  cargo xtask watch --once | head -1")]
pub struct Watch {
    /// Print JSON, for programs
    #[arg(long)]
    pub json: bool,
    /// Print the current state once and end; this is the default in a pipe
    #[arg(long)]
    pub once: bool,
    /// Watch the trials of `cargo xtask tune`
    #[arg(long, conflicts_with = "protocol")]
    pub trials: bool,
    /// The results to read.
    #[command(flatten)]
    pub tree: Tree,
}

/// `cargo xtask serve`
#[derive(Debug, Args)]
#[command(after_help = "\
The page is updated while the matrix trains. Only browsers on this machine can open it.
Ctrl-C ends the server; the training continues.

Examples:
  cargo xtask serve
  cargo xtask serve --quick --port 9000")]
pub struct Serve {
    /// Port to listen on; 0 for any free port
    #[arg(long, value_name = "N", default_value_t = 8088)]
    pub port: u16,
    /// Watch the trials of `cargo xtask tune`
    #[arg(long, conflicts_with = "protocol")]
    pub trials: bool,
    /// The results to read.
    #[command(flatten)]
    pub tree: Tree,
}

/// `cargo xtask new`
#[derive(Debug, Args)]
#[command(after_help = "\
The study has two networks, a sweep over dropout rates, and a claim. Each file explains its keys.

Examples:
  cargo xtask new my-study
  cargo xtask new my-study --data ../pictures
  cargo xtask experiments --configs my-study --out artifacts/studies/my-study --quick")]
pub struct New {
    /// Folder for the configs; it must not exist, or be empty
    pub dir: PathBuf,
    /// Folder of images to learn from, in place of MNIST
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

/// `cargo xtask report`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo xtask report
  cargo xtask report --quick
  cargo xtask report --figures ../paper
  cargo xtask-pdf report --figures ../paper    PDF files, too
  cargo xtask report --publish
  cargo xtask report --publish --protocol tuned")]
pub struct Report {
    /// Also copy the figures to this folder, as SVG files; `cargo xtask-pdf` adds PDF files
    #[arg(long, value_name = "DIR")]
    pub figures: Option<PathBuf>,
    /// Copy what can be judged again to artifacts/reference, and the findings to README.md
    #[arg(long, conflicts_with_all = ["quick", "smoke"])]
    pub publish: bool,
    /// The results to read.
    #[command(flatten)]
    pub tree: Tree,
}

/// `cargo xtask claims`
#[derive(Debug, Args)]
#[command(after_help = "\
The claims are in claims.toml. A refuted claim is a finding, not an error: the exit code is
0. The exit code is 2 if a claim is malformed.

With --until-decided, a claim is open as long as it is undecided together with the others.
Each step trains what one open claim needs at today's spread: the claim that takes the least
time. Then all claims are judged again. It stops when no claim is open, when no training that
--max-seeds and --minutes allow helps, or when a run fails. It says which claims stay open,
and why.

Examples:
  cargo xtask claims
  cargo xtask claims --until-decided
  cargo xtask claims --until-decided --max-seeds 12 --minutes 90")]
pub struct Claims {
    /// Print JSON, for programs
    #[arg(long)]
    pub json: bool,
    /// Train the seeds that open claims need, first those that decide a claim in the least time
    #[arg(long, conflicts_with_all = ["quick", "smoke"])]
    pub until_decided: bool,
    /// With --until-decided: train at most N seeds of a cell
    #[arg(long, value_name = "N", default_value_t = 10, requires = "until_decided",
          value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub max_seeds: u64,
    /// With --until-decided: begin no step that ends after N minutes
    #[arg(long, value_name = "N", requires = "until_decided",
          value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub minutes: Option<u64>,
    /// With --until-decided: train on this GPU of the backend, as in wgpu:1
    #[arg(long, value_name = "NAME", requires = "until_decided")]
    pub device: Option<DeviceName>,
    /// With --until-decided: write no files for TensorBoard
    #[arg(long, requires = "until_decided")]
    pub no_tensorboard: bool,
    /// Features of GPU backends.
    #[command(flatten)]
    pub extras: Extras,
    /// The results to read.
    #[command(flatten)]
    pub tree: Tree,
}

/// `cargo xtask compare`
#[derive(Debug, Args)]
#[command(after_help = "\
A tree is a folder that holds `runs/`: DIR, DIR/tuned, DIR/variants/NAME, or their quick
trees. The trees may differ in protocol, backend, data or revision. Only results of the study
as its files are today count. Judging the claims of a tree is a look, which the tree's
looks.json counts; the command changes no other file.

A claim flips if one tree supports it and another one refutes it. It opens if only the first
tree decides it, and closes if only the first tree leaves it undecided. `no runs` stands for
a claim that lacks a run or a number in that tree.

Examples:
  cargo xtask compare artifacts artifacts/tuned
  cargo xtask compare artifacts artifacts/variants/ndarray
  cargo xtask compare artifacts artifacts/tuned --json")]
pub struct Compare {
    /// Folders of two trees or more; the others are compared with the first
    #[arg(value_name = "TREE", required = true, num_args = 2..)]
    pub trees: Vec<PathBuf>,
    /// Print JSON, for programs
    #[arg(long)]
    pub json: bool,
    /// Folder of the study's configs [default: configs]
    #[arg(long, value_name = "DIR")]
    pub configs: Option<PathBuf>,
}

/// `cargo xtask task`
#[derive(Debug, Args)]
pub struct Task {
    /// Tasks file, which was written when the array was submitted
    pub tasks: PathBuf,
    /// Index of the task
    pub index: usize,
}
