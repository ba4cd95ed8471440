//! The command line, as types. What each flag does to the study is decided
//! elsewhere; here it is only read.

use std::path::PathBuf;

use anyhow::anyhow;
use clap::{Args, Parser, Subcommand};
use kindling_formats::{Backend, DeviceName, Precision, Setting, Size};

use crate::kindling::{Build, Extra};
use crate::sbatch::Options;
use crate::slurm::Slurm;
use crate::stop::Stop;

/// Trains the study of small networks and reports on it.
#[derive(Debug, Parser)]
#[command(
    bin_name = "cargo xtask",
    arg_required_else_help = true,
    after_help = "\
Examples:
  cargo xtask experiments --quick   everything once, small
  cargo xtask experiments           the whole study, then its report
  cargo xtask train mlp             one cell in the foreground

`cargo xtask COMMAND --help` has more of each.

Exit codes: 0 done; 1 a run or a check failed, and is named; 2 the arguments, configs
or data are wrong, and nothing is written; 130 stopped by Ctrl-C, and the same command
goes on."
)]
pub struct Cli {
    /// Say nothing but results, warnings and errors
    #[arg(long, short, global = true)]
    pub quiet: bool,
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
    /// Look on while a matrix trains
    Watch(Watch),
    /// Show a matrix that trains, and its report, in a browser
    Serve(Serve),
    /// Rebuild the tables and curves from the records
    Report(Report),
    /// Say which sentences of the study stand
    Claims(Claims),
    /// List what can compute here, and how fast
    Backends(Backends),
    /// Follow a training on two backends, step by step
    Parity(Parity),
    /// Train on several backends, and compare how well they learned
    Converge(Converge),
    /// Time epochs, by turns with Keras
    Bench(Bench),
    /// Kill a matrix again and again, and see that nothing is lost
    Chaos(Chaos),
    /// Run all that the gate runs: format, tests, lints, the quick study
    Ci(Ci),
    /// Train a run of a job array; Slurm calls it
    #[command(hide = true)]
    Task(Task),
    /// Write JSON Schemas of the config files, by which editors complete them
    Schema(Schema),
    /// Print a script by which a shell completes the commands
    Completions(Completions),
    /// Write manual pages
    Man(Man),
}

/// `cargo xtask watch`
#[derive(Debug, Args)]
#[command(after_help = "\
It only reads files, so it can come and go while a matrix trains, and be opened more
than once. What trains comes first, with its test loss as a curve of an epoch each,
then what failed, then what is done. Ctrl-C leaves it.

Examples:
  cargo xtask watch
  cargo xtask watch --quick
  cargo xtask watch --once | head -1")]
pub struct Watch {
    /// Print JSON, for programs
    #[arg(long)]
    pub json: bool,
    /// Show it once, as in a pipe
    #[arg(long)]
    pub once: bool,
    /// Whose runs.
    #[command(flatten)]
    pub tree: Tree,
}

/// `cargo xtask serve`
#[derive(Debug, Args)]
#[command(after_help = "\
The page changes as the matrix trains. Only this machine is served. Ctrl-C ends it.

Examples:
  cargo xtask serve
  cargo xtask serve --quick --port 9000")]
pub struct Serve {
    /// Where to listen; 0: any port that is free
    #[arg(long, value_name = "N", default_value_t = 8088)]
    pub port: u16,
    /// Whose runs.
    #[command(flatten)]
    pub tree: Tree,
}

/// `cargo xtask chaos`
#[derive(Debug, Args)]
#[command(after_help = "\
It trains quick runs in a temporary folder: once in peace; then killing the matrix or
one of its trainings at random moments, damaging files in between, and, where it may
mount a small file system, as root may, filling the disk. In the end every record and
every file has to be the same, nothing finished trained twice, and nothing left
behind. For Linux.

Examples:
  cargo xtask chaos --kills 10
  cargo xtask chaos --minutes 30 --seed 7")]
