//! The content of a report: its sections with their tables, figures and judgements.

use std::collections::BTreeSet;

use kindling_formats::{Choices, Error, Layout, Original, Record, Result, StoryPart, Study, story};

use crate::explorer::explorer;
use crate::figures::{Drawn, networks, rates, section_figures};
use crate::judge::{Judgement, Looked, look};
use crate::original::{beside_original, original_table};
use crate::page::others::{Others, others};
use crate::page::overview::{Overview, overview, provenance};
use crate::page::problems::{Problem, problems};
use crate::page::section_tables::{gradient_table, metric_tables};
use crate::page::standing::{Standing, standing};
use crate::read::{RecordedRun, RecordedRuns};
use crate::tables::{Columns, results_table, summarize};

/// The content of a report.
pub(super) struct Content {
    pub(super) title: String,
    /// What was studied, in one or two sentences; may be empty.
    pub(super) about: String,
    /// What the claims and the runs say as a whole.
    pub(super) standing: Standing,
    /// The test accuracy of all networks.
    pub(super) networks: Option<Drawn>,
    /// The same claims and cells in other trees.
    pub(super) others: Option<Others>,
    /// The scores of the trials that chose the hyper-parameters of the tuned protocol.
    pub(super) tuning: Vec<Drawn>,
    /// The runs in the report.
    pub(super) overview: Overview,
    /// The runs and files that are missing or broken.
    pub(super) problems: Vec<Problem>,
    pub(super) judgements: Vec<Judgement>,
    /// The figures of the original study.
    pub(super) original: Original,
    pub(super) sections: Vec<Section>,
    /// The data of the page's explorer, as JSON that is safe inside a script element.
    pub(super) explorer: Option<String>,
    /// Where the numbers come from: pairs of a name and a value.
    pub(super) provenance: Vec<(&'static str, String)>,
}

/// A section of the report.
pub(super) struct Section {
    pub(super) id: String,
    pub(super) title: String,
    /// The text of `study.toml` about the section.
    pub(super) text: String,
    /// The files of the figures that the page shows; it folds the others. `None` if `study.toml`
    /// does not say.
    pub(super) shown: Option<Vec<String>>,
    /// The cells of the section that have runs, in the study's order, each with what it is.
    pub(super) cells: Vec<(String, String)>,
    /// The table of results, then the others; empty if the section has no runs.
    pub(super) tables: Vec<Columns>,
    /// The figures of the section's cells beside those of the original study.
    pub(super) original: Option<Columns>,
    pub(super) figures: Vec<Drawn>,
}

impl Content {
    /// Judges the claims, and makes all tables and figures. `found` is in the
    /// study's order.
    ///
    /// # Errors
    ///
    /// If a figure cannot be drawn.
    pub(super) fn gather(study: &Study, layout: &Layout, mut found: RecordedRuns) -> Result<Self> {
        let order: Vec<String> = study.cells().iter().map(|cell| cell.name.clone()).collect();
        let Looked {
            judgements,
            problem,
        } = look(study, layout, &found);
        found.unreadable.extend(problem);
        let (beside, problems_of_images) = beside_original(study, &found, None);
        found.unreadable.extend(problems_of_images);
        let RecordedRuns {
            runs, unreadable, ..
        } = &mut found;
        let mut sections = Vec::new();
        let mut files = BTreeSet::new();
        for section in &study.sections {
            let runs = runs.iter();
            let runs: Vec<&RecordedRun> = runs
                .filter(|run| run.record.section == section.id)
                .collect();
            let mut cells: Vec<(String, String)> = runs
                .iter()
                .map(|run| (run.record.cell.clone(), run.config.about.clone()))
                .collect();
            cells.dedup_by(|(later, _), (earlier, _)| later == earlier);
            let mut tables = Vec::new();
            let mut figures = Vec::new();
            if !runs.is_empty() {
                let records: Vec<&Record> = runs.iter().map(|run| &run.record).collect();
                let summaries = summarize(records.iter().copied(), &order);
                tables.push(results_table(&summaries));
                tables.extend(metric_tables(&records));
                tables.extend(gradient_table(&runs, unreadable));
                figures = section_figures(&section.id, &runs, &study.figures, unreadable).map_err(
                    |error| Error::File {
                        file: layout.figures(),
                        problem: format!("cannot draw a figure of section {}: {error}", section.id),
                    },
                )?;
            }
            let is_of_section = |name: &str| {
                let cell = study.cell(name);
                cell.is_ok_and(|cell| cell.section() == section.id)
            };
            let beside = beside.iter().filter(|row| is_of_section(&row.cell));
            let beside: Vec<_> = beside.cloned().collect();
            for figure in &mut figures {
                figure.file = new_name(file_name(&figure.file), &mut files);
            }
            sections.push(Section {
                id: section.id.clone(),
                title: section.title.clone(),
                tables,
                text: section.text.clone(),
                shown: section.figures.as_ref().map(|names| {
                    let file = |name: &String| file_name(&format!("{}-{name}", section.id));
                    names.iter().map(file).collect()
                }),
                cells,
                original: original_table(&beside),
                figures,
            });
        }
        let (others, notes) = others(study, layout);
        unreadable.extend(notes);
        let tuning = tuning(layout, unreadable)?;
        let networks = networks(study, runs, unreadable).map_err(|error| Error::File {
            file: layout.figures(),
            problem: format!("cannot draw the figure of all networks: {error}"),
        })?;
        let explorer = explorer(&study.figures.explorer, runs, unreadable);
        // Names of cells may hold any text, and `</script>` would end the data.
        let explorer = explorer
            .and_then(|explorer| serde_json::to_string(&explorer).ok())
            .map(|json| json.replace('<', "\\u003c"));
        Ok(Self {
            explorer,
            title: study.title.clone(),
            about: study.about.trim().to_string(),
            standing: standing(&judgements, found.records()),
            networks,
            others,
            tuning,
            overview: overview(&found, layout),
            problems: problems(&found, &order, &unknown_claims(study)),
            judgements,
            original: study.original().clone(),
            sections,
            provenance: provenance(&found, layout),
        })
    }
}

/// A sentence for each id in the text of a section that is no claim of the study.
fn unknown_claims(study: &Study) -> Vec<String> {
    let mut unknown = Vec::new();
    for section in &study.sections {
        for part in story(&section.text).into_iter().flatten() {
            let StoryPart::Claim(id) = part else {
                continue;
            };
            if !study.claims().iter().any(|claim| claim.id == id) {
                unknown.push(format!(
                    "study.toml, section {}: claims.toml has no claim `{id}`; name one of its \
                     claims in `text`, or remove the braces",
                    section.id
                ));
            }
        }
    }
    unknown
}

/// The figures of tuning; none if nothing was tuned. A file that cannot be read is added to
/// `unreadable`.
fn tuning(layout: &Layout, unreadable: &mut Vec<String>) -> Result<Vec<Drawn>> {
    let path = layout.choices();
    if !path.exists() {
        return Ok(Vec::new());
    }
    match Choices::read(&path) {
        Err(error) => {
            unreadable.push(error.to_string());
            Ok(Vec::new())
        }
        Ok(choices) => rates(&choices).map_err(|error| Error::File {
            file: layout.figures(),
            problem: format!("cannot draw the figures of tuning: {error}"),
        }),
    }
}

/// `text` with letters, digits, points and dashes only, so that it needs no quoting in a
/// link and cannot name another folder.
fn file_name(text: &str) -> String {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '.';
    text.split(|c| !word(c))
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("-")
}

/// `name`, or `name-2` and so on if `taken` has it already. Adds the result to `taken`.
fn new_name(name: String, taken: &mut BTreeSet<String>) -> String {
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    let mut names = std::iter::once(name.clone()).chain(numbered);
    let free = names.find(|name| !taken.contains(name)).unwrap_or(name);
    taken.insert(free.clone());
    free
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

    #[test]
    fn no_two_figures_have_one_file() {
        let mut taken = BTreeSet::new();
        let mut name = |name: &str| new_name(name.into(), &mut taken);
        assert_eq!(
            [name("a"), name("b"), name("a"), name("a")],
            ["a", "b", "a-2", "a-3"]
        );
    }
}
