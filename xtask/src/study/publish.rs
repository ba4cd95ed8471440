//! `cargo xtask report --publish`: copies results to `artifacts/reference/` and their table
//! to README.md, so that nobody types numbers by hand.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, bail, ensure};
use kindling_formats::{Layout, Record, Study, Tree, write_atomic};

use crate::steps::workspace;
use crate::ui::{self, output};

const BEGIN: &str = "<!-- results:begin -->";
const END: &str = "<!-- results:end -->";

/// Publishes a report that was already written. All checks come before the first copy.
pub fn publish(study: &Study, layout: &Layout) -> anyhow::Result<()> {
    let records = records(study, layout)?;
    let table = kindling_report::markdown_table(&kindling_report::summarize(
        &records,
        &workspace::cell_names(study),
    ));
    let block = format!("{}\n\n{}\n", provenance(&records), table.trim());
    let readme = workspace::root().join("README.md");
    let text = std::fs::read_to_string(&readme)
        .with_context(|| format!("cannot read {}", ui::path(&readme)))?;
    let text = replace_block(&text, &block)
        .with_context(|| format!("{} was not changed", ui::path(&readme)))?;
    let reference = workspace::root().join("artifacts").join("reference");
    copy(layout, &reference)
        .with_context(|| format!("cannot publish to {}", ui::path(&reference)))?;
    write_atomic(&readme, text.as_bytes())?;
    for path in [reference, readme] {
        output::print(ui::path(&path));
    }
    Ok(())
}

/// The records of the study, or an error if they must not be published.
fn records(study: &Study, layout: &Layout) -> anyhow::Result<Vec<Record>> {
    let place = ui::path(layout.root());
    if let Some(name) = Tree::read(layout)?.variant.name() {
        bail!("{place} is a variant of the study ({name}); only the study itself is published");
    }
    let runs = kindling_report::read(study, layout);
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
    let records: Vec<Record> = runs.runs.into_iter().map(|run| run.record).collect();
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
    Ok(records)
}

/// Copies results.csv and the folder report/. The new folder replaces the old one. The page
/// index.html is not copied, because it is large: it embeds all figures and several networks.
fn copy(layout: &Layout, reference: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(reference)?;
    let new = tempfile::tempdir_in(reference)?;
    copy_folder(&layout.report(), new.path())?;
    let page = new.path().join("index.html");
    if page.exists() {
        std::fs::remove_file(page)?;
    }
    let report = reference.join("report");
    if report.exists() {
        std::fs::remove_dir_all(&report)?;
    }
    std::fs::rename(new.keep(), report)?;
    let results = std::fs::read(layout.results())?;
    write_atomic(&reference.join("results.csv"), &results)?;
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// One line about the origin of the numbers: backend, host, seeds, code and Burn.
fn provenance(records: &[Record]) -> String {
    let each = |value: &dyn Fn(&Record) -> String| {
        let values: BTreeSet<String> = records.iter().map(value).collect();
        values.into_iter().collect::<Vec<_>>().join(", ")
    };
    let seeds: BTreeSet<u64> = records.iter().map(|record| record.seed).collect();
    let seeds: Vec<String> = seeds.iter().map(u64::to_string).collect();
    format!(
        "Backend {} on {} ({} cores, {} per run); seeds {}; code {}; Burn {}.",
        each(&|record| record.backend.name().into()),
        each(&|record| record.host.cpu.clone()),
        each(&|record| record.host.cores.to_string()),
        each(&|record| ui::count(record.host.threads, "thread")),
        seeds.join(", "),
        each(&|record| record.revision.clone()),
        each(&|record| record.burn_version.clone()),
    )
}

/// `text` with `block` between its two marker lines.
fn replace_block(text: &str, block: &str) -> anyhow::Result<String> {
    let markers = || {
        let (before, rest) = text.split_once(BEGIN)?;
        let (_, after) = rest.split_once(END)?;
        Some((before, after))
    };
    let (before, after) = markers()
        .with_context(|| format!("it must have the lines {BEGIN} and {END}, in this order"))?;
    Ok(format!("{before}{BEGIN}\n{block}{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use kindling_formats::Size;

    #[test]
    fn a_block_is_replaced_and_the_rest_stays() {
        let text = format!("a\n{BEGIN}\nold\nold\n{END}\nb\n");
        let new = replace_block(&text, "new\n").expect("has the markers");
        assert_eq!(new, format!("a\n{BEGIN}\nnew\n{END}\nb\n"));
        assert_eq!(replace_block(&new, "new\n").expect("again"), new);
        assert!(replace_block("a\n", "new\n").is_err());
        assert!(replace_block(&format!("{END}{BEGIN}"), "new\n").is_err());
    }

    #[test]
    fn the_copied_report_replaces_the_old_one() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let layout = Layout::new(&folder.path().join("out"), Size::Full);
        let reference = folder.path().join("reference");
        let write = |path: &Path| write_atomic(path, b"x").expect("writes");
        write(&layout.results());
        write(&layout.report().join("report.md"));
        write(&layout.report().join("index.html"));
        write(&layout.report().join("figures").join("a.svg"));
        write(&reference.join("report").join("old.svg"));
        copy(&layout, &reference).expect("copies");
        assert!(reference.join("results.csv").exists());
        assert!(reference.join("report/report.md").exists());
        assert!(reference.join("report/figures/a.svg").exists());
        assert!(!reference.join("report/old.svg").exists());
        assert!(!reference.join("report/index.html").exists());
        let left = std::fs::read_dir(&reference).expect("lists").count();
        assert_eq!(left, 2, "no temporary folder stays");
    }
}
