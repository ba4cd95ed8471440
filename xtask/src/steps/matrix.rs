//! Trains a matrix of runs or of trials: from the configs to the results.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use kindling_formats::{
    Layout, Protocol, Record, RunConfig, Size, Tree, TreeKind, Variant, remove_temporary,
};
use kindling_report::{BesideOriginal, beside_original};
use kindling_runner::slurm::{Queue, QueueNotice, SlurmOptions, Submission, Submitter};
use kindling_runner::{
    Manifest, Missing, OutputLock, RunEnd, RunSlot, TrainingProgram, missing, refuse_other_versions,
};
use serde::Serialize;

use super::announce::announce;
use super::check::check_before_training;
use super::notes::{note_outliers, print_beside_original};
use super::place::{place, refuse_published};
use super::select::{Request, slurm_options};
use super::train::{exit_code, jobs_at_a_time, train_runs};
use super::tuned::tuned_configs;
use super::workspace;
use crate::cli::{Folders, MatrixFlags, Training};
use crate::error::{CommandError, CommandResult};
use crate::ui::{self, output};

/// The options for training the runs of a matrix.
#[derive(Debug, Default)]
pub struct MatrixOptions {
    /// How many runs train at a time; `None` for one per core, or one on a GPU.
    pub jobs: Option<u64>,
    /// Options for `sbatch`; `None` to train on this machine.
    pub slurm: Option<SlurmOptions>,
    /// The folder of the study's configs; `None` for the folder in the repository.
    pub configs: Option<PathBuf>,
    /// Whether to print JSON.
    pub json: bool,
    /// Whether trainings write files for TensorBoard.
    pub tensorboard: bool,
    /// Whether to also train runs that already have a result.
    pub fresh: bool,
    /// The protocol of the runs.
    pub protocol: Protocol,
}

impl MatrixOptions {
    /// The options that the flags of a command give. The runs are written, not tuned.
    ///
    /// # Errors
    ///
    /// If an option for Slurm is wrong, or is given without `--executor slurm`.
    pub fn of(
        matrix: &MatrixFlags,
        training: &Training,
        folders: &Folders,
        json: bool,
    ) -> Result<Self, CommandError> {
        let configs = folders.configs.as_deref().map(std::path::absolute);
        Ok(Self {
            jobs: matrix.jobs,
            slurm: slurm_options(matrix)?,
            configs: configs.transpose()?,
            json,
            tensorboard: !training.no_tensorboard,
            fresh: matrix.fresh,
            protocol: Protocol::Written,
        })
    }
}

/// What has become of a matrix.
pub enum Matrix {
    /// Its runs were submitted to Slurm.
    Submitted,
    /// Its runs have ended.
    Trained(Trained),
}

/// The runs of a matrix that has ended.
pub struct Trained {
    /// The tree of the runs.
    pub layout: Layout,
    /// All runs of the matrix.
    runs: Vec<RunSlot>,
    /// The runs that had no result before.
    missing: Vec<RunSlot>,
    /// How each of the missing runs ended.
    pub ends: Vec<RunEnd>,
    /// No other matrix writes to the folder until this value is dropped.
    _lock: OutputLock,
}

/// Trains the runs with the given `configs` that have no result yet, and writes the report.
/// For the tuned protocol, `configs` are the written ones, and the choices are added.
pub fn run_matrix(
    request: &Request,
    configs: Vec<RunConfig>,
    options: &MatrixOptions,
) -> CommandResult {
    let trained = match train_matrix(request, options.protocol.into(), configs, options)? {
        Matrix::Submitted => return Ok(ExitCode::SUCCESS),
        Matrix::Trained(trained) => trained,
    };
    let layout = &trained.layout;
    let recorded = kindling_report::read(&request.study, layout);
    let cells = trained.runs.iter().map(|run| run.config.cell.clone());
    let cells: BTreeSet<String> = cells.collect();
    // The report names the files that cannot be read.
    let (beside, _) = beside_original(&request.study, &recorded, Some(&cells));
    let report = kindling_report::write(&request.study, layout, recorded)?;
    if options.json {
        print_json(&trained, &report)?;
    } else {
        print_table(&trained, request, &beside, &report);
    }
    Ok(exit_code(&trained.ends))
}

