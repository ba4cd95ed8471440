//! The study, as its folder `configs/` describes it.
//!
//! `study.toml` holds the values that all cells share, `claims.toml` holds the claims, and
//! `original.toml` holds the figures of the study that this one repeats. Each of the other TOML
//! files in the folder and below it holds one cell, or a sweep that makes several cells. The cells are ordered by section, then by file name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::digest::hex;
use crate::error::{Error, Result};
use crate::write::if_there;

use super::cell::Cell;
use super::check::LONGEST_NAME;
use super::choices::CHOICES;
use super::claims::{CLAIMS, Claim, read_claims};
use super::document::{read_table, typed};
use super::figures::{CellKind, StudyFigures};
use super::original::{ORIGINAL, Original};
use super::quick::Quick;
use super::sweep::{check_seeds, expand_sweeps};
use super::tuning::{TUNING, Tuning};

/// `study.toml`: the values that all cells share.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StudyFile {
    /// The title of the report.
    title: String,
    /// What was studied, in one or two sentences, for the top of the report page.
    #[serde(default)]
    about: String,
    /// The number of seeds, n, of each cell whose file gives no number. The seeds are 0 to n-1.
    seeds: u64,
    /// The sections, in the report's order.
    section: Vec<Section>,
    /// What `--quick` changes.
    quick: Quick,
    /// Which cells the report shows together.
    #[serde(default)]
    figures: StudyFigures,
}

/// A section of the report.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Section {
    /// The id of the section, as `"2.5"`.
    pub id: String,
    /// The title of the section.
    pub title: String,
    /// The story of the section, for the report page. An empty line ends a paragraph. The id
    /// of a claim in braces, as `{mlp-beats-linear}`, becomes the claim's sentence with its
    /// verdict.
    #[serde(default)]
    pub text: String,
    /// The figures that the report page shows below the text, by the names of their files
    /// without the section, as `accuracy`. The page folds all others. Without this key, it
    /// shows the first two.
    pub figures: Option<Vec<String>>,
}

/// A study: its sections, cells and claims, and the values that all cells share.
#[derive(Debug)]
pub struct Study {
    /// The title of the report.
    pub title: String,
    /// What was studied, in one or two sentences; may be empty.
    pub about: String,
    /// The sections, in the report's order.
    pub sections: Vec<Section>,
    /// Which cells the report shows together.
    pub figures: StudyFigures,
    cells: Vec<Cell>,
    /// The place of each cell in `cells`, by its name.
    places: BTreeMap<String, usize>,
    claims: Vec<Claim>,
    original: Original,
    /// The SHA-256 of `claims.toml`; empty without the file.
    claims_digest: String,
    seeds: u64,
    pub(super) quick: Quick,
    /// The file that holds `[quick]`, for errors.
    pub(super) quick_origin: String,
    /// What tuning searches; `None` without `tuning.toml`.
    pub(super) tuning: Option<Tuning>,
    /// The folder of the study's files.
    folder: PathBuf,
    /// The folder that holds `configs/`. Relative paths in the study's files are relative to
    /// this folder.
    pub(super) base: PathBuf,
}

