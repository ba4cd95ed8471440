//! `cargo xtask report`: the tables and curves again, from the records.

use std::collections::BTreeSet;
use std::process::ExitCode;

use kindling_formats::RunStatus;

use crate::flags::Report;
use crate::stop::Outcome;
use crate::{publish, say, select, workspace};

/// Writes the report and says where it is.
pub fn run(flags: &Report) -> Outcome {
    let study = workspace::study(&flags.tree.folders)?;
    let layout = select::tree(&flags.tree)?;
    let runs = kindling_report::read(&study, &layout);
    let is_failed = |run: &&kindling_report::RecordedRun| run.record.status == RunStatus::Failed;
    let failed = runs.runs.iter().filter(is_failed).count();
    say::note(format_args!(
        "{} of {} cells: {} complete, {failed} failed, {} unfinished, {} unreadable",
        runs.runs
            .iter()
            .map(|run| &run.record.cell)
            .collect::<BTreeSet<_>>()
            .len(),
        study.cells().len(),
        say::count(runs.runs.len() - failed, "run"),
        runs.unfinished.len(),
        runs.unreadable.len(),
    ));
    for other in &runs.others {
        say::note(format_args!("not of this study, and left out: {other}"));
    }
    let report = kindling_report::write(&study, &layout, runs)?;
    for path in [layout.results(), report] {
        say::out(workspace::shown(&path));
    }
    if flags.publish {
        publish::run(&study, &layout)?;
    }
    Ok(ExitCode::SUCCESS)
}
