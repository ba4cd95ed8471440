//! `results.csv`, `report.md` and its figures.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use kindling_spec::{
    Error, Layout, Record, Result, ResultRow, Status, Study, read_csv, write_atomic, write_csv,
};

use crate::claims::claims_markdown;
use crate::curves::{History, Named, figures};
use crate::summary::{complete, place};
use crate::table::{Columns, number};
use crate::{ClaimRow, Run, Runs, Spread, judge, markdown_table, read, summarize};

/// Cells beside each other in a table of metrics; more are too wide for a page.
const CELLS: usize = 6;

/// Writes `results.csv` (every record, failed ones too, in the study's order and
/// then by seed), and `report/report.md` with its figures. Returns the path of
/// `report.md`.
///
/// Runs that are missing or unreadable are named in the report.
///
/// # Errors
///
/// If a file cannot be written.
pub fn write(study: &Study, layout: &Layout) -> Result<PathBuf> {
    let order: Vec<String> = study.cells().iter().map(|cell| cell.name.clone()).collect();
    let mut found = read(layout);
    // Stable, so cells beyond the order keep their order by name, and all by seed.
    found
        .runs
        .sort_by_key(|run| place(&order, &run.record.cell));

    let rows: Vec<ResultRow> = records(&found).map(ResultRow::from).collect();
    write_csv(&layout.results(), &rows)?;
    let verdicts = judge(study, records(&found));
    let rows: Vec<ClaimRow> = verdicts.iter().map(ClaimRow::from).collect();
    write_csv(&layout.report().join("claims.csv"), &rows)?;

    let sections = sections(study, &found);
    let mut body = String::new();
    let mut drawn = BTreeSet::new();
    let folder = layout.report().join("figures");
    for (id, title) in &sections {
        let runs: Vec<&Run> = found
            .runs
            .iter()
            .filter(|run| run.record.section == *id)
            .collect();
        let of_section: Vec<&Record> = runs.iter().map(|run| &run.record).collect();
        body += &format!("\n## {id} {title}\n\n");
        if of_section.is_empty() {
            body += "No runs.\n";
            continue;
        }
        let summaries = summarize(of_section.iter().copied(), &order);
        body += &markdown_table(&summaries);
        for table in metric_tables(&of_section) {
            body += &format!("\n{table}");
        }
        for Named { file, figure } in figures(id, &histories(&runs, &mut found.unreadable)) {
            let file = format!("{file}.svg");
            let path = folder.join(&file);
            let svg = figure.svg().map_err(|error| Error::File {
                file: path.clone(),
                problem: format!("cannot draw it: {error}"),
            })?;
            write_atomic(&path, svg.as_bytes())?;
            body += &format!("\n![{}](figures/{file})\n", figure.title);
            drawn.insert(file);
        }
    }
    remove_all_but(&drawn, &folder)?;

    let text = format!(
        "# {}\n\n{}\n{}{}{body}",
        study.title,
        overview(&found, layout.is_quick()),
        problems(&found, &order),
        claims_markdown(&verdicts),
    );
    let path = layout.report().join("report.md");
    write_atomic(&path, text.as_bytes())?;
    Ok(path)
}

fn records(found: &Runs) -> impl Iterator<Item = &Record> {
    found.runs.iter().map(|run| &run.record)
}

/// Id and title of the study's sections, then of those that only records know.
fn sections(study: &Study, found: &Runs) -> Vec<(String, String)> {
    let of_study = study.sections.iter();
    let mut sections: Vec<(String, String)> = of_study
        .map(|section| (section.id.clone(), section.title.clone()))
        .collect();
    for record in records(found) {
        if !sections.iter().any(|(id, _)| *id == record.section) {
            sections.push((record.section.clone(), "(not in the study)".to_string()));
        }
    }
    sections
}

/// One line on what the report is made of.
fn overview(found: &Runs, quick: bool) -> String {
    let kind = if quick {
        "**Quick runs: they only show that everything works; their numbers mean nothing.**"
    } else {
        "Full runs."
    };
    let failed = records(found)
        .filter(|record| record.status == Status::Failed)
        .count();
    let cells: BTreeSet<&str> = records(found).map(|record| record.cell.as_str()).collect();
    let backends: BTreeSet<&str> = records(found).map(|record| record.backend.name()).collect();
    let seeds: BTreeSet<u64> = records(found).map(|record| record.seed).collect();
    format!(
        "{kind} Runs: {}, of {} cells; failed: {failed}; backends: {}; seeds: {}.",
        found.runs.len(),
        cells.len(),
        listed(backends),
        listed(seeds),
    )
}