/// Trains the runs with the given `configs` that have no result yet. `kind` says which runs
/// these are.
///
/// # Errors
///
/// If the runs cannot be trained: because of the folder, the data, the device, or the choices
/// of tuned runs.
pub fn train_matrix(
    request: &Request,
    kind: TreeKind,
    configs: Vec<RunConfig>,
    options: &MatrixOptions,
) -> Result<Matrix, CommandError> {
    let (study, selection) = (&request.study, &request.selection);
    // These checks come before the build, which can take minutes.
    let lock_file = request.out.join(".lock");
    OutputLock::check(&lock_file)?;
    if Variant::of(selection, None) == Variant::default() {
        let layout = Layout::of(&request.out, selection.size, kind);
        refuse_other_versions(&layout)?;
        refuse_published(&layout)?;
        if kind == TreeKind::Tuned && selection.data.is_none() {
            tuned_configs(study, &layout, selection, &configs, None)?;
        }
    }
    let (program, data) = check_before_training(&request.build, &configs)?;
    let (layout, variant) = place(request, kind, &configs, &data, &program)?;
    let configs = match kind {
        TreeKind::Written | TreeKind::Trials => configs,
        TreeKind::Tuned => tuned_configs(study, &layout, selection, &configs, Some(&data))?,
    };
    refuse_other_versions(&layout)?;
    refuse_published(&layout)?;
    let lock = OutputLock::take(&lock_file)?;
    if let Some(name) = variant.name() {
        output::note(format_args!(
            "these runs differ from the study's files: their results go to {}, and --variant \
             {name} shows them",
            ui::path(layout.root())
        ));
    }
    let runs = RunSlot::all(configs, data, &layout);
    let mut queue = Queue::read(&layout)?;
    let (queued, free): (Vec<RunSlot>, Vec<RunSlot>) = runs
        .iter()
        .cloned()
        .partition(|run| queue.has(run, options.fresh));
    let notice = queue.check(&queued, options.slurm.is_some())?;
    print_notice(notice.as_ref());
    let missing = missing(&free, options.fresh)?;
    print_missing(&missing, free.len());
    for folder in [layout.root(), &layout.report(), &layout.figures()] {
        remove_temporary(folder);
    }
    let data = runs
        .iter()
        .map(|run| (&run.config, run.data.fingerprint.as_str()));
    Tree::write(&layout, variant, data)?;
    let program = TrainingProgram {
        tensorboard: options.tensorboard,
        ..program
    };
    if let Some(slurm) = &options.slurm {
        Manifest::new(&runs, runs.len()).write(&layout)?;
        let last = last_command(request, &layout, options)?;
        submit(
            slurm,
            options,
            &layout,
            &mut queue,
            &missing.runs,
            &program,
            last,
        )?;
        return Ok(Matrix::Submitted);
    }
    let jobs = jobs_at_a_time(&missing.runs, options.jobs);
    Manifest::new(&runs, jobs).write(&layout)?;
    announce(study, &layout, &missing.runs, jobs);
    let ends = train_runs(program, &missing.runs, jobs, options.fresh);
    Ok(Matrix::Trained(Trained {
        layout,
        runs,
        missing: missing.runs,
        ends,
        _lock: lock,
    }))
}

/// The command of the last job of Slurm: it writes the report of final runs, or the choices of
/// trials.
fn last_command(
    request: &Request,
    layout: &Layout,
    options: &MatrixOptions,
) -> Result<Vec<OsString>, CommandError> {
    let xtask = std::env::current_exe().context("cannot find this program")?;
    let mut command: Vec<OsString> = vec![xtask.into()];
    let words: &[&str] = match layout.kind() {
        TreeKind::Written => &["report"],
        TreeKind::Tuned => &["report", "--protocol", "tuned"],
        TreeKind::Trials => &["tune", "--choose"],
    };
    command.extend(words.iter().map(OsString::from));
    if layout.kind() == TreeKind::Trials {
        let (cells, only) = (&request.selection.cells, &request.selection.only);
        for (flag, words) in [("--cell", cells), ("--only", only)] {
            let words = words.iter().flat_map(|word| [flag.into(), word.into()]);
            command.extend(words);
        }
    }
    command.extend(["--out".into(), layout.out().into()]);
    command.extend(match layout.size() {
        Size::Full => None,
        Size::Quick => Some("--quick".into()),
        Size::Smoke => Some("--smoke".into()),
    });
    if let Some(configs) = &options.configs {
        command.extend(["--configs".into(), configs.into()]);
    }
    Ok(command)
}

/// Submits the missing runs to Slurm and prints their job numbers.
fn submit(
    slurm: &SlurmOptions,
    options: &MatrixOptions,
    layout: &Layout,
    queue: &mut Queue,
    missing: &[RunSlot],
    program: &TrainingProgram,
    report_command: Vec<OsString>,
) -> Result<(), CommandError> {
    if missing.is_empty() {
        output::print("nothing to submit");
        return Ok(());
    }
    let xtask = std::env::current_exe().context("cannot find this program")?;
    let submitter = Submitter {
        options: slurm.clone(),
        jobs: options.jobs,
        fresh: options.fresh,
        task_command: vec![xtask.into_os_string(), "task".into()],
        report_command,
    };
    let submission = submitter.submit(layout, queue, missing, program)?;
    let Submission { runs, jobs, report } = &submission;
    let plural = if jobs.len() == 1 { "" } else { "s" };
    let (last, watch) = match layout.kind() {
        TreeKind::Written => ("report", "watch"),
        TreeKind::Tuned => ("report", "watch --protocol tuned"),
        TreeKind::Trials => ("choice", "watch --trials"),
    };
    output::print(format_args!(
        "{} submitted as job{plural} {}, the {last} as job {report}\n\
         `cargo xtask {watch}` shows their progress. When they have ended, run the same command \
         again: it submits the runs that are still missing",
        ui::count(*runs, "run"),
        jobs.join(", "),
    ));
    Ok(())
}

