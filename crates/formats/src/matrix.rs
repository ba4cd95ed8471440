//! From the files in `configs/` to the list of runs.
//!
//! `study.toml` holds what concerns all cells and `claims.toml` what is said of
//! them; every other `*.toml` below the folder holds one cell, or a sweep that expands to several. The order is that
//! of the sections, then of the file names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;
use toml::{Table, Value};

use crate::check::LONGEST_NAME;
use crate::claim::{self, CLAIMS};
use crate::config::{read_table, typed};
use crate::figures::{CellKind, StudyFigures};
use crate::keys::{NOT_SETTABLE, full_path, set};
use crate::sweep::{check_seeds, expand_sweeps};
use crate::{Claim, Error, Result, RunConfig, Selection, Setting, Size};

/// `study.toml`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StudyFile {
    /// Of the report.
    title: String,
    /// Seeds of a cell that says nothing else: 0 to n-1.
    seeds: u64,
    /// In the report's order.
    section: Vec<Section>,
    /// What `--quick` changes.
    quick: Quick,
    /// Which cells the report shows together.
    #[serde(default)]
    figures: StudyFigures,
}

/// A section of the write-up.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Section {
    /// `"2.5"`
    pub id: String,
    /// What it is about.
    pub title: String,
}

/// How a schema sees changed keys: with any value.
type Changes = BTreeMap<String, serde_json::Value>;

/// What `--quick` changes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Quick {
    /// Seeds of a cell.
    seeds: u64,
    /// Keys of cells of this family, by their dotted paths.
    #[serde(default)]
    #[schemars(with = "Changes")]
    gradients: BTreeMap<String, Value>,
    /// Keys of cells of this family, by their dotted paths.
    #[serde(default)]
    #[schemars(with = "Changes")]
    regression: BTreeMap<String, Value>,
    /// Keys of cells of this family, by their dotted paths.
    #[serde(default)]
    #[schemars(with = "Changes")]
    classifier: BTreeMap<String, Value>,
    /// Keys of cells of this family, by their dotted paths.
    #[serde(default)]
    #[schemars(with = "Changes")]
    autoencoder: BTreeMap<String, Value>,
    /// Keys of cells of this family, by their dotted paths.
    #[serde(default)]
    #[schemars(with = "Changes")]
    pca: BTreeMap<String, Value>,
}

/// One cell: a name and the table it was given, not yet a run.
#[derive(Debug, Clone)]
pub struct Cell {
    /// Its name.
    pub name: String,
    /// The file it stands in.
    pub file: PathBuf,
    /// How many seeds it wants whatever the study says: 1 where nothing in it
    /// is random.
    pub(crate) seeds: Option<u64>,
    pub(crate) table: Table,
}

impl Cell {
    /// The id of the section that it belongs to.
    pub fn section(&self) -> &str {
        let section = self.table.get("section").and_then(Value::as_str);
        section.unwrap_or_default()
    }

    /// The section and the family that it belongs to.
    fn kind(&self) -> CellKind<'_> {
        let family = self.table.get("family").and_then(Value::as_str);
        CellKind {
            section: self.section(),
            family: family.unwrap_or_default(),
        }
    }

    /// Whether nothing in it is random, so that one run says all.
    pub fn is_certain(&self) -> bool {
        self.seeds == Some(1)
    }
}

/// The most runs of a matrix.
const MOST_RUNS: usize = 10_000;

/// All cells, and what concerns all of them.
#[derive(Debug)]
pub struct Study {
    /// Its title.
    pub title: String,
    /// Its sections, in order.
    pub sections: Vec<Section>,
    /// Which cells the report shows together.
    pub figures: StudyFigures,
    cells: Vec<Cell>,
    claims: Vec<Claim>,
    seeds: u64,
    quick: Quick,
    quick_origin: String,
    /// Where relative folders in its files begin: the folder that holds `configs/`.
    base: PathBuf,
}

