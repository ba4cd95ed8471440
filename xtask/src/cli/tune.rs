//! Flags of the commands that choose hyper-parameters, and that remove what is not needed.

use clap::Args;

use super::options::{Folders, MatrixFlags, SizeFlags, Training};

/// `cargo xtask tune`
#[derive(Debug, Args)]
#[command(after_help = "\
tuning.toml beside the configs says which keys are searched for the cells of each family, with
which candidates. Each candidate is trained with several seeds. Such a run is a trial: it
learns from a part of the training images, is scored on the others, and never sees a test
image. The candidate with the best mean score is chosen. Of equal ones, that with the smaller
value is chosen.

A trial that has a result is not trained again. The choices and all scores are written to
DIR/tuned/choices.toml. To use them elsewhere without training a trial again, copy this file
into the folder of the configs. `cargo xtask watch --trials` shows the progress.

With --executor slurm, the trials are submitted as job arrays, and a last job writes the
choices.

Examples:
  cargo xtask tune --list
  cargo xtask tune --cell mlp --only dropout
  cargo xtask experiments --protocol tuned --cell mlp --only dropout")]
pub struct Tune {
    /// Print JSON, for programs
    #[arg(long)]
    pub json: bool,
    /// How much of each trial is trained.
    #[command(flatten)]
    pub size: SizeFlags,
    /// Which cells are tuned, and where.
    #[command(flatten)]
    pub matrix: MatrixFlags,
    /// Print the cells with their candidates and train nothing
    #[arg(long, conflicts_with = "choose")]
    pub list: bool,
    /// Choose by the trials that are recorded, and train nothing. The variant of the study is
    /// that of the trials in DIR
    #[arg(long, conflicts_with_all = [
        "jobs", "fresh", "executor", "backend", "with", "precision", "device", "set", "data",
        "no_tensorboard",
    ])]
    pub choose: bool,
    /// How to train.
    #[command(flatten)]
    pub training: Training,
    /// The folders.
    #[command(flatten)]
    pub folders: Folders,
}

/// `cargo xtask clean`
#[derive(Debug, Args)]
#[command(after_help = "\
Without --remove, the command only lists what it would remove, with its size. It looks at all
trees in DIR: full, quick and smoke runs, both protocols, and all variants. It never removes a
result of the study as its files are today, nor one of which it cannot know that: without the
choice of a cell, for example, the tuned runs of this cell stay. Choices stay too.

Examples:
  cargo xtask clean
  cargo xtask clean --trials --remove")]
pub struct Clean {
    /// Remove what is listed
    #[arg(long)]
    pub remove: bool,
    /// Trials only, unless other kinds are named too
    #[arg(long)]
    pub trials: bool,
    /// Outdated runs only: those of another config, other data or another version of Burn
    #[arg(long)]
    pub outdated: bool,
    /// Foreign runs only: those of a cell that the study does not have, or of another version
    /// of Kindling
    #[arg(long)]
    pub foreign: bool,
    /// The folders.
    #[command(flatten)]
    pub folders: Folders,
}
