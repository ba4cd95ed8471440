//! `cargo xtask experiments`: the matrix, from the configs to the report.

use std::path::Path;
use std::process::ExitCode;

use kindling_formats::{
    Host, Layout, Record, RunConfig, Selection, Study, Tree, Variant, remove_temporary,
};
use serde::Serialize;

use crate::child::{Ended, Setup};
use crate::flags::Experiments;
use crate::kindling::{Build, Kindling};
use crate::lock::Claim;
use crate::plan::Plan;
use crate::runs::{self, Recorded, Run};
use crate::slurm::{Slurm, Submitted};
use crate::stop::{Outcome, Stop};
use crate::{list, matrix, say, select, signal, workspace};

/// Trains what is not recorded yet, and reports on all that was selected.
pub fn run(flags: &Experiments) -> Outcome {
    let study = workspace::study(&flags.folders)?;
    let build = flags.training.build()?;
    let (changes, size) = (&flags.training.changes, flags.length.size());
    let selection = Selection {
        only: flags.only.clone(),
        cells: flags.cell.clone(),
        seeds: flags.seeds,
        ..select::selection(changes, size, build.device(), flags.training.precision)?
    };
    let configs = study.expand(&selection).map_err(Stop::input)?;
    if flags.list {
        if flags.json {
            list::json(&configs)?;
        } else {
            list::print(&configs);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let out = workspace::out(&flags.folders)?;
    let options = Options {
        build,
        jobs: flags.jobs,
        fresh: flags.fresh,
        json: flags.json,
        slurm: flags.slurm()?,
        tensorboard: !flags.training.no_tensorboard,
    };
    go(&study, &out, &selection, configs, &options)
}

/// How a list of runs is trained.
pub struct Options {
    /// On what.
    pub build: Build,
    /// How many at a time; one a core if nothing is said.
    pub jobs: Option<u64>,
    /// Where: here, if nothing is said.
    pub slurm: Option<Slurm>,
    /// Whether to print JSON.
    pub json: bool,
    /// Whether trainings write for TensorBoard.
    pub tensorboard: bool,
    /// Whether to train what is recorded already.
    pub fresh: bool,
}

/// Trains the runs of `selection`, which are `configs`, that are not recorded yet, and
/// reports.
pub fn go(
    study: &Study,
    out: &Path,
    selection: &Selection,
    configs: Vec<RunConfig>,
    options: &Options,
) -> Outcome {
    let claim = Claim::take(&out.join(".lock"), "--out")?;
    let ready = || {
        if Variant::of(selection, None) == Variant::default() {
            // So soon that nobody waits for a build in vain.
            runs::refuse_foreign(&Layout::new(out, selection.size))?;
        }
        let (kindling, fingerprints) = Kindling::ready(&options.build, &configs)?;
        let runs = (&configs[..], &fingerprints[..]);
        let (layout, variant) = select::place(study, out, selection, runs, &kindling)?;
        runs::refuse_foreign(&layout)?;
        Ok((kindling, fingerprints, layout, variant))
    };
    let (_claim, (kindling, fingerprints, layout, variant)) = claim.keep_if(ready())?;
    let layout = &layout;
    let name = variant.name();
    if let Some(name) = &name {
        say::note(format_args!(
            "these runs differ from the study's files: they go to {}, and --variant {name} shows \
             them",
            workspace::shown(layout.root())
        ));
    }
    let runs = plan(configs, fingerprints, layout);
    let submitted = Submitted::read(layout)?;
    let (queued, free): (Vec<Run>, Vec<Run>) =
        (runs.iter().cloned()).partition(|run| submitted.has(run, options.fresh));
    submitted.allow(&queued, options.slurm.is_some())?;
    let pending = pending(&free, options.fresh)?;
    for folder in [layout.root(), &layout.report(), &layout.figures()] {
        remove_temporary(folder);
    }
    let of = runs
        .iter()
        .map(|run| (&run.config, run.fingerprint.as_str()));
    Tree::write(layout, variant, of)?;
    if let Some(slurm) = &options.slurm {
        Plan::new(&runs, runs.len()).write(layout)?;
        return slurm.submit(layout, submitted, &pending, &kindling);
    }
    let kindling = kindling.with_tensorboard(options.tensorboard);
    let at_a_time = at_a_time(&pending, options.jobs);
    Plan::new(&runs, at_a_time).write(layout)?;
    let ended = train(kindling, &pending, at_a_time, options.fresh);
    let recorded = kindling_report::read(study, layout);
    let report = kindling_report::write(study, layout, recorded)?;
    let records = records(&runs, &pending, &ended);
    if !options.json {
        print(study, layout, &records, &pending, &ended, &report);
        return Ok(code(&ended));
    }
    /// What programs are told.
    #[derive(Serialize)]
    struct Told<'a> {
        records: &'a [Record],
        open: usize,
        results: &'a Path,
        report: &'a Path,
    }
    say::json(&Told {
        records: &records,
        open: open(&ended),
        results: &layout.results(),
        report: &report,
    })?;
    Ok(code(&ended))
}

/// The runs of `configs` in the tree `layout`, each with its data's fingerprint.
pub fn plan(configs: Vec<RunConfig>, fingerprints: Vec<String>, layout: &Layout) -> Vec<Run> {
    let pairs = configs.into_iter().zip(fingerprints);
    pairs
        .map(|(config, fingerprint)| Run::new(config, fingerprint, layout))
        .collect()
}

/// The runs that have to train, the longest first so that none is left alone at
/// the end.
fn pending(runs: &[Run], fresh: bool) -> anyhow::Result<Vec<Run>> {
    let (mut recorded, mut differing, mut begun, mut others) = (0, 0, 0, 0);
    let mut pending = Vec::new();
    for run in runs {
        run.adopt()?;
        others += usize::from(run.is_anothers());
        match run.recorded() {
            Recorded::Answered if !fresh => {
                recorded += 1;
                // What failed beside it was another config's attempt.
                run.make_way()?;
                continue;
            }
            Recorded::Answered | Recorded::Missing => {}
            Recorded::Differs => differing += 1,
            Recorded::Damaged(what) => say::err(format_args!(
                "{} is damaged and trained again: {what}",
                run.name()
            )),
        }
        if fresh {
            run.make_way()?;
            run.clear()?;
        }
        begun += usize::from(run.is_begun());
        pending.push(run.clone());
    }
    pending.sort_by(|a, b| b.config.cost().total_cmp(&a.config.cost()));
    say::note(format_args!(
        "{}: {recorded} recorded already, {} to train",
        say::count(runs.len(), "run"),
        pending.len()
    ));
    if begun > 0 {
        say::note(format_args!(
            "{begun} of them begun already: they go on from their last checkpoint"
        ));
    }
    if differing > 0 {
        say::note(format_args!(
            "{differing} of them recorded with another config, other data or another Burn:\n\
             an old result stays until the new one is whole, and is then kept beside it"
        ));
    }
    if others > 0 {
        say::note(format_args!(
            "{} of another config had been stopped: kept as seed-N.*.partial, and used again \
             with that config",
            say::count(others, "run")
        ));
    }
    Ok(pending)
}

/// How many runs train at a time: as many as are wanted, or one a core.
pub fn at_a_time(pending: &[Run], jobs: Option<u64>) -> usize {
    let jobs = jobs.map_or_else(Host::cores, |jobs| jobs as usize);
    // No more than runs: the cores of an idle one would idle too.
    jobs.min(pending.len())
}

/// Trains runs side by side, `jobs` at a time, among which the cores are divided.
pub fn train(kindling: Kindling, pending: &[Run], jobs: usize, fresh: bool) -> Vec<Ended> {
    if pending.is_empty() {
        return Vec::new();
    }
    let cores = Host::cores();
    let setup = Setup {
        kindling,
        threads: (cores / jobs).max(1),
        fresh,
    };
    say::note(format_args!(
        "training {jobs} at a time, each with {}",
        say::count(setup.threads, "thread")
    ));
    matrix::train(pending, &setup, jobs)
}

/// How many runs were stopped, or never begun.
fn open(ended: &[Ended]) -> usize {
    ended.iter().filter(|ended| ended.is_open()).count()
}

/// What a matrix ends with.
pub fn code(ended: &[Ended]) -> ExitCode {
    if open(ended) > 0 {
        signal::code()
    } else if ended.iter().any(|ended| ended.failure.is_some()) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// Prints the table, what failed, and where all is.
fn print(
    study: &Study,
    layout: &Layout,
    records: &[Record],
    pending: &[Run],
    ended: &[Ended],
    report: &Path,
) {
    let summaries = kindling_report::summarize(records, &workspace::order(study));
    if !summaries.is_empty() {
        say::out("");
        say::out(kindling_report::text_table(&summaries).trim_end());
    }
    let failed: Vec<(&Run, &str)> = pending
        .iter()
        .zip(ended)
        .filter_map(|(run, ended)| Some((run, ended.failure.as_deref()?)))
        .collect();
    if !failed.is_empty() {
        say::out(format_args!(
            "\n{} failed:",
            say::count(failed.len(), "run")
        ));
    }
    for (run, reason) in &failed {
        say::out(format_args!("  {}: {reason}", run.name()));
        say::out(format_args!(
            "    {}",
            workspace::shown(&run.partial.stderr())
        ));
    }
    for (run, ended) in pending.iter().zip(ended) {
        for warning in &ended.warnings {
            say::out(format_args!("{}: {warning}", run.name()));
        }
    }
    say::out("");
    for path in [&layout.results(), report] {
        say::out(workspace::shown(path));
    }
    if open(ended) > 0 {
        say::out(format_args!(
            "\nstopped with {} to go; the same command goes on from there",
            say::count(open(ended), "run")
        ));
    }
}

/// The records of all runs that have one, failed ones too.
fn records(runs: &[Run], pending: &[Run], ended: &[Ended]) -> Vec<Record> {
    let trained = |run: &Run| {
        let at = pending.iter().position(|other| other.name() == run.name());
        at.and_then(|at| ended.get(at))
            .and_then(|ended| ended.record.clone())
    };
    let records = runs.iter();
    records
        .filter_map(|run| trained(run).or_else(|| run.finished.read_record().ok().flatten()))
        .collect()
}
