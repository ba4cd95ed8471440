//! `cargo xtask report`: writes the tables and figures again from the records.

use std::collections::BTreeSet;
use std::process::ExitCode;

use super::publish::publish;
use crate::cli::Report;
use crate::error::CommandResult;
use crate::steps::{note_outliers, print_beside_original, refuse_published, results_of, workspace};
use crate::ui::{self, output};

/// Writes the report and prints its path.
pub fn report(flags: &Report) -> CommandResult {
    let study = workspace::study(&flags.tree.folders)?;
    let layout = results_of(&flags.tree)?;
    refuse_published(&layout)?;
    let runs = kindling_report::read(&study, &layout);
    let is_failed = |run: &&kindling_report::RecordedRun| run.record.status.is_failure();
    let failed = runs.runs.iter().filter(is_failed).count();
    let cells = runs.runs.iter().map(|run| &run.record.cell);
    output::note(format_args!(
        "{} of {} cells: {} complete, {failed} failed, {} unfinished, {} unreadable",
        cells.collect::<BTreeSet<_>>().len(),
        study.cells().len(),
        ui::count(runs.runs.len() - failed, "run"),
        runs.unfinished.len(),
        runs.unreadable.len(),
    ));
    for other in &runs.others {
        output::note(format_args!(
            "left out, not a result of this study: {other}"
        ));
    }
    note_outliers(runs.records());
    // The report names the files that cannot be read.
    let (beside, _) = kindling_report::beside_original(&study, &runs, None);
    let report = kindling_report::write(&study, &layout, runs)?;
    for path in [layout.results(), report] {
        output::print(ui::path(&path));
    }
    print_beside_original(&layout, &beside);
    if let Some(folder) = &flags.figures {
        let written = kindling_report::export_figures(&layout, folder)?;
        output::note(format_args!(
            "{} copied to",
            ui::count(written.len(), "file")
        ));
        output::print(ui::path(folder));
        if !cfg!(feature = "pdf") {
            output::note("for PDF files, too, use `cargo xtask-pdf report --figures DIR`");
        }
    }
    if flags.publish {
        let is_own = flags.tree.folders.configs.is_none();
        publish(&study, &layout, is_own)?;
    }
    Ok(ExitCode::SUCCESS)
}