pub struct Chaos {
    /// Kills at most
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub kills: u64,
    /// Minutes of killing at most
    #[arg(long, value_name = "N")]
    pub minutes: Option<u64>,
    /// Decides when and what is killed and damaged
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// What trains
    #[arg(long, value_name = "NAME", default_value = "flex")]
    pub backend: Backend,
}

/// `cargo xtask ci`
#[derive(Debug, Args)]
#[command(after_help = "\
It stops at the first failure, and every command is printed before it runs, so that
one can be repeated alone.

Examples:
  cargo xtask ci
  cargo xtask ci --backend flex,ndarray,wgpu")]
pub struct Ci {
    /// Also build with these, try each, and compare them; takes much longer where
    /// wgpu is among them
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub backend: Vec<Backend>,
}

/// `cargo xtask task`
#[derive(Debug, Args)]
pub struct Task {
    /// What an array was submitted with
    pub tasks: PathBuf,
    /// Which of its runs
    pub index: usize,
}

/// Where a matrix trains.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Executor {
    /// In processes on this machine.
    #[default]
    Local,
    /// As a job array.
    Slurm,
}

/// `cargo xtask schema`
#[derive(Debug, Args)]
#[command(after_help = "\
They go to configs/schema, where .taplo.toml tells Taplo (and so the editors that use
it, as VS Code's Even Better TOML) which file each is for.

Example:
  cargo xtask schema")]
pub struct Schema {
    /// Another folder of configs
    #[arg(long, value_name = "DIR")]
    pub configs: Option<PathBuf>,
}

/// `cargo xtask completions`
#[derive(Debug, Args)]
#[command(after_help = "\
They are for the name `xtask`, since no shell completes behind `cargo`:

  alias xtask='cargo xtask'
  source <(cargo xtask completions bash)")]
pub struct Completions {
    /// Whose
    pub shell: clap_complete::Shell,
}

/// `cargo xtask man`
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  cargo xtask man target/man && man target/man/xtask.1")]
pub struct Man {
    /// Folder to write to
    pub dir: PathBuf,
}

/// `cargo xtask experiments`
#[derive(Debug, Args)]
#[command(after_help = "\
A run that is recorded already, with the same config and the same data, is not
trained again. One that fails does not stop the others; it is named at the end.

With --executor slurm each missing run becomes a task of a job array, of several arrays
where Slurm limits their size; --jobs is then how many of an array train at a time. What
was submitted stands in DIR/slurm.json. Where Slurm cannot be asked about it, only runs
that are finished are taken for ended: train the others where Slurm is, or, if you know
that they have ended, remove that file.

Examples:
  cargo xtask experiments --list
  cargo xtask experiments --quick
  cargo xtask experiments --cell mlp --only dropout --seeds 5
  cargo xtask experiments --backend ndarray --jobs 1
  cargo xtask experiments --backend wgpu --smoke
  cargo xtask experiments --cell mlp --set train.epochs=5

With --set, --data, --precision or another --backend the runs are not the study's own.
They go to a tree of their own, DIR/variants/NAME, and `report`, `claims`, `watch` and
`serve` show it with --variant NAME.")]
pub struct Experiments {
    /// Print JSON, for programs
    #[arg(long)]
    pub json: bool,
    /// How much of each run.
    #[command(flatten)]
    pub length: Length,
    /// The cell of exactly this name; repeatable
    #[arg(long, value_name = "NAME")]
    pub cell: Vec<String>,
    /// Cells whose name contains WORD; repeatable, and beside --cell
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
    /// Where: local (default), or slurm, which gets a job array of what is missing
    #[arg(
        long,
        value_name = "NAME",
        value_enum,
        default_value_t,
        hide_default_value = true,
        hide_possible_values = true
    )]
    pub executor: Executor,
    /// Options for sbatch, as in --slurm-args="--partition=gpu --time=1:00:00", quoted as
    /// for a shell; those that say where a job may run (account, clusters, partition, qos,
    /// reservation) hold for the report's job too
    #[arg(long, value_name = "ARGS", allow_hyphen_values = true)]
    pub slurm_args: Vec<String>,
    /// Options for the report's job besides, as in --slurm-report-args=--partition=cpu
    #[arg(long, value_name = "ARGS", allow_hyphen_values = true)]
    pub slurm_report_args: Vec<String>,
    /// What every command that trains can be told.
    #[command(flatten)]
    pub training: Training,
    /// Which folders.
    #[command(flatten)]
    pub folders: Folders,
}

