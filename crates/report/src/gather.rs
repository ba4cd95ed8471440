//! From runs to what a report says: its sections with their tables, figures and
//! verdicts. How that looks is the business of `markdown` and `page`.

use std::collections::{BTreeMap, BTreeSet};

use kindling_formats::{Error, Layout, Record, Result, RunStatus, Size, Study, Tree, read_csv};

use crate::comparison::comparisons;
use crate::curves::{History, figures};
use crate::evidence::{Table, evidence};
use crate::explorer::explorer;
use crate::figure::Drawn;
use crate::summary::complete;
use crate::table::{Columns, number, summary_columns};
use crate::{Run, Runs, Spread, Verdict, judge, summarize};

/// Cells beside each other in a table of metrics; more are too wide for a page.
const CELLS: usize = 6;

/// All that a report says.
pub(crate) struct Content {
    pub(crate) title: String,
    /// What it is made of, in words.
    pub(crate) overview: Overview,
    /// What it lacks, and why.
    pub(crate) problems: Vec<Problem>,
    pub(crate) verdicts: Vec<Verdict>,
    pub(crate) sections: Vec<Section>,
    /// What the page's explorer needs, as JSON.
    pub(crate) explorer: Option<String>,
    pub(crate) provenance: Vec<(&'static str, String)>,
}

/// What the report is made of.
pub(crate) struct Overview {
    /// That its numbers mean nothing, where they mean nothing.
    pub(crate) warning: Option<String>,
    pub(crate) text: String,
}

/// A list of what is missing or broken.
pub(crate) struct Problem {
    pub(crate) title: &'static str,
    pub(crate) items: Vec<Item>,
}

/// One thing that is missing or broken.
pub(crate) struct Item {
    pub(crate) text: String,
    /// An error as it was printed: it may hold anything.
    pub(crate) error: Option<String>,
}

/// A section of the study.
pub(crate) struct Section {
    pub(crate) id: String,
    pub(crate) title: String,
    /// The results first. None where nothing ran.
    pub(crate) tables: Vec<Columns>,
    pub(crate) figures: Vec<Drawn>,
}

impl Content {
    /// Reads, judges and draws everything. `found` is sorted as the study is.
    ///
    /// # Errors
    ///
    /// If a figure cannot be drawn.
    pub(crate) fn gather(study: &Study, layout: &Layout, found: &mut Runs) -> Result<Self> {
        let order: Vec<String> = study.cells().iter().map(|cell| cell.name.clone()).collect();
        let verdicts = judge(study, layout.size(), records(found));
        let mut sections = Vec::new();
        for (id, title) in self::sections(study, found) {
            let runs: Vec<&Run> = found
                .runs
                .iter()
                .filter(|run| run.record.section == id)
                .collect();
            let of_section: Vec<&Record> = runs.iter().map(|run| &run.record).collect();
            let mut tables = Vec::new();
            let mut drawn = Vec::new();
            if !of_section.is_empty() {
                let summaries = summarize(of_section.iter().copied(), &order);
                tables.push(summary_columns(&summaries));
                tables.extend(metric_tables(&of_section));
                tables.extend(gradient_table(&runs, &mut found.unreadable));
                for figure in figures(&id, &histories(&runs, &mut found.unreadable)) {
                    drawn.push(figure.draw().map_err(|error| Error::File {
                        file: layout.report().join(&figure.file),
                        problem: format!("cannot draw it: {error}"),
                    })?);
                }
                let whole: Vec<&Record> = complete(of_section.iter().copied()).collect();
                drawn.extend(comparisons(&id, &whole));
                drawn.extend(
                    evidence(&id, &runs, &mut found.unreadable).map_err(|problem| Error::File {
                        file: layout.report(),
                        problem: format!("cannot draw a figure of section {id}: {problem}"),
                    })?,
                );
            }
            for figure in &mut drawn {
                figure.file = file_name(&figure.file);
            }
            sections.push(Section {
                id,
                title,
                tables,
                figures: drawn,
            });
        }
        let explorer = explorer(&found.runs, &mut found.unreadable);
        // Names of cells may hold anything, and `</script>` would end the data.
        let explorer = explorer
            .and_then(|explorer| serde_json::to_string(&explorer).ok())
            .map(|json| json.replace('<', "\\u003c"));
        Ok(Self {
            explorer,
            title: study.title.clone(),
            overview: overview(found, layout),
            problems: problems(found, &order),
            verdicts,
            sections,
            provenance: provenance(found),
        })
    }
}

/// Where the numbers come from, a line each.
fn provenance(found: &Runs) -> Vec<(&'static str, String)> {
    let each = |value: &dyn Fn(&Record) -> String| {
        listed(records(found).map(value).collect::<BTreeSet<String>>())
    };
    let seconds: f64 = records(found).map(|record| record.seconds).sum();
    vec![
        ("machine", each(&|record| format!("{} ({}, {} cores)", record.host.cpu, record.host.platform, record.host.cores))),
        ("threads of a run", each(&|record| record.host.threads.to_string())),
        ("backend", each(&|record| record.backend.name().to_string())),
        ("Burn", each(&|record| record.burn_version.clone())),
        ("code", each(&|record| record.revision.clone())),
        ("program (SHA-256)", each(&|record| record.program.clone())),
        ("seeds", listed(records(found).map(|record| record.seed).collect::<BTreeSet<u64>>())),
        ("data (SHA-256)", each(&|record| record.data_fingerprint.clone())),
        ("seconds of all runs together", format!("{seconds:.0}")),
        ("repeat it", "cargo xtask experiments; a single run: cargo xtask train CELL --seed N; this report: cargo xtask report".to_string()),
    ]
}

pub(crate) fn records(found: &Runs) -> impl Iterator<Item = &Record> {
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
fn overview(found: &Runs, layout: &Layout) -> Overview {
    let failed = records(found)
        .filter(|record| record.status == RunStatus::Failed)
        .count();
    let cells: BTreeSet<&str> = records(found).map(|record| record.cell.as_str()).collect();
    let backends: BTreeSet<&str> = records(found).map(|record| record.backend.name()).collect();
    let seeds: BTreeSet<u64> = records(found).map(|record| record.seed).collect();
    let mut text = format!(
        "Runs: {}, of {} cells; failed: {failed}; backends: {}; seeds: {}.",
        found.runs.len(),
        cells.len(),
        listed(backends),
        listed(seeds),
    );
    if let Some(variant) = Tree::read(layout).ok().and_then(|tree| tree.variant.name()) {
        text += &format!(" This is a variant of the study: {variant}.");
    }
    let variants = layout.variants();
    if !variants.is_empty() {
        text += &format!(
            " Variants that have a report of their own: {}.",
            listed(variants)
        );
    }
    let warning = match layout.size() {
        Size::Full => None,
        Size::Quick => Some("Quick"),
        Size::Smoke => Some("Smoke"),
    };
    let warning = warning.map(|kind| {
        format!("{kind} runs: they only show that everything works; their numbers mean nothing.")
    });
    Overview { warning, text }
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

/// What the tables lack, and why; nothing where they are whole.
fn problems(found: &Runs, order: &[String]) -> Vec<Problem> {
    let failed = records(found).filter(|record| record.status == RunStatus::Failed);
    let failed = failed.map(|record| Item {
        text: format!("{} seed {}", record.cell, record.seed),
        error: Some(record.error.clone().unwrap_or("it did not say why".into())),
    });
    let items = |sentences: &[String]| -> Vec<Item> {
        let item = |sentence: &String| Item {
            text: sentence.replace('\n', " "),
            error: None,
        };
        sentences.iter().map(item).collect()
    };
    let seen: BTreeSet<&str> = records(found).map(|record| record.cell.as_str()).collect();
    let missing: Vec<&str> = order
        .iter()
        .map(String::as_str)
        .filter(|cell| !seen.contains(cell))
        .collect();
    let missing = match missing.len() {
        0 => Vec::new(),
        _ => vec![listed(missing) + "."],
    };
    let problems = [
        ("Failed runs", failed.collect()),
        ("Unfinished runs", items(&found.unfinished)),
        ("Unreadable files", items(&found.unreadable)),
        (
            "Results that are not of this study, and count nowhere",
            items(&found.others),
        ),
        ("Cells without a run", items(&missing)),
    ];
    let there = problems.into_iter().filter(|(_, items)| !items.is_empty());
    there
        .map(|(title, items)| Problem { title, items })
        .collect()
}

/// The metrics of each cell, mean over its seeds: a row for each, and beside each
/// other the cells that have the same ones.
fn metric_tables(records: &[&Record]) -> Vec<Columns> {
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
            columns
        })
        .collect()
}

/// The tiny convnet's gradients, automatic and by hand, of the first run that left
/// some: a row for each parameter.
fn gradient_table(runs: &[&Run], unreadable: &mut Vec<String>) -> Option<Columns> {
    let mut tables = runs
        .iter()
        .map(|run| Table::of(run, "gradients.csv", unreadable));
    let Table { columns, rows } = tables.find_map(|table| table)?;
    let parameters = (1..=rows.len()).map(|row| row.to_string());
    let table = Columns::new().column("parameter", true, parameters);
    let add = |table: Columns, (place, name): (usize, &String)| {
        let cell = |row: &Vec<f64>| row.get(place).map_or("-".into(), |g| format!("{g:.7}"));
        table.column(&name.replace('_', " "), true, rows.iter().map(cell))
    };
    Some(columns.iter().enumerate().fold(table, add))
}

/// The histories of the complete ones of `runs`, by cell. A history that should
/// be there and cannot be read joins `unreadable`.
fn histories(runs: &[&Run], unreadable: &mut Vec<String>) -> Vec<History> {
    let mut histories: Vec<History> = Vec::new();
    for Run { dir, record } in runs {
        // Nothing trained, nothing to draw.
        if record.status == RunStatus::Failed || record.epochs == 0 {
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
/// Only letters, digits, points and dashes, so that it needs no quoting in a link
/// and leads to no other folder.
fn file_name(text: &str) -> String {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '.';
    text.split(|c| !word(c))
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_needs_no_quoting() {
        assert_eq!(
            file_name("2.5-classifier-linear, mlp (1 of 2)-loss"),
            "2.5-classifier-linear-mlp-1-of-2-loss"
        );
    }
}
