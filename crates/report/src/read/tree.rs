//! Reads all records of a tree: results of the study, and other results and files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use kindling_formats::{Error, Layout, Record, Result, RunDir, RunStatus, Study};

use crate::read::current::CurrentStudy;
use crate::read::folder_name::FolderName;
use crate::read::mean_squares::MeanSquaresTable;
use crate::read::recorded::{RecordedRun, RecordedRuns};

/// Reads every record below `layout.runs()`. A missing folder gives no runs.
///
/// A record counts if three things are true. Its config is the one that `study` has today
/// for its cell and seed, with the changes in `tree.json`. The fingerprint of its data is the
/// one that `tree.json` holds for this data, from when runs were last started. It was trained
/// with the version of Burn that this program knows. A record that counts gets the section
/// that the study has today for its cell. [`RecordedRuns::others`] names all other results.
///
/// The folder `<cell>/seed-<n>/` holds a finished run. The folder `<cell>/seed-<n>.partial/`
/// holds a failed run, or a run without a record that has not ended. If both folders hold a
/// record, the failed run is listed: it is newer, because a run that succeeds replaces the
/// finished one.
pub fn read(study: &Study, layout: &Layout) -> RecordedRuns {
    let mut found = RecordedRuns::default();
    let current = match CurrentStudy::new(study, layout) {
        Ok(current) => current,
        Err(error) => {
            found.unreadable.push(error.to_string());
            return found;
        }
    };
    found.has_other_data = current.has_other_data();
    match MeanSquaresTable::read(layout) {
        Ok(table) => found.mean_squares = table,
        Err(error) => {
            found.unreadable.push(error.to_string());
            return found;
        }
    }
    for cell_folder in folders(&layout.runs(), &mut found.unreadable) {
        let cell = name(&cell_folder);
        let mut by_seed = BTreeMap::new();
        // Folders of finished runs are sorted before partial ones, so that the record of a
        // partial folder replaces the record of the finished run below.
        let mut seeds: Vec<(FolderName, PathBuf)> = folders(&cell_folder, &mut found.unreadable)
            .into_iter()
            .filter_map(|folder| Some((FolderName::parse(&name(&folder))?, folder)))
            .collect();
        seeds.sort();
        for (folder_name, folder) in seeds {
            let seed = folder_name.seed;
            let dir = RunDir::new(folder);
            match record_of(&dir, &cell, seed) {
                Ok(Some(record)) => {
                    if let Some(run) = counted(&current, dir, record, &folder_name, &mut found) {
                        by_seed.insert(seed, run);
                    }
                }
                Ok(None) => without_record(&dir, &cell, &folder_name, &mut found),
                Err(error) => found.unreadable.push(error.to_string()),
            }
        }
        found.runs.extend(by_seed.into_values());
    }
    found
}

/// The run of `record`, if it counts; otherwise `None`, and `found` says why.
fn counted(
    current: &CurrentStudy,
    dir: RunDir,
    record: Record,
    name: &FolderName,
    found: &mut RecordedRuns,
) -> Option<RecordedRun> {
    let run = format!("{} seed {}", record.cell, record.seed);
    // The run was killed before its folder was renamed to its final name.
    if name.partial && record.status == RunStatus::Complete {
        found.unfinished.push(run);
        return None;
    }
    match current.config_of(&record, &dir) {
        // The next `cargo xtask experiments` moves the run back to its place.
        Ok(_) if name.aside => {
            found.unfinished.push(format!("{run}, set aside"));
            None
        }
        Ok(config) => Some(RecordedRun {
            dir,
            has_files: found.mean_squares.is_none(),
            record: Record {
                section: config.section.clone(),
                ..record
            },
            config,
        }),
        Err(difference) => {
            let folder = dir.path().display();
            found.others.push(format!("{folder}: {difference}"));
            None
        }
    }
}

