//! From the tree of runs to the records that answer the study, and to the names of all
//! else that lies there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use kindling_formats::{
    BURN_VERSION, Error, Layout, Record, Result, RunDir, RunStatus, Selection, Study, Tree,
};

/// Everything readable below a tree, and what is not.
#[derive(Debug, Clone, Default)]
pub struct Runs {
    /// Finished and failed runs of what the study says today, by cell and seed.
    pub runs: Vec<Run>,
    /// One sentence for each result that is of something else: another config, other
    /// data, another Burn. No table holds it, and no claim is judged by it.
    pub others: Vec<String>,
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
/// A record counts if its config is the one that `study` resolves to today, with what
/// `tree.json` says of the tree, its data what that folder held last, and its Burn ours.
/// Its section is then the study's. [`Runs::others`] names all the others.
///
/// A finished run lies in `<cell>/seed-<n>/`. `<cell>/seed-<n>.partial/` holds a
/// failed one, or without a record one that has not ended. Where both folders
/// hold a record, the failure is the newer statement, since a success takes the
/// finished run's place; so the failure is the one listed.
pub fn read(study: &Study, layout: &Layout) -> Runs {
    let mut found = Runs::default();
    let wanted = match Wanted::of(study, layout) {
        Ok(wanted) => wanted,
        Err(error) => {
            found.unreadable.push(error.to_string());
            return found;
        }
    };
    for cell_folder in folders(&layout.runs(), &mut found.unreadable) {
        let cell = name(&cell_folder);
        let mut by_seed = BTreeMap::new();
        // Finished folders sort before the partial ones that replace them below.
        let mut seeds: Vec<(RunName, PathBuf)> = folders(&cell_folder, &mut found.unreadable)
            .into_iter()
            .filter_map(|folder| Some((RunName::parse(&name(&folder))?, folder)))
            .collect();
        seeds.sort();
        for (
            RunName {
                partial,
                seed,
                aside,
            },
            folder,
        ) in seeds
        {
            let dir = RunDir::new(folder);
            match record_of(&dir, &cell, seed) {
                // A complete record in a partial folder: killed before the
                // folder took its final name.
                Ok(Some(record)) if partial && record.status == RunStatus::Complete => {
                    found.unfinished.push(format!("{cell} seed {seed}"));
                }
                Ok(Some(mut record)) => match wanted.differs(&record, &dir) {
                    None if !aside => {
                        record.section = wanted.section(&cell).unwrap_or(record.section);
                        by_seed.insert(seed, Run { dir, record });
                    }
                    // The next matrix puts it in place again.
                    None => found
                        .unfinished
                        .push(format!("{cell} seed {seed}, set aside")),
                    Some(why) => found
                        .others
                        .push(format!("{}: {why}", dir.path().display())),
                },
                Ok(None) if aside => found.others.push(format!(
                    "{}: a run that was stopped, of another config",
                    dir.path().display()
                )),
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

/// What a study says today of the runs in a tree.
struct Wanted<'a> {
    study: &'a Study,
    tree: Tree,
    selection: Selection,
}

impl<'a> Wanted<'a> {
    fn of(study: &'a Study, layout: &Layout) -> Result<Self> {
        let tree = Tree::read(layout)?;
        let selection = tree.variant.selection(layout.size());
        let selection = selection.map_err(|problem| Error::File {
            file: layout.tree(),
            problem,
        })?;
        Ok(Self {
            study,
            tree,
            selection,
        })
    }

    fn section(&self, cell: &str) -> Option<String> {
        Some(self.study.cell(cell).ok()?.section().to_string())
    }

    /// How a run is not what the study says of its cell and seed; `None` if it is.
    fn differs(&self, record: &Record, dir: &RunDir) -> Option<String> {
        let Ok(cell) = self.study.cell(&record.cell) else {
            return Some(format!("the study has no cell {}", record.cell));
        };
        let config = match self.study.resolve(cell, record.seed, &self.selection) {
            Ok(config) => config,
            Err(error) => return Some(error.to_string()),
        };
        if record.config_hash != config.hash() {
            let said = dir
                .read_config()
                .ok()
                .map(|trained| trained.changes(&config));
            let said = said.filter(|changes| !changes.is_empty());
            return Some(said.unwrap_or_else(|| "it has another config".into()));
        }
        // A run that failed at once may not have known its data.
        let knows_data = record.status == RunStatus::Complete;
        match self.tree.fingerprint(&config) {
            _ if !knows_data => {}
            None => {
                return Some("nothing is known of its data: run `cargo xtask experiments`".into());
            }
            Some(fingerprint) if fingerprint != record.data_fingerprint => {
                return Some(format!(
                    "it has other data ({:.8})",
                    record.data_fingerprint
                ));
            }
            Some(_) => {}
        }
        let burn = &record.burn_version;
        (knows_data && burn != BURN_VERSION).then(|| format!("it is of Burn {burn}"))
    }
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

/// What the name of a run's folder says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct RunName {
    partial: bool,
    seed: u64,
    /// Another run has taken its place.
    aside: bool,
}

impl RunName {
    /// `seed-2`, `seed-2.partial`, `seed-2.0123abcd` and `seed-2.0123abcd.partial`; all
    /// else is no run's.
    fn parse(folder: &str) -> Option<Self> {
        let rest = folder.strip_prefix("seed-")?;
        let whole = rest.strip_suffix(".partial");
        let (number, key) = match whole.unwrap_or(rest).split_once('.') {
            Some((number, key)) => (number, Some(key)),
            None => (whole.unwrap_or(rest), None),
        };
        let is_key = |key: &str| key.len() == 8 && key.bytes().all(|b| b.is_ascii_hexdigit());
        if !key.is_none_or(is_key) || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        Some(Self {
            partial: whole.is_some(),
            seed: number.parse().ok()?,
            aside: key.is_some(),
        })
    }
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
    use kindling_formats::{Size, Variant, write_atomic};

    fn study(folder: &tempfile::TempDir) -> Study {
        fake::study(folder.path(), &["linear", "mlp"])
    }

    fn listed(runs: &Runs) -> Vec<(String, u64, RunStatus)> {
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
    fn runs_come_by_cell_and_number_of_the_seed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (study, layout) = (study(&folder), Layout::new(folder.path(), Size::Full));
        for seed in [10, 2] {
            fake::finish(&layout, &fake::answer(&study, "mlp", seed));
        }
        fake::finish(&layout, &fake::answer(&study, "linear", 0));
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
    fn a_failure_stands_before_an_older_success() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (study, layout) = (study(&folder), Layout::new(folder.path(), Size::Full));
        fake::finish(&layout, &fake::answer(&study, "mlp", 0));
        fake::fail(
            &layout,
            &fake::answering(&study, Size::Full, fake::failed("mlp", 0, "out of memory")),
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
        fake::finish(&layout, &fake::answer(&study, "mlp", 0));
        std::fs::create_dir_all(layout.partial("mlp", 0).path()).expect("makes a folder");
        let runs = read(&study, &layout);
        assert_eq!(listed(&runs), [("mlp".into(), 0, RunStatus::Complete)]);
        assert_eq!(runs.unfinished, ["mlp seed 0"]);
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (study, layout) = (study(&folder), Layout::new(folder.path(), Size::Full));
        let broken = layout.finished("mlp", 0);
        fake::finish(&layout, &fake::answer(&study, "mlp", 0));
        std::fs::write(broken.record(), "{\"cell\": 1").expect("writes");
        let empty = layout.finished("mlp", 1);
        std::fs::create_dir_all(empty.path()).expect("makes a folder");
        let moved = layout.finished("mlp", 2);
        moved
            .write_record(&fake::answer(&study, "linear", 7))
            .expect("writes");
        let runs = read(&study, &layout);
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
    fn what_is_of_something_else_is_named_and_counts_nowhere() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (study, layout) = (study(&folder), Layout::new(folder.path(), Size::Full));
        let own = fake::answer(&study, "mlp", 0);
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
        // Its config says how it differs.
        let cell = study.cell("mlp").expect("a cell");
        let selection = Selection {
            set: vec!["train.epochs=5".parse().expect("a setting")],
            ..Selection::own(Size::Full)
        };
        let config = study.resolve(cell, 1, &selection).expect("a config");
        let changed = layout.finished("mlp", 1);
        write_atomic(&changed.config(), config.to_toml().as_bytes()).expect("writes");
        // A failed attempt at another config hides no result.
        let failed = fake::answering(&study, Size::Full, fake::failed("mlp", 0, "no"));
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
            "seed-3: it is of Burn 0.1.0",
            "the study has no cell gone",
            "seed-0.partial: it has another config",
        ] {
            let is_said = runs.others.iter().any(|other| other.contains(words));
            assert!(is_said, "`{words}` in {:?}", runs.others);
        }
    }

    /// A record as it was, but of its own seed's config where it had that of the study.
    fn rehashed(study: &Study, record: &Record) -> Record {
        if record.config_hash == "another" || record.cell == "gone" {
            return record.clone();
        }
        let own = fake::answer(study, &record.cell, record.seed);
        Record {
            config_hash: own.config_hash,
            ..record.clone()
        }
    }

    #[test]
    fn a_variant_is_judged_by_what_it_is_of() {
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
        let own = fake::answer(&study, "mlp", 0);
        let record = Record {
            config_hash: config.hash(),
            data_fingerprint: "images".into(),
            ..own.clone()
        };
        fake::finish(&below, &record);
        assert_eq!(read(&study, &below).runs.len(), 1);
        // The study's own is none of it, nor the other way round.
        fake::finish(&below, &own);
        assert_eq!(read(&study, &below).others.len(), 1);
        assert!(read(&study, &layout).runs.is_empty());
        assert_eq!(layout.variants(), ["train.epochs=5"]);
    }

    #[test]
    fn the_section_is_the_studys() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (study, layout) = (study(&folder), Layout::new(folder.path(), Size::Full));
        let own = fake::answer(&study, "mlp", 0);
        fake::finish(
            &layout,
            &Record {
                section: "old".into(),
                ..own
            },
        );
        assert_eq!(read(&study, &layout).runs[0].record.section, "2.5");
    }

    #[test]
    fn the_names_of_folders() {
        for name in [
            "seed-",
            "seed-x",
            "seed-1.old",
            "seed--1",
            "seed-+1",
            "1",
            ".partial",
            "seed-1.0123456",
            "seed-1.0123456g",
            "seed-1.partial.0123abcd",
        ] {
            assert_eq!(RunName::parse(name), None, "{name}");
        }
        for (name, partial, aside) in [
            ("seed-12", false, false),
            ("seed-12.partial", true, false),
            ("seed-12.0123abcd", false, true),
            ("seed-12.0123abcd.partial", true, true),
        ] {
            let expected = RunName {
                partial,
                seed: 12,
                aside,
            };
            assert_eq!(RunName::parse(name), Some(expected), "{name}");
        }
    }
}