impl Experiments {
    /// How to submit, where it is not to train here.
    ///
    /// # Errors
    ///
    /// If what Slurm alone understands is said of a local matrix.
    pub fn slurm(&self) -> Result<Option<Slurm>, Stop> {
        if self.executor == Executor::Local {
            for (flag, given) in [
                ("--slurm-args", &self.slurm_args),
                ("--slurm-report-args", &self.slurm_report_args),
            ] {
                if !given.is_empty() {
                    let problem = format!("{flag}: only with --executor slurm");
                    return Err(Stop::input(anyhow!(problem)));
                }
            }
            return Ok(None);
        }
        let configs = self.folders.configs.as_deref();
        Ok(Some(Slurm {
            options: Options::parse(&self.slurm_args, &self.slurm_report_args)
                .map_err(Stop::input)?,
            jobs: self.jobs,
            configs: configs.map(std::path::absolute).transpose()?,
            tensorboard: !self.training.no_tensorboard,
            fresh: self.fresh,
        }))
    }
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
    /// How much of it.
    #[command(flatten)]
    pub length: Length,
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
    /// Put it in artifacts/reference and README.md
    #[arg(long, conflicts_with_all = ["quick", "smoke", "variant"])]
    pub publish: bool,
    /// Of which runs.
    #[command(flatten)]
    pub tree: Tree,
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
    /// Print JSON, for programs
    #[arg(long)]
    pub json: bool,
    /// Train more seeds of the cells that undecided claims rest on
    #[arg(long, conflicts_with_all = ["quick", "smoke"])]
    pub until_decided: bool,
    /// With --until-decided: seeds of a cell at most
    #[arg(long, value_name = "N", default_value_t = 8, requires = "until_decided",
          value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub most: u64,
    /// With --until-decided: which of a backend's GPUs, as wgpu:1
    #[arg(long, value_name = "NAME", requires = "until_decided")]
    pub device: Option<DeviceName>,
    /// With --until-decided: write nothing for TensorBoard
    #[arg(long, requires = "until_decided")]
    pub no_tensorboard: bool,
    /// For GPUs.
    #[command(flatten)]
    pub extras: Extras,
    /// Of which runs.
    #[command(flatten)]
    pub tree: Tree,
}