impl Study {
    /// Reads the folder `configs/`.
    ///
    /// # Errors
    ///
    /// If `study.toml` is missing, or any file is malformed.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join("study.toml");
        let origin = path.display().to_string();
        let base = std::path::absolute(folder).map_err(Error::io("find", folder))?;
        let study: StudyFile = typed(read_table(&path)?, &origin)?;
        for (key, seeds) in [("seeds", study.seeds), ("quick.seeds", study.quick.seeds)] {
            check_seeds(seeds).map_err(|problem| Error::key(&origin, key, problem))?;
        }
        let mut files = Vec::new();
        toml_files(folder, &mut files)?;
        let mut cells = Vec::new();
        let claims = folder.join(CLAIMS);
        for file in files
            .iter()
            .filter(|&file| *file != path && *file != claims)
        {
            cells.extend(expand_sweeps(file)?);
        }
        let rank = |cell: &Cell| {
            let section = cell.table.get("section").and_then(Value::as_str);
            study
                .section
                .iter()
                .position(|known| Some(known.id.as_str()) == section)
        };
        for (index, cell) in cells.iter().enumerate() {
            let origin = cell.file.display().to_string();
            if rank(cell).is_none() {
                return Err(Error::key(
                    &origin,
                    "section",
                    "must be the id of a [[section]] in study.toml",
                ));
            }
            if let Some(twin) = cells[..index].iter().find(|twin| twin.name == cell.name) {
                return Err(Error::key(
                    &origin,
                    "cell",
                    format!(
                        "`{}` stands in {} too; every cell needs its own name",
                        cell.name,
                        twin.file.display()
                    ),
                ));
            }
        }
        cells.sort_by_key(|cell| (rank(cell), cell.file.clone()));
        let mut study = Self {
            title: study.title,
            sections: study.section,
            figures: study.figures,
            cells,
            claims: Vec::new(),
            seeds: study.seeds,
            quick: study.quick,
            quick_origin: origin,
            base: base.parent().unwrap_or(&base).to_path_buf(),
        };
        let kind_of = |name: &str| study.cell(name).map(Cell::kind);
        study.figures.check(&study.quick_origin, kind_of)?;
        study.claims = claim::read(folder, &study)?;
        Ok(study)
    }

    /// What is said of the cells, in the order of the file.
    pub fn claims(&self) -> &[Claim] {
        &self.claims
    }

    /// How many seeds a cell gets if nothing else is said.
    pub fn seeds(&self) -> u64 {
        self.seeds
    }

    /// All cells, in order.
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// The cell with exactly this name.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn cell(&self, name: &str) -> Result<&Cell> {
        self.cells
            .iter()
            .find(|cell| cell.name == name)
            .ok_or_else(|| self.no_cell(name, name))
    }

    /// The runs of a selection, each checked.
    ///
    /// # Errors
    ///
    /// At a word that selects nothing, or a value that a run cannot have.
    pub fn expand(&self, selection: &Selection) -> Result<Vec<RunConfig>> {
        for word in &selection.only {
            if !self.cells.iter().any(|cell| cell.name.contains(word)) {
                return Err(self.no_cell(&format!("--only {word}"), word));
            }
        }
        for name in &selection.cells {
            if !self.cells.iter().any(|cell| cell.name == *name) {
                return Err(self.no_cell(&format!("--cell {name}"), name));
            }
        }
        if let Some(seeds) = selection.seeds {
            check_seeds(seeds).map_err(|problem| Error::Argument {
                argument: format!("--seeds {seeds}"),
                problem,
            })?;
        }
        let usual = match selection.size {
            Size::Full => self.seeds,
            Size::Quick => self.quick.seeds,
            Size::Smoke => 1,
        };
        let wanted: Vec<(&Cell, u64)> = self
            .cells
            .iter()
            .filter(|cell| selection.chooses(&cell.name))
            .flat_map(|cell| {
                let seeds = cell.seeds.or(selection.seeds).unwrap_or(usual);
                (0..seeds).map(move |seed| (cell, seed))
            })
            .take(MOST_RUNS + 1)
            .collect();
        if wanted.len() > MOST_RUNS {
            return Err(Error::Argument {
                argument: "these cells and seeds".into(),
                problem: format!(
                    "make more than {MOST_RUNS} runs; choose with --cell, --only or --seeds"
                ),
            });
        }
        let runs = wanted.into_iter();
        runs.map(|(cell, seed)| self.resolve(cell, seed, selection))
            .collect()
    }

    /// The run of `cell` with `seed`.
    ///
    /// # Errors
    ///
    /// At a value that it cannot have.
    pub fn resolve(&self, cell: &Cell, seed: u64, selection: &Selection) -> Result<RunConfig> {
        if let Some(problem) = selection.precision.problem_on(selection.backend) {
            return Err(Error::Argument {
                argument: format!("--precision {}", selection.precision.name()),
                problem,
            });
        }
        let mut origin = cell.file.display().to_string();
        let mut table = cell.table.clone();
        if selection.size == Size::Quick {
            let family = table.get("family").and_then(Value::as_str);
            let changes = match family {
                Some("gradients") => Some(&self.quick.gradients),
                Some("regression") => Some(&self.quick.regression),
                Some("classifier") => Some(&self.quick.classifier),
                Some("autoencoder") => Some(&self.quick.autoencoder),
                Some("pca") => Some(&self.quick.pca),
                _ => None, // `from_table` below says what is wrong with it.
            };
            for (key, value) in changes.into_iter().flatten() {
                set(&mut table, key, value.clone())
                    .map_err(|problem| Error::key(&self.quick_origin, key, problem))?;
            }
        }
        if let Some(dir) = &selection.data
            && let Some(Value::Table(data)) = table.get_mut("data")
            && table_takes_images(cell)
        {
            data.insert("dir".into(), Value::String(dir.display().to_string()));
        }
        for Setting { key, value } in &selection.set {
            if NOT_SETTABLE.contains(&key.as_str()) {
                return Err(Error::key(
                    "--set",
                    key,
                    "names the run rather than describing it; use --seeds, --backend, --precision, \
                     --quick, --smoke or a config file",
                ));
            }
            let refuse = |key: &str, problem: String| {
                Error::key(&format!("--set on cell {}", cell.name), key, problem)
            };
            let key = full_path(&table, key).map_err(|problem| refuse(key, problem))?;
            another_optimizer(&table, &key).map_err(|problem| refuse(&key, problem))?;
            let value = match value {
                // What is typed begins in the current folder, as with --data.
                Value::String(dir) if key == DATA_DIR => absolute(Path::new(""), dir)?,
                value => value.clone(),
            };
            set(&mut table, &key, value).map_err(|problem| refuse(&key, problem))?;
            origin = format!("{} with --set", cell.file.display());
        }
        // What a file says begins where the folder of configs lies.
        if let Some(Value::Table(data)) = table.get_mut("data")
            && let Some(Value::String(dir)) = data.get("dir")
        {
            let dir = absolute(&self.base, dir)?;
            data.insert("dir".into(), dir);
        }
        for (key, value) in [
            ("cell", Value::String(cell.name.clone())),
            ("seed", Value::Integer(seed as i64)),
            ("backend", Value::String(selection.backend.name().into())),
            (
                "precision",
                Value::String(selection.precision.name().into()),
            ),
            ("size", Value::String(selection.size.name().into())),
        ] {
            table.insert(key.into(), value);
        }
        let mut config = RunConfig::from_table(table, &origin)?;
        if selection.size == Size::Smoke {
            config.task.shorten_to_smoke();
        }
        Ok(config)
    }

    fn no_cell(&self, argument: &str, word: &str) -> Error {
        let names: Vec<&str> = self.cells.iter().map(|cell| cell.name.as_str()).collect();
        // A longer word is like none of them, and would take long to compare.
        let likely = names
            .iter()
            .filter(|_| word.len() <= LONGEST_NAME)
            .map(|name| (name, strsim::normalized_damerau_levenshtein(name, word)))
            .max_by(|(_, a), (_, b)| a.total_cmp(b))
            .filter(|(_, likeness)| *likeness > 0.5)
            .map(|(name, _)| format!("did you mean `{name}`? "))
            .unwrap_or_default();
        Error::Argument {
            argument: argument.to_string(),
            problem: format!(
                "no cell has that name; {likely}there are: {}",
                names.join(", ")
            ),
        }
    }
}

