//! The runs and files of a report that are missing or broken, and runs that did much worse than
//! the other runs of their cell.

use std::collections::BTreeSet;

use crate::outliers::outliers;
use crate::page::overview::listed;
use crate::read::RecordedRuns;

/// A list of what is missing, broken or striking.
pub(super) struct Problem {
    pub(super) title: &'static str,
    pub(super) items: Vec<Item>,
}

/// One thing that is missing, broken or striking.
pub(super) struct Item {
    pub(super) text: String,
    /// An error as it was printed, with any characters and lines.
    pub(super) error: Option<String>,
}

/// The runs and files that are missing or broken in `found`, and the runs that did much worse
/// than the other runs of their cell; empty if there are none. `order`
/// names all cells of the study, and `stories` is what is wrong in the texts of its sections.
pub(super) fn problems(found: &RecordedRuns, order: &[String], stories: &[String]) -> Vec<Problem> {
    let failed = found.records().filter(|record| record.status.is_failure());
    let failed = failed.map(|record| Item {
        text: format!("{} seed {}", record.cell, record.seed),
        error: Some(
            record
                .error
                .clone()
                .unwrap_or("the run left no message".into()),
        ),
    });
    let items = |sentences: &[String]| -> Vec<Item> {
        let item = |sentence: &String| Item {
            text: sentence.replace('\n', " "),
            error: None,
        };
        sentences.iter().map(item).collect()
    };
    let seen: BTreeSet<&str> = found.records().map(|record| record.cell.as_str()).collect();
    let missing: Vec<&str> = order
        .iter()
        .map(String::as_str)
        .filter(|cell| !seen.contains(cell))
        .collect();
    let missing = match missing.len() {
        0 => Vec::new(),
        _ => vec![listed(missing) + "."],
    };
    let far = outliers(found.records());
    let far: Vec<String> = far.iter().map(ToString::to_string).collect();
    let problems = [
        ("Failed runs", failed.collect()),
        (
            "Runs that did much worse than the other runs of their cell",
            items(&far),
        ),
        ("Unfinished runs", items(&found.unfinished)),
        ("Unreadable files", items(&found.unreadable)),
        (
            "Results that are not of this study and do not count",
            items(&found.others),
        ),
        ("Cells without a run", items(&missing)),
        ("Texts that name no claim", items(stories)),
    ];
    let there = problems.into_iter().filter(|(_, items)| !items.is_empty());
    there
        .map(|(title, items)| Problem { title, items })
        .collect()
}
