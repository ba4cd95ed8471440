//! Writes a published tree.

use std::path::Path;

use kindling_formats::{
    Error, Layout, Protocol, Result, Study, Tree, if_there, write_atomic, write_csv,
};

use crate::judge::{ClaimRow, look, mean_squares};
use crate::read::RecordedRuns;

/// Writes what is published of the tree `from`, whose report is written and whose runs are `runs`,
/// to the tree `to`: the record of each run, the mean squares by which claims are judged,
/// the verdicts, the looks, the table of results, the choices of a tuned tree, and the figures that
/// the report shows unfolded.
///
/// # Errors
///
/// If a file cannot be read or written.
pub fn publish(study: &Study, from: &Layout, runs: &RecordedRuns, to: &Layout) -> Result<()> {
    let looked = look(study, from, runs);
    if let Some(problem) = looked.problem {
        return Err(Error::File {
            file: from.looks(),
            problem,
        });
    }
    // Everything is computed before the first file is changed.
    let squares = mean_squares(study, runs);
    let claims: Vec<ClaimRow> = looked.judgements.iter().map(ClaimRow::from).collect();

    for old in [to.runs(), to.report()] {
        if_there("remove", &old, std::fs::remove_dir_all(&old))?;
    }
    for run in &runs.runs {
        let dir = to.finished(&run.record.cell, run.record.seed);
        copy(&run.dir.record(), &dir.record())?;
    }
    for figure in shown(study) {
        let file = from.figures().join(&figure);
        if file.exists() {
            copy(&file, &to.figures().join(figure))?;
        }
    }
    Tree::read(from)?.publish(to)?;
    if from.looks().exists() {
        copy(&from.looks(), &to.looks())?;
    }
    if from.protocol() == Protocol::Tuned {
        let choices = study.choices(from)?;
        copy(choices.file(), &to.choices())?;
    }
    copy(&from.results(), &to.results())?;
    write_csv(&to.report().join("claims.csv"), &claims)?;
    write_csv(&to.mean_squares(), &squares)
}

/// The names of the files of the figures that the report shows unfolded.
fn shown(study: &Study) -> impl Iterator<Item = String> {
    study.sections.iter().flat_map(|section| {
        let names = section.figures.iter().flatten();
        names.map(|name| format!("{}-{name}.svg", section.id))
    })
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let bytes = std::fs::read(from).map_err(Error::io("read", from))?;
    write_atomic(to, &bytes)
}