/// The folder of the images, in a cell's file.
const DATA_DIR: &str = "data.dir";

/// A folder as an absolute path; where it is relative, from `base` on, which may be
/// empty for the current folder.
fn absolute(base: &Path, dir: &str) -> Result<Value> {
    let path = base.join(dir);
    let path = std::path::absolute(&path).map_err(Error::io("find", &path))?;
    Ok(Value::String(path.display().to_string()))
}

/// Refuses to set a key of an optimizer that the cell has not got: it would have two.
fn another_optimizer(table: &Table, key: &str) -> std::result::Result<(), String> {
    let mut parts = key.split('.');
    let (Some("train"), Some("optimizer"), Some(wanted)) =
        (parts.next(), parts.next(), parts.next())
    else {
        return Ok(());
    };
    let optimizer = table
        .get("train")
        .and_then(|train| train.get("optimizer")?.as_table());
    match optimizer.and_then(|optimizer| optimizer.keys().next()) {
        Some(own) if own != wanted => Err(format!(
            "the cell trains with {own}; set a key of train.optimizer.{own}, or all of the              optimizer, as in --set 'train.optimizer={{ adam = {{ learning_rate = 0.001 }} }}'"
        )),
        _ => Ok(()),
    }
}

fn table_takes_images(cell: &Cell) -> bool {
    matches!(
        cell.table.get("family").and_then(Value::as_str),
        Some("classifier" | "autoencoder" | "pca")
    )
}