/// `a, b, c`, or `none`.
fn listed(items: impl IntoIterator<Item = impl ToString>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    if items.is_empty() {
        "none".to_string()
    } else {
        items.join(", ")
    }
}

/// What the tables below it lack, and why; nothing where they are whole.
fn problems(found: &Runs, order: &[String]) -> String {
    let mut text = String::new();
    let mut list = |title: &str, items: Vec<String>| {
        if !items.is_empty() {
            text += &format!("\n## {title}\n\n{}", items.concat());
        }
    };
    let failed = records(found).filter(|record| record.status == Status::Failed);
    list("Failed runs", failed.map(failure).collect());
    let items = |sentences: &[String]| {
        sentences
            .iter()
            .map(|sentence| format!("- {}\n", sentence.replace('\n', " ")))
            .collect()
    };
    list("Unfinished runs", items(&found.unfinished));
    list("Unreadable files", items(&found.unreadable));
    let seen: BTreeSet<&str> = records(found).map(|record| record.cell.as_str()).collect();
    let missing: Vec<&str> = order
        .iter()
        .map(String::as_str)
        .filter(|cell| !seen.contains(cell))
        .collect();
    if !missing.is_empty() {
        list("Cells without a run", vec![listed(missing) + ".\n"]);
    }
    text
}

/// A list item with the error as a code block, since it may hold anything.
fn failure(record: &Record) -> String {
    let error = record.error.as_deref().unwrap_or("it did not say why");
    let lines = error.lines().map(|line| format!("      {line}\n"));
    format!(
        "- {} seed {}:\n\n{}",
        record.cell,
        record.seed,
        lines.collect::<String>()
    )
}

/// The metrics of each cell, mean over its seeds: a row for each, and beside each
/// other the cells that have the same ones.
fn metric_tables(records: &[&Record]) -> Vec<String> {
    let mut cells: Vec<(&str, BTreeMap<&str, Vec<f64>>)> = Vec::new();
    for record in complete(records.iter().copied()) {
        if cells.last().is_none_or(|(cell, _)| *cell != record.cell) {
            cells.push((&record.cell, BTreeMap::new()));
        }
        if let Some((_, metrics)) = cells.last_mut() {
            for (name, value) in &record.metrics {
                metrics.entry(name).or_default().push(*value);
            }
        }
    }
    cells.retain(|(_, metrics)| !metrics.is_empty());
    cells
        .chunk_by(|(_, left), (_, right)| left.keys().eq(right.keys()))
        .flat_map(|alike| alike.chunks(CELLS))
        .map(|cells| {
            let names = cells[0].1.keys().map(|name| (*name).to_string());
            let mut columns = Columns::new().column("metric", false, names);
            for (cell, metrics) in cells {
                let means = metrics.values().filter_map(|values| Spread::of(values));
                let shown = means.map(|spread| number(spread.mean).show(spread.mean));
                columns = columns.column(cell, true, shown);
            }
            columns.markdown()
        })
        .collect()
}

/// The histories of the complete ones of `runs`, by cell. A history that should
/// be there and cannot be read joins `unreadable`.
fn histories(runs: &[&Run], unreadable: &mut Vec<String>) -> Vec<History> {
    let mut histories: Vec<History> = Vec::new();
    for Run { dir, record } in runs {
        // Nothing trained, nothing to draw.
        if record.status == Status::Failed || record.epochs == 0 {
            continue;
        }
        match read_csv(&dir.history()) {
            Err(error) => unreadable.push(error.to_string()),
            Ok(rows) => match histories.last_mut() {
                Some(last) if last.cell == record.cell => last.seeds.push(rows),
                _ => histories.push(History {
                    cell: record.cell.clone(),
                    family: record.family.clone(),
                    seeds: vec![rows],
                }),
            },
        }
    }
    histories
}

/// Removes the figures of an earlier report.
fn remove_all_but(drawn: &BTreeSet<String>, folder: &Path) -> Result<()> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(Error::io("read", folder))?,
    };
    for entry in entries {
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