fn print_notice(notice: Option<&QueueNotice>) {
    match notice {
        None => {}
        Some(QueueNotice::AlreadySubmitted(runs)) => output::note(format_args!(
            "Slurm already has {} of this matrix",
            ui::count(*runs, "run")
        )),
        Some(QueueNotice::Unknown { jobs, file, reason }) => output::note(format_args!(
            "{} lists job {jobs}, and Slurm cannot be asked about it ({reason}); all runs of \
             this matrix have their result",
            ui::path(file)
        )),
    }
}

/// Prints which runs were found in which state. `all` is the number of runs.
fn print_missing(missing: &Missing, all: usize) {
    for (run, reason) in &missing.damaged {
        output::warn(format_args!(
            "the result of {run} is damaged, so this run is trained again: {reason}"
        ));
    }
    output::note(format_args!(
        "{}: {} recorded already, {} to train",
        ui::count(all, "run"),
        missing.recorded,
        missing.runs.len()
    ));
    if missing.begun > 0 {
        output::note(format_args!(
            "{} begun before: training continues from the last checkpoint",
            ui::count(missing.begun, "run")
        ));
    }
    if missing.outdated > 0 {
        output::note(format_args!(
            "{} with a result of another config, other data or another version of Burn: the old \
             result stays in place until the new one is complete, and is then kept beside it",
            ui::count(missing.outdated, "run")
        ));
    }
    if missing.stopped_with_other_config > 0 {
        output::note(format_args!(
            "{} stopped before with another config: the training is kept as seed-N.*.partial, \
             and continues when the run has that config again",
            ui::count(missing.stopped_with_other_config, "run")
        ));
    }
}

fn print_json(trained: &Trained, report: &Path) -> Result<(), CommandError> {
    #[derive(Serialize)]
    struct Output<'a> {
        records: &'a [Record],
        /// How many runs were stopped, or not started.
        open: usize,
        results: &'a Path,
        report: &'a Path,
    }
    output::print_json(&Output {
        records: &trained.records(),
        open: trained.unfinished(),
        results: &trained.layout.results(),
        report,
    })?;
    Ok(())
}

/// Prints the table of results, the figures beside those of the original study, the runs that
/// failed or did much worse than the others of their cell, and where the files are.
fn print_table(trained: &Trained, request: &Request, beside: &[BesideOriginal], report: &Path) {
    let names = workspace::cell_names(&request.study);
    let records = trained.records();
    let summaries = kindling_report::summarize(&records, &names);
    if !summaries.is_empty() {
        output::print("");
        output::print(kindling_report::text_table(&summaries).trim_end());
    }
    print_beside_original(&trained.layout, beside);
    note_outliers(&records);
    trained.print_failures();
    output::print("");
    for path in [&trained.layout.results(), report] {
        output::print(ui::path(path));
    }
    trained.print_unfinished();
}

impl Trained {
    /// Prints the runs that failed, with their errors, and the warnings of all runs. A trial
    /// that diverged has not failed.
    pub fn print_failures(&self) {
        let pairs = || self.missing.iter().zip(&self.ends);
        let failed: Vec<(&RunSlot, &str)> = pairs()
            .filter(|(run, _)| !run.has_diverged())
            .filter_map(|(run, end)| Some((run, end.failure.as_deref()?)))
            .collect();
        if !failed.is_empty() {
            output::print(format_args!("\n{} failed:", ui::count(failed.len(), "run")));
        }
        for (run, reason) in &failed {
            output::print(format_args!("  {}: {reason}", run.name()));
            output::print(format_args!("    {}", ui::path(&run.training.stderr())));
        }
        for (run, end) in pairs() {
            for warning in &end.warnings {
                output::print(format_args!("{}: {warning}", run.name()));
            }
        }
    }

    /// Prints how many runs were stopped, if any.
    pub fn print_unfinished(&self) {
        if self.unfinished() > 0 {
            output::print(format_args!(
                "\nstopped with {} to go; run the same command again to continue",
                ui::count(self.unfinished(), "run")
            ));
        }
    }

    /// How many runs were stopped, or not started.
    fn unfinished(&self) -> usize {
        self.ends.iter().filter(|end| end.is_unfinished()).count()
    }

    /// The records of all runs that have one, including failed runs. A record of an earlier config
    /// does not count.
    fn records(&self) -> Vec<Record> {
        let names = self.missing.iter().map(RunSlot::name);
        let ends: BTreeMap<String, &RunEnd> = names.zip(&self.ends).collect();
        let trained = |run: &RunSlot| ends.get(&run.name())?.record.clone();
        let recorded = |run: &RunSlot| {
            let record = run.result.read_record().ok().flatten();
            record.filter(|record| record.config_hash == run.config.hash())
        };
        let records = self.runs.iter();
        records
            .filter_map(|run| trained(run).or_else(|| recorded(run)))
            .collect()
    }
}