impl Claims {
    /// What to build for training more seeds on `backend`.
    ///
    /// # Errors
    ///
    /// If the device is of another backend.
    pub fn build(&self, backend: Backend) -> Result<Build, Stop> {
        let device = self.device.unwrap_or(backend.into());
        build(&[backend], vec![device], self.extras.with.clone())
    }
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

/// `cargo xtask backends`
#[derive(Debug, Args)]
#[command(after_help = "\
It builds kindling with the backends named and asks it. The product is one of two
matrices of 1024x1024 numbers; the latency is that of the smallest operation, which
is what a small network is made of.

Examples:
  cargo xtask backends
  cargo xtask backends --backend flex,ndarray,wgpu")]
pub struct Backends {
    /// Print JSON, for programs
    #[arg(long)]
    pub json: bool,
    /// What to build in.
    #[command(flatten)]
    pub built: Built,
}

/// `cargo xtask parity`
#[derive(Debug, Args)]
#[command(after_help = "\
Both start from the same weights and see the same batches. It names the first step
at which loss, gradients or weights differ by more than rounding, and the layer;
the exit code is 1 then. Every step is in DIR/parity/CELL/ONE-OTHER.csv.

Examples:
  cargo xtask parity
  cargo xtask parity convnet ae --steps 200
  cargo xtask parity --backend flex,wgpu --smoke --steps 5
  cargo xtask parity mlp --device wgpu:0,wgpu:1
  cargo xtask parity dropout-0.3 --dropout")]
pub struct Parity {
    /// Cells that take training steps [default: convnet-y1 mlp convnet ae]
    #[arg(value_name = "CELL")]
    pub cells: Vec<String>,
    /// Of which the steps are.
    #[command(flatten)]
    pub length: Length,
    /// On what.
    #[command(flatten)]
    pub compared: Compared,
    /// Steps to take
    #[arg(long, value_name = "N", default_value_t = 50,
          value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub steps: u64,
    /// The largest relative difference of the loss that is rounding; gradients and
    /// weights may differ by thirty times that [default: 1e-4 on CPUs, 1e-3 on GPUs]
    #[arg(long, value_name = "X")]
    pub tolerance: Option<f64>,
    /// Drop units out as the cells say
    #[arg(long)]
    pub dropout: bool,
    /// Let each go its own way, so that differences of earlier steps add up; by
    /// default each step starts from the weights of the first backend
    #[arg(long)]
    pub drift: bool,
    /// How exactly GPUs multiply: full (default), mixed
    #[arg(
        long,
        value_name = "NAME",
        default_value = "full",
        hide_default_value = true
    )]
    pub precision: Precision,
    /// The seed
    #[arg(long, value_name = "N", default_value_t = 0,
          value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    pub seed: u64,
    /// What is trained.
    #[command(flatten)]
    pub changes: Changes,
    /// Which folders.
    #[command(flatten)]
    pub folders: Folders,
}

/// `cargo xtask converge`
#[derive(Debug, Args)]
#[command(after_help = "\
It trains cells on 10,000 images on every backend, with the same seeds. The exit
code is 1 where mean test accuracies are further apart than the test images' own
noise: two standard errors of a difference of shares.

Examples:
  cargo xtask converge
  cargo xtask converge linear --backend flex,wgpu --seeds 1")]
pub struct Converge {
    /// Cells that classify [default: mlp convnet]
    #[arg(value_name = "CELL")]
    pub cells: Vec<String>,
    /// On what.
    #[command(flatten)]
    pub compared: Compared,
    /// Seeds 0 to N-1
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub seeds: u64,
    /// What is trained.
    #[command(flatten)]
    pub changes: Changes,
    /// Which folders.
    #[command(flatten)]
    pub folders: Folders,
}

/// How much of a run is trained.
#[derive(Debug, Args)]
pub struct Length {
    /// Short runs: one seed, one epoch, less data
    #[arg(long)]
    pub quick: bool,
    /// Shorter still: 20 steps at most, 256 test images; for slow backends
    #[arg(long, conflicts_with = "quick")]
    pub smoke: bool,
}

/// The runs of a length in a folder.
#[derive(Debug, Args)]
pub struct Tree {
    /// How much of each was trained.
    #[command(flatten)]
    pub length: Length,
    /// Runs that differ from the study's files, as ndarray or train.epochs=5: the name of
    /// their folder in DIR/variants
    #[arg(long, value_name = "NAME")]
    pub variant: Option<String>,
    /// Where.
    #[command(flatten)]
    pub folders: Folders,
}

impl Length {
    /// The size it stands for.
    pub fn size(&self) -> Size {
        match (self.quick, self.smoke) {
            (_, true) => Size::Smoke,
            (true, false) => Size::Quick,
            (false, false) => Size::Full,
        }
    }
}

/// What a GPU backend can do besides.
#[derive(Debug, Args)]
pub struct Extras {
    /// What GPU backends are to do besides: fusion (several operations become one
    /// kernel), autotune (each run tries kernels out, and keeps the fastest)
    #[arg(
        long,
        value_name = "NAMES",
        value_delimiter = ',',
        hide_possible_values = true
    )]
    pub with: Vec<Extra>,
}