fn toml_files(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries = std::fs::read_dir(folder).map_err(Error::io("read", folder))?;
    let mut paths = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<std::io::Result<Vec<_>>>()
        .map_err(Error::io("read", folder))?;
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default();
        // Editors, file managers and notebooks keep their own files beside ours.
        if name.as_encoded_bytes().starts_with(b".") {
            continue;
        }
        if path.is_dir() {
            toml_files(&path, files)?;
        } else if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const STUDY: &str = r#"
        title = "t"
        seeds = 2
        [[section]]
        id = "a"
        title = "first"
        [[section]]
        id = "b"
        title = "second"
        [quick]
        seeds = 1
        classifier = { "train.epochs" = 1, "data.train" = 100 }
    "#;

    const DROPOUT: &str = r#"
        cell = "dropout-{dropout}"
        section = "b"
        about = "x"
        family = "classifier"
        [[sweep]]
        key = "model.dropout"
        values = [0.1, 0.9]
        [data]
        [model]
        hidden = [8]
        dropout = 0.0
        [train]
        epochs = 3
        batch_size = 4
        optimizer.sgd = { learning_rate = 0.1, momentum = 0.9 }
    "#;

    const PCA: &str = r#"
        cell = "pca"
        section = "a"
        about = "x"
        family = "pca"
        seeds = 1
        [data]
        [model]
        components = 2
        [scatter]
        images = 10
    "#;

    fn study(files: &[(&str, &str)]) -> Result<Study> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).expect("writes");
        }
        Study::read(folder.path())
    }

    fn plain() -> Selection {
        Selection::own(Size::Full)
    }

    fn names(runs: &[RunConfig]) -> Vec<String> {
        runs.iter()
            .map(|run| format!("{}/{}", run.cell, run.seed))
            .collect()
    }

    #[test]
    fn the_matrix_is_sections_then_files_then_sweeps_then_seeds() {
        let study =
            study(&[("study.toml", STUDY), ("1.toml", DROPOUT), ("2.toml", PCA)]).expect("reads");
        let runs = study.expand(&plain()).expect("expands");
        assert_eq!(
            names(&runs),
            [
                "pca/0",
                "dropout-0.1/0",
                "dropout-0.1/1",
                "dropout-0.9/0",
                "dropout-0.9/1"
            ]
        );
    }

    #[test]
    fn quick_shortens_and_set_changes() {
        let study = study(&[("study.toml", STUDY), ("1.toml", DROPOUT)]).expect("reads");
        let selection = Selection {
            size: Size::Quick,
            only: vec!["0.9".into()],
            data: Some("/images".into()),
            set: vec!["batch_size=7".parse().expect("a setting")],
            ..plain()
        };
        let runs = study.expand(&selection).expect("expands");
        assert_eq!(names(&runs), ["dropout-0.9/0"]);
        let crate::Task::Classifier(task) = &runs[0].task else {
            panic!("a classifier");
        };
        assert_eq!(task.train.epochs, 1);
        assert_eq!(task.train.batch_size, 7);
        assert_eq!(task.data.train, Some(100));
        assert_eq!(task.data.dir.as_deref(), Some(Path::new("/images")));
    }

    #[test]
    fn a_grid_is_the_product_of_its_sweeps() {
        let grid = DROPOUT
            .replace("dropout-{dropout}", "net-{hidden}-{dropout}")
            .replace(
                "[data]",
                "[[sweep]]\nkey = \"model.hidden\"\nvalues = [[], [8]]\nlabels = [\"1\", \"2\"]\n[data]",
            );
        let study = study(&[("study.toml", STUDY), ("1.toml", &grid)]).expect("reads");
        let cells: Vec<&str> = study
            .cells()
            .iter()
            .map(|cell| cell.name.as_str())
            .collect();
        assert_eq!(cells, ["net-1-0.1", "net-2-0.1", "net-1-0.9", "net-2-0.9"]);
    }

    #[test]
    fn wrong_words_are_refused_with_a_remedy() {
        let study = study(&[("study.toml", STUDY), ("1.toml", DROPOUT)]).expect("reads");
        let refused = |selection: Selection| {
            study
                .expand(&selection)
                .expect_err("must be refused")
                .to_string()
        };
        let error = refused(Selection {
            only: vec!["droput-0.1".into()],
            ..plain()
        });
        assert!(error.contains("did you mean `dropout-0.1`?"), "{error}");
        for (setting, words) in [
            ("model.dropout=1.5", "model.dropout"),
            ("dropout=often", "model.dropout"),
            ("droput=0.5", "it has: about, model.dropout"),
            ("model.droput=0.5", "model.droput"),
            ("seed=7", "use --seeds"),
            ("train.epochs.many=1", "is a value, not a table"),
            ("epochs=1.5", "must be a whole number"),
            ("hidden=8", "must be a list"),
            ("dropout=often", "must be a number"),
            (
                "train.optimizer.adam.learning_rate=0.1",
                "the cell trains with sgd; set a key of train.optimizer.sgd",
            ),
        ] {
            let error = refused(Selection {
                set: vec![setting.parse().expect("a setting")],
                ..plain()
            });
            assert!(error.contains(words), "`{words}` in: {error}");
        }
        assert!("dropout".parse::<Setting>().is_err());
        assert!("=1".parse::<Setting>().is_err());
        assert!("model..dropout=1".parse::<Setting>().is_err());
    }

    #[test]
    fn numbers_are_taken_as_people_write_them() {
        let study = study(&[("study.toml", STUDY), ("1.toml", DROPOUT)]).expect("reads");
        for (setting, rate, epochs) in [
            ("learning_rate=.01", 0.01, 3),
            ("learning_rate=1.", 1.0, 3),
            ("learning_rate=2", 2.0, 3),
            ("epochs=1e1", 0.1, 10),
            ("epochs=5.0", 0.1, 5),
        ] {
            let runs = study.expand(&Selection {
                set: vec![setting.parse().expect("a setting")],
                ..plain()
            });
            let runs = runs.unwrap_or_else(|error| panic!("{setting}: {error}"));
            let crate::Task::Classifier(task) = &runs[0].task else {
                panic!("a classifier");
            };
            assert_eq!(task.train.optimizer.learning_rate(), rate, "{setting}");
            assert_eq!(task.train.epochs, epochs, "{setting}");
        }
        let setting: Setting = "train.optimizer={adam={learning_rate=.5}}"
            .parse()
            .expect("one");
        assert!(
            study
                .expand(&Selection {
                    set: vec![setting],
                    ..plain()
                })
                .is_err(),
            ".5 in TOML"
        );
        let setting: Setting = "train.optimizer={adam={learning_rate=0.5}}"
            .parse()
            .expect("one");
        let runs = study.expand(&Selection {
            set: vec![setting],
            ..plain()
        });
        let runs = runs.expect("another optimizer");
        assert!(runs[0].to_toml().contains("adam"), "{}", runs[0].to_toml());
    }

    #[test]
    fn a_cell_is_chosen_by_its_whole_name_or_by_a_word() {
        let study =
            study(&[("study.toml", STUDY), ("1.toml", DROPOUT), ("2.toml", PCA)]).expect("reads");
        let chosen = |cells: &[&str], only: &[&str]| {
            let runs = study.expand(&Selection {
                cells: cells.iter().map(|cell| cell.to_string()).collect(),
                only: only.iter().map(|word| word.to_string()).collect(),
                seeds: Some(1),
                ..plain()
            });
            runs.map(|runs| names(&runs))
        };
        let both = ["pca/0", "dropout-0.1/0"];
        assert_eq!(chosen(&["dropout-0.1"], &[]).expect("one"), both[1..]);
        assert_eq!(chosen(&["dropout-0.1", "pca"], &[]).expect("two"), both);
        assert_eq!(chosen(&["dropout-0.1"], &["pc"]).expect("two"), both);
        let error = chosen(&["dropout"], &[]).expect_err("no whole name");
        assert!(
            error.to_string().starts_with("--cell dropout: no cell"),
            "{error}"
        );
    }

    #[test]
    fn files_of_editors_and_notebooks_are_no_cells() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("makes");
            std::fs::write(path, text).expect("writes");
        };
        write("study.toml", STUDY);
        write("1.toml", DROPOUT);
        for name in [
            "._1.toml",
            ".1.toml.swp.toml",
            ".ipynb_checkpoints/1.toml",
            "a/.b/c.toml",
        ] {
            write(name, "no TOML at all");
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink("me@here.1", folder.path().join(".#1.toml")).expect("links");
        assert_eq!(Study::read(folder.path()).expect("reads").cells().len(), 2);
    }

    #[test]
    fn a_folder_of_images_is_found_from_anywhere_and_is_no_part_of_the_identity() {
        let with_dir = DROPOUT.replace("[data]", "[data]\ndir = \"images/a\"");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let configs = folder.path().join("configs");
        std::fs::create_dir(&configs).expect("makes");
        std::fs::write(configs.join("study.toml"), STUDY).expect("writes");
        std::fs::write(configs.join("1.toml"), with_dir).expect("writes");
        let study = Study::read(&configs).expect("reads");
        let dir = |selection: &Selection| {
            let runs = study.expand(selection).expect("expands");
            let images = runs[0].images().expect("images");
            (images.dir.clone().expect("a folder"), runs[0].hash())
        };
        let (own, hash) = dir(&plain());
        assert_eq!(own, folder.path().join("images/a"));
        let typed = Selection {
            set: vec!["data.dir=in/plain".parse().expect("a setting")],
            ..plain()
        };
        let here = std::env::current_dir().expect("a folder");
        assert_eq!(dir(&typed), (here.join("in/plain"), hash));
    }

    #[test]
    fn malformed_files_are_named() {
        for (text, words) in [
            (DROPOUT.replace("\"b\"", "\"c\""), "section"),
            (DROPOUT.replace("-{dropout}", ""), "must hold {dropout}"),
            (DROPOUT.replace("-{dropout}", "-{dropout}-{x}"), "brace"),
            (DROPOUT.replace("0.9]", "0.9]\nlabels = [\"a\"]"), "labels"),
            (DROPOUT.replace("key =", "ky ="), "ky"),
            (
                DROPOUT
                    .replace("[0.1, 0.9]", "[[8], [16]]")
                    .replace("model.dropout", "model.hidden")
                    .replace("-{dropout}", "-{hidden}"),
                "give labels, as in labels = [\"1\", \"2\"]",
            ),
            (format!("seed = 1\n{DROPOUT}"), "seed"),
            ("cell = \n".to_string(), "1.toml"),
        ] {
            let error = study(&[("study.toml", STUDY), ("1.toml", &text)])
                .expect_err("must be refused")
                .to_string();
            assert!(error.contains("1.toml"), "{error}");
            assert!(error.contains(words), "`{words}` in: {error}");
        }
        let twice = study(&[("study.toml", STUDY), ("1.toml", PCA), ("2.toml", PCA)])
            .expect_err("must be refused")
            .to_string();
        assert!(twice.contains("stands in"), "{twice}");
    }
}
