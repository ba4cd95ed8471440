//! Writes the files of a report: `results.csv`, and below `report/` the page, the same
//! content as Markdown, the figures and the verdicts.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use kindling_formats::{
    Error, Layout, Result, ResultRow, Study, if_there, write_atomic, write_csv,
};

use crate::judge::ClaimRow;
use crate::page::content::Content;
use crate::page::html::page;
use crate::page::markdown::markdown;
use crate::read::RecordedRuns;
use crate::tables::Places;

/// Writes the report of `runs`, which [`crate::read`] has read from `layout`: `results.csv`
/// (a row for each record, failed ones too, in the study's order of cells and then by seed)
/// and, below `report/`, `index.html`, `report.md`, `claims.csv` and `figures/`. Returns the
/// path of `index.html`.
///
/// Runs that are missing or unreadable are named in the report.
///
/// # Errors
///
/// If a file cannot be written, or a figure cannot be drawn.
pub fn write(study: &Study, layout: &Layout, mut runs: RecordedRuns) -> Result<PathBuf> {
    let order: Vec<String> = study.cells().iter().map(|cell| cell.name.clone()).collect();
    let places = Places::new(&order);
    // The sort is stable, so the runs of a cell stay sorted by seed.
    runs.runs.sort_by_key(|run| places.of(&run.record.cell));

    let rows: Vec<ResultRow> = runs.records().map(ResultRow::from).collect();
    write_csv(&layout.results(), &rows)?;
    let content = Content::gather(study, layout, runs)?;

    let folder = layout.report();
    let rows: Vec<ClaimRow> = content.judgements.iter().map(ClaimRow::from).collect();
    write_csv(&folder.join("claims.csv"), &rows)?;
    let figures = folder.join("figures");
    let mut drawn = BTreeSet::new();
    let figures_of_sections = content.sections.iter().flat_map(|section| &section.figures);
    for figure in content
        .networks
        .iter()
        .chain(&content.tuning)
        .chain(figures_of_sections)
    {
        let file = format!("{}.svg", figure.file);
        write_atomic(&figures.join(&file), figure.svg.as_bytes())?;
        drawn.insert(file);
    }
    remove_all_but(&drawn, &figures)?;
    write_atomic(&folder.join("report.md"), markdown(&content).as_bytes())?;
    let path = folder.join("index.html");
    let html = page(&content).map_err(|error| Error::File {
        file: path.clone(),
        problem: format!("cannot write it: {error}"),
    })?;
    write_atomic(&path, html.as_bytes())?;
    Ok(path)
}

/// Removes the figures of an earlier report.
fn remove_all_but(drawn: &BTreeSet<String>, folder: &Path) -> Result<()> {
    for path in svg_files(folder)? {
        let is_stale = path
            .file_name()
            .is_some_and(|name| !drawn.contains(name.to_string_lossy().as_ref()));
        if is_stale {
            std::fs::remove_file(&path).map_err(Error::io("remove", &path))?;
        }
    }
    Ok(())
}

/// The SVG files in a folder. There are none if the folder does not exist.
///
/// # Errors
///
/// If the folder cannot be read.
pub(super) fn svg_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = if_there("read", folder, std::fs::read_dir(folder))?;
    let mut files = Vec::new();
    for entry in entries.into_iter().flatten() {
        let path = entry.map_err(Error::io("read", folder))?.path();
        if path.extension().is_some_and(|extension| extension == "svg") {
            files.push(path);
        }
    }
    Ok(files)
}
