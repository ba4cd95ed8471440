//! From the tree of runs to their records, and to the names of those that have none.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use kindling_spec::{Error, Layout, Record, Result, RunDir, Status};

/// Everything readable below a tree, and what is not.
#[derive(Debug, Clone, Default)]
pub struct Runs {
    /// Finished and failed runs, by cell and seed.
    pub runs: Vec<Run>,
    /// One sentence for each file or folder that cannot be read, naming it.
    pub unreadable: Vec<String>,
    /// Runs in progress, or killed before they could say why: "mlp seed 2".
    pub unfinished: Vec<String>,
}

/// A run that has a record.
#[derive(Debug, Clone)]
pub struct Run {
    /// Its folder.
    pub dir: RunDir,
    /// Its result, or why it failed.
    pub record: Record,
}

/// Reads every record below `layout.runs()`; a missing folder gives no runs.
///
/// A finished run lies in `<cell>/seed-<n>/`. `<cell>/seed-<n>.partial/` holds a
/// failed one, or without a record one that has not ended. Where both folders
/// hold a record, the failure is the newer statement, since a success takes the
/// finished run's place; so the failure is the one listed.
pub fn read(layout: &Layout) -> Runs {
    let mut found = Runs::default();
    for cell_folder in folders(&layout.runs(), &mut found.unreadable) {
        let cell = name(&cell_folder);
        let mut by_seed = BTreeMap::new();
        // Finished folders sort before the partial ones that replace them below.
        let mut seeds: Vec<(bool, u64, PathBuf)> = folders(&cell_folder, &mut found.unreadable)
            .into_iter()
            .filter_map(|folder| seed_of(&name(&folder)).map(|(partial, n)| (partial, n, folder)))
            .collect();
        seeds.sort();
        for (partial, seed, folder) in seeds {
            let dir = RunDir::new(folder);
            match record_of(&dir, &cell, seed) {
                // A complete record in a partial folder: killed before the
                // folder took its final name.
                Ok(Some(record)) if partial && record.status == Status::Complete => {
                    found.unfinished.push(format!("{cell} seed {seed}"));
                }
                Ok(Some(record)) => {
                    by_seed.insert(seed, Run { dir, record });
                }
                Ok(None) if partial => found.unfinished.push(format!("{cell} seed {seed}")),
                Ok(None) => found
                    .unreadable
                    .push(format!("{}: there is none", dir.record().display())),
                Err(error) => found.unreadable.push(error.to_string()),
            }
        }
        found.runs.extend(by_seed.into_values());
    }
    found
}

fn record_of(dir: &RunDir, cell: &str, seed: u64) -> Result<Option<Record>> {
    match dir.read_record()? {
        Some(record) if record.cell != cell || record.seed != seed => Err(Error::File {
            file: dir.record(),
            problem: format!(
                "it is the record of {} seed {}, not of this folder",
                record.cell, record.seed
            ),
        }),
        record => Ok(record),
    }
}

/// `seed-2` is (false, 2), `seed-2.partial` is (true, 2), all else nothing.
fn seed_of(folder: &str) -> Option<(bool, u64)> {
    let rest = folder.strip_prefix("seed-")?;
    let number = rest.strip_suffix(".partial");
    let seed = number.unwrap_or(rest).parse().ok()?;
    Some((number.is_some(), seed))
}

fn name(folder: &Path) -> String {
    folder
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// The folders in `folder`, sorted by name; none where it does not exist.
fn folders(folder: &Path, unreadable: &mut Vec<String>) -> Vec<PathBuf> {
    let list = || -> std::io::Result<Vec<PathBuf>> {
        std::fs::read_dir(folder)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect()
    };
    match list() {
        Ok(mut paths) => {
            paths.retain(|path| path.is_dir());
            paths.sort();
            paths
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => {
            unreadable.push(Error::io("read", folder)(error).to_string());
            Vec::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake;
    use kindling_spec::Size;

    fn listed(runs: &Runs) -> Vec<(String, u64, Status)> {
        runs.runs
            .iter()
            .map(|run| (run.record.cell.clone(), run.record.seed, run.record.status))
            .collect()
    }

    #[test]
    fn a_missing_tree_has_no_runs() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let runs = read(&Layout::new(&folder.path().join("none"), Size::Full));
        assert!(runs.runs.is_empty() && runs.unreadable.is_empty() && runs.unfinished.is_empty());
    }

    #[test]
    fn runs_come_by_cell_and_number_of_the_seed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let layout = Layout::new(folder.path(), Size::Full);
        for seed in [10, 2] {
            fake::finish(&layout, &fake::record("mlp", seed));
        }
        fake::finish(&layout, &fake::record("linear", 0));
        let runs = read(&layout);
        let complete = Status::Complete;
        assert_eq!(
            listed(&runs),
            [
                ("linear".into(), 0, complete),
                ("mlp".into(), 2, complete),
                ("mlp".into(), 10, complete)
            ]
        );
    }

    #[test]
    fn a_failure_stands_before_an_older_success() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let layout = Layout::new(folder.path(), Size::Full);
        fake::finish(&layout, &fake::record("mlp", 0));
        fake::fail(&layout, &fake::failed("mlp", 0, "out of memory"));
        assert_eq!(listed(&read(&layout)), [("mlp".into(), 0, Status::Failed)]);
    }

    #[test]
    fn a_run_in_progress_leaves_the_older_success_listed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let layout = Layout::new(folder.path(), Size::Full);
        fake::finish(&layout, &fake::record("mlp", 0));
        std::fs::create_dir_all(layout.partial("mlp", 0).path()).expect("makes a folder");
        let runs = read(&layout);
        assert_eq!(listed(&runs), [("mlp".into(), 0, Status::Complete)]);
        assert_eq!(runs.unfinished, ["mlp seed 0"]);
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let layout = Layout::new(folder.path(), Size::Full);
        let broken = layout.finished("mlp", 0);
        fake::finish(&layout, &fake::record("mlp", 0));
        std::fs::write(broken.record(), "{\"cell\": 1").expect("writes");
        let empty = layout.finished("mlp", 1);
        std::fs::create_dir_all(empty.path()).expect("makes a folder");
        let moved = layout.finished("mlp", 2);
        moved
            .write_record(&fake::record("linear", 7))
            .expect("writes");
        let runs = read(&layout);
        assert!(runs.runs.is_empty());
        for (sentence, dir, words) in [
            (&runs.unreadable[0], broken, "delete it"),
            (&runs.unreadable[1], empty, "there is none"),
            (&runs.unreadable[2], moved, "linear seed 7"),
        ] {
            assert!(
                sentence.contains(&dir.record().display().to_string()),
                "{sentence}"
            );
            assert!(sentence.contains(words), "`{words}` in: {sentence}");
        }
    }

    #[test]
    fn other_folders_are_none_of_ours() {
        for name in ["seed-", "seed-x", "seed-1.old", "seed--1", "1", ".partial"] {
            assert_eq!(seed_of(name), None, "{name}");
        }
        assert_eq!(seed_of("seed-12"), Some((false, 12)));
        assert_eq!(seed_of("seed-12.partial"), Some((true, 12)));
    }
}