impl Study {
    /// Reads a study from its folder `configs/`.
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
        let others = [CLAIMS, ORIGINAL, TUNING, CHOICES].map(|name| folder.join(name));
        for file in files
            .iter()
            .filter(|&file| *file != path && !others.contains(file))
        {
            cells.extend(expand_sweeps(file)?);
        }
        let rank = |cell: &Cell| {
            let mut sections = study.section.iter();
            sections.position(|section| section.id == cell.section())
        };
        let mut named: BTreeMap<&str, &Cell> = BTreeMap::new();
        for cell in &cells {
            let origin = cell.file.display().to_string();
            if rank(cell).is_none() {
                return Err(Error::key(
                    &origin,
                    "section",
                    "must be the id of a [[section]] in study.toml",
                ));
            }
            if let Some(twin) = named.insert(&cell.name, cell) {
                return Err(Error::key(
                    &origin,
                    "cell",
                    format!(
                        "`{}` is also the name of a cell in {}; every cell needs a unique name",
                        cell.name,
                        twin.file.display()
                    ),
                ));
            }
        }
        cells.sort_by_key(|cell| (rank(cell), cell.file.clone()));
        let names = cells.iter().map(|cell| cell.name.clone());
        let mut study = Self {
            places: names.zip(0..).collect(),
            title: study.title,
            about: study.about,
            sections: study.section,
            figures: study.figures,
            cells,
            claims: Vec::new(),
            original: Original::default(),
            claims_digest: match if_there("read", &claims, std::fs::read(&claims))? {
                Some(bytes) => hex(&Sha256::digest(bytes)),
                None => String::new(),
            },
            seeds: study.seeds,
            quick: study.quick,
            quick_origin: origin,
            tuning: Tuning::read(folder)?,
            folder: folder.to_path_buf(),
            base: base.parent().unwrap_or(&base).to_path_buf(),
        };
        let kind_of = |name: &str| study.cell(name).map(CellKind::of);
        study.figures.check(&study.quick_origin, kind_of)?;
        study.claims = read_claims(
            folder,
            |id| study.sections.iter().any(|section| section.id == id),
            |name| study.cell(name).map(drop),
        )?;
        study.original = Original::read(folder, |name| study.cell(name).map(drop))?;
        Ok(study)
    }

    /// The SHA-256, hexadecimal, of `claims.toml`; empty if the study has no such file.
    pub fn claims_digest(&self) -> &str {
        &self.claims_digest
    }

    /// The claims of the study, in the order of their file.
    pub fn claims(&self) -> &[Claim] {
        &self.claims
    }

    /// The figures that the original study reported; empty if there is no `original.toml`.
    pub fn original(&self) -> &Original {
        &self.original
    }

    /// What tuning searches; `None` without `tuning.toml`.
    pub fn tuning(&self) -> Option<&Tuning> {
        self.tuning.as_ref()
    }

    /// The folder of the study's files.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The number of seeds of each cell whose file gives no number.
    pub fn seeds(&self) -> u64 {
        self.seeds
    }

    /// All cells, in the study's order.
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// The cell with exactly this name.
    ///
    /// # Errors
    ///
    /// If there is no such cell. The error names the cell with the most similar name.
    pub fn cell(&self, name: &str) -> Result<&Cell> {
        let place = self.places.get(name);
        place
            .and_then(|&place| self.cells.get(place))
            .ok_or_else(|| self.no_cell(name, name))
    }

    /// The error that no cell is called `word`. `argument` is where the user gave the word.
    pub(super) fn no_cell(&self, argument: &str, word: &str) -> Error {
        let names: Vec<&str> = self.cells.iter().map(|cell| cell.name.as_str()).collect();
        // The comparison takes memory in proportion to the product of both lengths. A longer
        // word cannot be similar to the name of a cell.
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
                "no cell has that name; {likely}the cells are: {}",
                names.join(", ")
            ),
        }
    }
}

/// Adds the TOML files in `folder` and below to `files`, ordered by name.
fn toml_files(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries = std::fs::read_dir(folder).map_err(Error::io("read", folder))?;
    let mut paths = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<std::io::Result<Vec<_>>>()
        .map_err(Error::io("read", folder))?;
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default();
        // Editors, file managers and notebooks keep hidden files here.
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
    use crate::samples::{DROPOUT, PCA, STUDY, study};

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
    fn hidden_files_are_not_read() {
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
    fn the_error_names_a_malformed_file() {
        for (text, words) in [
            (DROPOUT.replace("\"b\"", "\"c\""), "section"),
            (DROPOUT.replace("-{dropout}", ""), "must contain {dropout}"),
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
        assert!(twice.contains("is also the name of a cell in"), "{twice}");
    }
}
