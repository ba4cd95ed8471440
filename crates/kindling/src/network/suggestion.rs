//! Suggestions for the case that the run on the command line does not exist.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use kindling_formats::{Layout, Protocol, RunStatus, Size};

use crate::cli::{DEFAULT_OUT, TrainedRunFlags};

/// A run that is completely trained.
struct FoundRun {
    cell: String,
    seed: u64,
    /// The flags that say where the run is, such as `--out DIR --quick`.
    flags: String,
    ended: SystemTime,
}

/// The largest number of runs or cells that are suggested.
const MAX_SUGGESTIONS: usize = 5;
/// Two names are similar if their similarity is at least this. It is 1 for equal names.
const MIN_SIMILARITY: f64 = 0.5;

/// The end of the error message for a run that does not exist: what to do. It lists other
/// runs of the same cell. If there are none, it lists cells with a similar name and the
/// command that trains the cell.
pub fn suggest(flags: &TrainedRunFlags) -> String {
    let runs = find_runs(&flags.out);
    let mut of_cell: Vec<&FoundRun> = runs.iter().filter(|run| run.cell == flags.cell).collect();
    if !of_cell.is_empty() {
        of_cell.sort_by_key(|run| std::cmp::Reverse(run.ended));
        let lines = of_cell.iter().take(MAX_SUGGESTIONS).map(|run| {
            format!(
                "\n  {} {} --seed {}",
                quoted(&run.cell),
                run.flags,
                run.seed
            )
        });
        return format!(
            "there are other runs of {}; use the arguments of one of these, newest first:{}",
            flags.cell,
            lines.collect::<String>().replace("  --seed", " --seed")
        );
    }
    let cells: BTreeSet<&str> = runs.iter().map(|run| run.cell.as_str()).collect();
    let mut similar: Vec<(f64, &str)> = cells
        .into_iter()
        .map(|cell| {
            (
                strsim::normalized_damerau_levenshtein(cell, &flags.cell),
                cell,
            )
        })
        .filter(|(similarity, _)| *similarity >= MIN_SIMILARITY)
        .collect();
    similar.sort_by(|a, b| b.0.total_cmp(&a.0));
    let similar: Vec<&str> = similar
        .iter()
        .take(MAX_SUGGESTIONS)
        .map(|(_, cell)| *cell)
        .collect();
    let protocol = match flags.protocol {
        Protocol::Written => "",
        Protocol::Tuned => " --protocol tuned",
    };
    let size = match flags.layout().size() {
        Size::Quick => " --quick",
        Size::Full | Size::Smoke => "",
    };
    let out = match out_flag(&flags.out).as_str() {
        "" => String::new(),
        flag => format!(" {flag}"),
    };
    let train = format!(
        "train it with `cargo xtask experiments --cell {}{size}{protocol}{out}`, or say where it \
         is with --out, --seed, --quick or --protocol",
        quoted(&flags.cell)
    );
    if similar.is_empty() {
        return train;
    }
    format!(
        "there are trained runs of {}; if you mean another cell, {train}",
        similar.join(", ")
    )
}

/// The flag that names the folder `out`; empty for the default folder.
fn out_flag(out: &Path) -> String {
    match out == Path::new(DEFAULT_OUT) {
        true => String::new(),
        false => format!("--out {}", quoted(&out.display().to_string())),
    }
}

/// All completely trained runs in `out`, in every place where `cargo xtask` puts runs.
fn find_runs(out: &Path) -> Vec<FoundRun> {
    let mut bases = vec![out.to_path_buf(), out.join("train")];
    bases.extend(subfolders(&out.join("studies")));
    for base in bases.clone() {
        bases.extend(subfolders(&base.join("variants")));
    }
    let mut runs = Vec::new();
    for base in bases {
        let sizes = [Size::Full, Size::Quick, Size::Smoke];
        let trees = sizes.into_iter().flat_map(|size| {
            let protocols = [Protocol::Written, Protocol::Tuned];
            protocols.map(|protocol| Layout::of(&base, size, protocol.into()))
        });
        for layout in trees {
            let mut flags = match layout.size() {
                Size::Full => out_flag(&base),
                Size::Quick => format!("{} --quick", out_flag(&base)),
                // No flag selects smoke runs, but their folder can be named itself.
                Size::Smoke => out_flag(layout.root()),
            };
            if layout.protocol() == Protocol::Tuned && layout.size() != Size::Smoke {
                flags += " --protocol tuned";
            }
            let flags = flags.trim();
            for cell in subfolders(&layout.runs()) {
                for run in subfolders(&cell) {
                    runs.extend(read_run(&layout, &run, flags));
                }
            }
        }
    }
    runs
}

/// The run in `folder`, if it is completely trained.
fn read_run(layout: &Layout, folder: &Path, flags: &str) -> Option<FoundRun> {
    let name = |path: &Path| Some(path.file_name()?.to_str()?.to_string());
    let cell = name(folder.parent()?)?;
    let seed = name(folder)?.strip_prefix("seed-")?.parse().ok()?;
    let dir = layout.finished(&cell, seed);
    let record = dir.read_record().ok()??;
    let ended = dir.record().metadata().and_then(|about| about.modified());
    (record.status == RunStatus::Complete).then_some(FoundRun {
        cell,
        seed,
        flags: flags.to_string(),
        ended: ended.ok()?,
    })
}

/// The folders in a folder; none if it cannot be read.
fn subfolders(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    paths.filter(|path| path.is_dir()).collect()
}

/// `text` in quotes if a shell needs them to take it as one word.
fn quoted(text: &str) -> String {
    let is_plain = |letter: char| letter.is_alphanumeric() || "/._-+:,@%=".contains(letter);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_string();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}