/// Adds to `found` that a run of `cell` has no record.
fn without_record(dir: &RunDir, cell: &str, name: &FolderName, found: &mut RecordedRuns) {
    if name.aside {
        let folder = dir.path().display();
        let other = format!("{folder}: a run of another config, which was stopped");
        found.others.push(other);
    } else if name.partial {
        found.unfinished.push(format!("{cell} seed {}", name.seed));
    } else {
        let file = dir.record().display().to_string();
        found
            .unreadable
            .push(format!("{file}: there is no such file"));
    }
}

/// The record of a run; `None` if the run has none.
///
/// # Errors
///
/// If the record cannot be read, or is that of another cell or seed.
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

/// The last part of a folder's path.
fn name(folder: &Path) -> String {
    folder
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// The folders in `folder`, sorted by name; none if `folder` does not exist.
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
    use kindling_formats::{Selection, Size, Tree, Variant, write_atomic};

    fn study(folder: &tempfile::TempDir) -> Study {
        fake::study(folder.path(), &["linear", "mlp"])
    }

    fn listed(runs: &RecordedRuns) -> Vec<(String, u64, RunStatus)> {
        runs.runs
            .iter()
            .map(|run| (run.record.cell.clone(), run.record.seed, run.record.status))
            .collect()
    }

    #[test]
    fn a_missing_tree_has_no_runs() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let layout = Layout::new(&folder.path().join("none"), Size::Full);
        let runs = read(&study(&folder), &layout);
        assert!(runs.runs.is_empty() && runs.unreadable.is_empty() && runs.unfinished.is_empty());
    }

    #[test]
    fn runs_are_sorted_by_cell_and_seed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (study, layout) = (study(&folder), Layout::new(folder.path(), Size::Full));
        for seed in [10, 2] {
            fake::finish(&layout, &fake::record_of(&study, "mlp", seed));
        }
        fake::finish(&layout, &fake::record_of(&study, "linear", 0));
        let runs = read(&study, &layout);
        let complete = RunStatus::Complete;
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
    fn a_failure_is_listed_in_place_of_an_older_success() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (study, layout) = (study(&folder), Layout::new(folder.path(), Size::Full));
        fake::finish(&layout, &fake::record_of(&study, "mlp", 0));
        fake::fail(
            &layout,
            &fake::with_config_of(&study, Size::Full, fake::failed("mlp", 0, "out of memory")),
        );
        assert_eq!(
            listed(&read(&study, &layout)),
            [("mlp".into(), 0, RunStatus::Failed)]
        );
    }

    #[test]
    fn a_run_in_progress_leaves_the_older_success_listed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (study, layout) = (study(&folder), Layout::new(folder.path(), Size::Full));
        fake::finish(&layout, &fake::record_of(&study, "mlp", 0));
        std::fs::create_dir_all(layout.partial("mlp", 0).path()).expect("makes a folder");
        let runs = read(&study, &layout);
        assert_eq!(listed(&runs), [("mlp".into(), 0, RunStatus::Complete)]);
        assert_eq!(runs.unfinished, ["mlp seed 0"]);
    }

    #[test]
    fn unreadable_files_are_named() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (study, layout) = (study(&folder), Layout::new(folder.path(), Size::Full));
        let broken = layout.finished("mlp", 0);
        fake::finish(&layout, &fake::record_of(&study, "mlp", 0));
        std::fs::write(broken.record(), "{\"cell\": 1").expect("writes");
        let empty = layout.finished("mlp", 1);
        std::fs::create_dir_all(empty.path()).expect("makes a folder");
        let moved = layout.finished("mlp", 2);
        moved
            .write_record(&fake::record_of(&study, "linear", 7))
            .expect("writes");
        let runs = read(&study, &layout);
        assert!(runs.runs.is_empty());
        for (sentence, dir, words) in [
            (&runs.unreadable[0], broken, "delete it"),
            (&runs.unreadable[1], empty, "there is no such file"),
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
    fn results_of_other_configs_data_or_burn_do_not_count_and_are_named() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (study, layout) = (study(&folder), Layout::new(folder.path(), Size::Full));
        let own = fake::record_of(&study, "mlp", 0);
        fake::finish(&layout, &own);
        let others = [
            Record {
                seed: 1,
                config_hash: "another".into(),
                ..own.clone()
            },
            Record {
                seed: 2,
                data_fingerprint: "another".into(),
                ..own.clone()
            },
            Record {
                seed: 3,
                burn_version: "0.1.0".into(),
                ..own.clone()
            },
            Record {
                seed: 4,
                cell: "gone".into(),
                ..own.clone()
            },
        ];
        for other in &others {
            fake::finish(&layout, &rehashed(&study, other));
        }
        // The sentence about seed 1 says how its config differs.
        let cell = study.cell("mlp").expect("a cell");
        let selection = Selection {
            set: vec!["train.epochs=5".parse().expect("a setting")],
            ..Selection::own(Size::Full)
        };
        let config = study.resolve(cell, 1, &selection).expect("a config");
        let changed = layout.finished("mlp", 1);
        write_atomic(&changed.config(), config.to_toml().as_bytes()).expect("writes");
        // A failed run of another config does not hide a result.
        let failed = fake::with_config_of(&study, Size::Full, fake::failed("mlp", 0, "no"));
        fake::fail(
            &layout,
            &Record {
                config_hash: "another".into(),
                ..failed
            },
        );
        let runs = read(&study, &layout);
        assert_eq!(listed(&runs), [("mlp".into(), 0, RunStatus::Complete)]);
        assert!(runs.unreadable.is_empty(), "{:?}", runs.unreadable);
        assert_eq!(runs.others.len(), 5, "{:?}", runs.others);
        for words in [
            "seed-1: train.epochs was 5, and the study says 1",
            "seed-2: it has other data (another)",
            "seed-3: it was trained with Burn 0.1.0",
            "the study has no cell gone",
            "seed-0.partial: it has another config",
        ] {
            let is_said = runs.others.iter().any(|other| other.contains(words));
            assert!(is_said, "`{words}` in {:?}", runs.others);
        }
    }

    /// `record` with the config hash of its own seed, if its config was the study's.
    fn rehashed(study: &Study, record: &Record) -> Record {
        if record.config_hash == "another" || record.cell == "gone" {
            return record.clone();
        }
        let own = fake::record_of(study, &record.cell, record.seed);
        Record {
            config_hash: own.config_hash,
            ..record.clone()
        }
    }

    #[test]
    fn a_record_in_a_variants_tree_counts_if_it_is_of_that_variant() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (study, layout) = (study(&folder), Layout::new(folder.path(), Size::Full));
        let variant = Variant {
            set: vec!["train.epochs=5".into()],
            ..Variant::default()
        };
        let below = layout.variant(&variant.name().expect("a name"));
        let selection = variant.selection(Size::Full).expect("a selection");
        let cell = study.cell("mlp").expect("a cell");
        let config = study.resolve(cell, 0, &selection).expect("a config");
        Tree::write(&below, variant, [(&config, "images")]).expect("writes");
        let own = fake::record_of(&study, "mlp", 0);
        let record = Record {
            config_hash: config.hash(),
            data_fingerprint: "images".into(),
            ..own.clone()
        };
        fake::finish(&below, &record);
        assert_eq!(read(&study, &below).runs.len(), 1);
        // A result of the study does not count in the variant's tree, nor one of the variant
        // in the study's.
        fake::finish(&below, &own);
        assert_eq!(read(&study, &below).others.len(), 1);
        assert!(read(&study, &layout).runs.is_empty());
        assert_eq!(layout.variants(), ["train.epochs=5"]);
    }

    #[test]
    fn a_record_has_the_section_that_the_study_says() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (study, layout) = (study(&folder), Layout::new(folder.path(), Size::Full));
        let own = fake::record_of(&study, "mlp", 0);
        fake::finish(
            &layout,
            &Record {
                section: "old".into(),
                ..own
            },
        );
        assert_eq!(read(&study, &layout).runs[0].record.section, "2.5");
    }
}
