//! The files of a report: `results.csv`, and below `report/` the page, its twin
//! in Markdown, the figures and the verdicts.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use kindling_formats::{
    Error, Layout, Result, ResultRow, Study, if_there, write_atomic, write_csv,
};

use crate::gather::{Content, records};
use crate::markdown::markdown;
use crate::page::page;
use crate::tables::position_in;
use crate::{ClaimRow, read};

/// Writes `results.csv` (every record of what the study says today, failed ones too, in
/// the study's order and then by seed) and, below `report/`, `index.html`, `report.md`, `claims.csv` and
/// `figures/`. Returns the path of `index.html`.
///
/// Runs that are missing or unreadable are named in the report.
///
/// # Errors
///
/// If a file cannot be written.
pub fn write(study: &Study, layout: &Layout) -> Result<PathBuf> {
    let order: Vec<String> = study.cells().iter().map(|cell| cell.name.clone()).collect();
    let mut found = read(study, layout);
    // Stable, so cells beyond the order keep their order by name, and all by seed.
    found
        .runs
        .sort_by_key(|run| position_in(&order, &run.record.cell));

    let rows: Vec<ResultRow> = records(&found).map(ResultRow::from).collect();
    write_csv(&layout.results(), &rows)?;
    let content = Content::gather(study, layout, &mut found)?;

    let folder = layout.report();
    let rows: Vec<ClaimRow> = content.verdicts.iter().map(ClaimRow::from).collect();
    write_csv(&folder.join("claims.csv"), &rows)?;
    let figures = folder.join("figures");
    let mut drawn = BTreeSet::new();
    for figure in content.sections.iter().flat_map(|section| &section.figures) {
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
    let entries = if_there("read", folder, std::fs::read_dir(folder))?;
    for entry in entries.into_iter().flatten() {
        let path = entry.map_err(Error::io("read", folder))?.path();
        let stale = path.extension().is_some_and(|extension| extension == "svg")
            && path
                .file_name()
                .is_some_and(|name| !drawn.contains(name.to_string_lossy().as_ref()));
        if stale {
            std::fs::remove_file(&path).map_err(Error::io("remove", &path))?;
        }
    }
    Ok(())
}
