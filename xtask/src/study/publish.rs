//! `cargo xtask report --publish`: publishes a tree of results below `artifacts/reference/`, so that
//! nobody types numbers by hand.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, ensure};
use kindling_formats::{Layout, Record, Size, Study, Tree, write_atomic};
use kindling_report::RecordedRuns;

use crate::steps::workspace;
use crate::ui::{self, output};

const BEGIN: &str = "<!-- findings:begin -->";
const END: &str = "<!-- findings:end -->";

/// Publishes the tree `layout`, whose report was already written. All checks come before the first
/// copy. The tree has the same place below `artifacts/reference/` as below `artifacts/`. `is_own`
/// says whether the study is that of the repository.
pub fn publish(study: &Study, layout: &Layout, is_own: bool) -> anyhow::Result<()> {
    let reference = workspace::root().join("artifacts").join("reference");
    let variant = Tree::read(layout)?.variant;
    let to = Layout::of(&reference, Size::Full, layout.kind());
    let to = match variant.name() {
        None => to,
        Some(name) => to.variant(&name),
    };
    let runs = kindling_report::read(study, layout);
    check(study, layout, &runs)?;
    ensure!(
        is_own,
        "only the study in the repository's configs/ is published; leave out --configs"
    );
    check_program(study, &runs, to.root(), &reference)?;
    let readme = workspace::root().join("README.md");
    let text = std::fs::read_to_string(&readme)
        .with_context(|| format!("cannot read {}", ui::path(&readme)))?;
    let [before, old, after] = parts(&text)?;

    let fail = || format!("cannot publish to {}", ui::path(to.root()));
    kindling_report::publish(study, layout, &runs, &to).with_context(fail)?;
    let trees = kindling_report::published_trees(&reference);
    let published = kindling_report::published_page(study, &trees, old);
    let page = reference.join("README.md");
    write_atomic(&page, published.page.as_bytes())?;
    let findings = published.findings.with_context(|| {
        format!(
            "{} was not changed: it names a claim that the study does not have",
            ui::path(&readme)
        )
    })?;
    write_atomic(&readme, format!("{before}{findings}{after}").as_bytes())?;
    for path in [to.root(), &page, &readme] {
        output::print(ui::path(path));
    }
    Ok(())
}

/// Checks that the runs of the tree may be published.
fn check(study: &Study, layout: &Layout, runs: &RecordedRuns) -> anyhow::Result<()> {
    let place = ui::path(layout.root());
    ensure!(
        runs.unreadable.is_empty(),
        "{place} has unreadable records; run `cargo xtask experiments` again: {}",
        runs.unreadable.join("; ")
    );
    ensure!(
        runs.others.is_empty(),
        "{place} has results that are not of this study; move them away, or train with \
         another --out:\n{}",
        runs.others.join("\n")
    );
    let records: Vec<&Record> = runs.records().collect();
    ensure!(
        !records.is_empty(),
        "{place} has no finished run; run `cargo xtask experiments` first"
    );
    let failed: Vec<String> = records
        .iter()
        .filter(|record| record.status.is_failure())
        .map(|record| format!("{} {}", record.cell, record.seed))
        .collect();
    ensure!(
        failed.is_empty(),
        "{place} has failed runs ({}); run `cargo xtask experiments` again",
        failed.join(", ")
    );
    let programs: BTreeSet<&str> = records.iter().map(|one| one.program.as_str()).collect();
    ensure!(
        programs.len() == 1,
        "the results in {place} were trained by {} different programs, and only results of one \
         program are published; train them again with `cargo xtask experiments --fresh`",
        programs.len()
    );
    // Missing results are allowed, as while a cell is being added, but they give a warning.
    for run in &runs.unfinished {
        output::warn(format_args!("warning: {run} has not ended"));
    }
    for cell in study.cells() {
        if !records.iter().any(|record| record.cell == cell.name) {
            output::warn(format_args!("warning: {} has no result", cell.name));
        }
    }
    Ok(())
}

/// Checks that `runs`, which are published to the folder `to`, were trained by the same program as
/// all that is published beside it, and that the study itself is published first.
fn check_program(
    study: &Study,
    runs: &RecordedRuns,
    to: &Path,
    reference: &Path,
) -> anyhow::Result<()> {
    let mut others = kindling_report::published_trees(reference);
    others.retain(|(_, layout)| layout.root() != to);
    ensure!(
        to == reference || others.iter().any(|(_, layout)| layout.root() == reference),
        "{} holds no results of the study; publish those first: `cargo xtask report --publish`",
        ui::path(reference)
    );
    let program = runs.records().next().map(|record| &record.program);
    for (_, layout) in others {
        let published = kindling_report::read(study, &layout);
        let mut programs = published.records().map(|record| &record.program);
        ensure!(
            programs.all(|other| Some(other) == program),
            "the results in {} were trained by another program, and what is published together is \
             of one program; remove this folder, or publish runs of its program",
            ui::path(layout.root())
        );
    }
    Ok(())
}

/// The text before, between and after the two markers in the README. The markers belong to the first
/// and the last part.
fn parts(text: &str) -> anyhow::Result<[&str; 3]> {
    let found = text.find(BEGIN).map(|place| place + BEGIN.len());
    let found = found.and_then(|begin| Some((begin, begin + text[begin..].find(END)?)));
    let (begin, end) = found.with_context(|| {
        format!(
            "README.md must have the lines {BEGIN} and {END}, in this order; nothing was published"
        )
    })?;
    Ok([&text[..begin], &text[begin..end], &text[end..]])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_three_parts() {
        let text = format!("a\n{BEGIN}\nold\n{END}\nb\n");
        let [before, block, after] = parts(&text).expect("has the markers");
        assert_eq!(block, "\nold\n");
        assert_eq!(before.to_string() + block + after, text);
        assert!(parts("a\n").is_err());
        assert!(parts(&format!("{END}{BEGIN}")).is_err());
    }
}
