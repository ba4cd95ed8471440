//! The trained runs below a folder, and the flags that name each.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use kindling_formats::{Layout, RunStatus, Size};

use crate::cli::{DEFAULT_OUT, Model};

/// A run that is whole.
struct Run {
    cell: String,
    seed: u64,
    /// Where it is, as flags.
    flags: String,
    ended: SystemTime,
}

/// Runs that are named at most.
const MOST_NAMED: usize = 5;
/// Names are near from this similarity on, where 1 is the same.
const NEAR: f64 = 0.5;

/// What there is in place of a run that is not, and what to do: the runs of its cell, or
/// else cells of nearly its name, or else how to train it.
pub fn instead(model: &Model) -> String {
    let runs = find(&model.out);
    let mut of_cell: Vec<&Run> = runs.iter().filter(|run| run.cell == model.cell).collect();
    if !of_cell.is_empty() {
        of_cell.sort_by_key(|run| std::cmp::Reverse(run.ended));
        let lines = of_cell.iter().take(MOST_NAMED).map(|run| {
            format!(
                "\n  {} {} --seed {}",
                quoted(&run.cell),
                run.flags,
                run.seed
            )
        });
        return format!(
            "these runs of {} are, the newest first; name one by its flags:{}",
            model.cell,
            lines.collect::<String>().replace("  --seed", " --seed")
        );
    }
    let cells: BTreeSet<&str> = runs.iter().map(|run| run.cell.as_str()).collect();
    let mut near: Vec<(f64, &str)> = cells
        .into_iter()
        .map(|cell| {
            (
                strsim::normalized_damerau_levenshtein(cell, &model.cell),
                cell,
            )
        })
        .filter(|(similarity, _)| *similarity >= NEAR)
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0));
    let near: Vec<&str> = near
        .iter()
        .take(MOST_NAMED)
        .map(|(_, cell)| *cell)
        .collect();
    let train = format!(
        "train it by `cargo xtask experiments --cell {}`, or say where it is with --out, --seed or \
         --quick",
        quoted(&model.cell)
    );
    if near.is_empty() {
        return train;
    }
    format!(
        "runs of {} are; if you mean none of them, {train}",
        near.join(", ")
    )
}

/// The runs that `cargo xtask` may have left below `out`.
fn find(out: &Path) -> Vec<Run> {
    let mut bases = vec![out.to_path_buf(), out.join("train")];
    for base in bases.clone() {
        bases.extend(folders(&base.join("variants")));
    }
    let mut runs = Vec::new();
    for base in bases {
        for size in [Size::Full, Size::Quick, Size::Smoke] {
            let layout = Layout::new(&base, size);
            let out = |out: &Path| match out == Path::new(DEFAULT_OUT) {
                true => String::new(),
                false => format!("--out {}", quoted(&out.display().to_string())),
            };
            let flags = match size {
                Size::Full => out(&base),
                Size::Quick => format!("{} --quick", out(&base)).trim().to_string(),
                // There is no flag for these, but a tree is one of its own.
                Size::Smoke => out(layout.root()),
            };
            for cell in folders(&layout.runs()) {
                for run in folders(&cell) {
                    runs.extend(whole(&layout, &run, &flags));
                }
            }
        }
    }
    runs
}

/// The run in `folder`, if it is whole.
fn whole(layout: &Layout, folder: &Path, flags: &str) -> Option<Run> {
    let name = |path: &Path| Some(path.file_name()?.to_str()?.to_string());
    let cell = name(folder.parent()?)?;
    let seed = name(folder)?.strip_prefix("seed-")?.parse().ok()?;
    let dir = layout.finished(&cell, seed);
    let record = dir.read_record().ok()??;
    let ended = dir.record().metadata().and_then(|about| about.modified());
    (record.status == RunStatus::Complete).then_some(Run {
        cell,
        seed,
        flags: flags.to_string(),
        ended: ended.ok()?,
    })
}

fn folders(of: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(of).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    paths.filter(|path| path.is_dir()).collect()
}

/// `text` as a shell takes it for one word.
fn quoted(text: &str) -> String {
    let is_plain = |letter: char| letter.is_alphanumeric() || "/._-+:,@%=".contains(letter);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_string();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}