/// What kindling is built with.
#[derive(Debug, Args)]
pub struct Built {
    /// What computes: flex (default), ndarray, wgpu, cuda. Of several, as in
    /// flex,wgpu, all are built in and the first is used
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub backend: Vec<Backend>,
    /// For GPUs.
    #[command(flatten)]
    pub extras: Extras,
}

/// Devices that are compared.
#[derive(Debug, Args)]
pub struct Compared {
    /// What to build in [default: flex,ndarray, or those of --device]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub backend: Vec<Backend>,
    /// The first is compared with each of the others, as in flex,wgpu:1 [default: all
    /// of --backend]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub device: Vec<DeviceName>,
    /// For GPUs.
    #[command(flatten)]
    pub extras: Extras,
}

impl Compared {
    /// What to build, and two devices or more.
    ///
    /// # Errors
    ///
    /// If there is nothing to compare, or a device is not built in.
    pub fn build(&self) -> Result<Build, Stop> {
        let built = if self.backend.is_empty() && self.device.is_empty() {
            vec![Backend::Flex, Backend::Ndarray]
        } else {
            self.backend.clone()
        };
        let devices: Vec<DeviceName> = if self.device.is_empty() {
            built.iter().map(|&backend| backend.into()).collect()
        } else {
            self.device.clone()
        };
        match devices.as_slice() {
            [first, others @ ..] if !others.is_empty() && !others.contains(first) => {}
            _ => {
                return Err(Stop::input(anyhow!(
                    "name two backends or more to compare, as in --backend flex,ndarray"
                )));
            }
        }
        build(&built, devices, self.extras.with.clone())
    }
}

/// A build with `backends`, or else with those of `devices`, which have to be
/// among them.
fn build(
    backends: &[Backend],
    devices: Vec<DeviceName>,
    extras: Vec<Extra>,
) -> Result<Build, Stop> {
    let of_devices = devices.iter().map(|device| device.backend);
    let backends = if backends.is_empty() {
        of_devices.collect()
    } else {
        backends.to_vec()
    };
    if let Some(device) = devices
        .iter()
        .find(|device| !backends.contains(&device.backend))
    {
        let known: Vec<&str> = backends.iter().map(|backend| backend.name()).collect();
        return Err(Stop::input(anyhow!(
            "device {device} is of a backend that --backend {} leaves out; add {}, or leave one \
             of the two away",
            known.join(","),
            device.backend
        )));
    }
    Ok(Build {
        backends,
        devices,
        extras,
    })
}

/// How to train.
#[derive(Debug, Args)]
pub struct Training {
    /// With what.
    #[command(flatten)]
    pub built: Built,
    /// How exactly a GPU multiplies: full (default), mixed
    #[arg(
        long,
        value_name = "NAME",
        default_value = "full",
        hide_default_value = true
    )]
    pub precision: Precision,
    /// Which of the backends, or of a backend's GPUs as in wgpu:1 [default: what
    /// BURN_DEVICE says]
    #[arg(long, value_name = "NAME")]
    pub device: Option<DeviceName>,
    /// Write nothing for TensorBoard
    #[arg(long)]
    pub no_tensorboard: bool,
    /// What.
    #[command(flatten)]
    pub changes: Changes,
}

impl Training {
    /// What to build, and the device to train on.
    ///
    /// # Errors
    ///
    /// If the device's backend is not among those to build, or the environment
    /// names none.
    pub fn build(&self) -> Result<Build, Stop> {
        let named = match self.device {
            Some(device) => Some(device),
            None => DeviceName::from_environment().map_err(|error| Stop::input(anyhow!(error)))?,
        };
        let first = self.built.backend.first().copied();
        let device = named.unwrap_or(first.unwrap_or(Backend::Flex).into());
        build(
            &self.built.backend,
            vec![device],
            self.built.extras.with.clone(),
        )
    }
}

/// What differs from the study's files.
#[derive(Debug, Args)]
pub struct Changes {
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

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_flags_do_not_contradict_each_other() {
        Cli::command().debug_assert();
    }
}
