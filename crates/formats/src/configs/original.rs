//! `original.toml`: the figures that the original study reported, by cell.

use std::collections::BTreeMap;
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

use super::document::{read_table, typed};

/// `original.toml`: the figures that the original study reported.
///
/// A study that repeats no other study has no such file, and then there are no figures.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Original {
    /// The figures of each cell, by the name of the cell.
    #[serde(default)]
    cell: BTreeMap<String, OriginalFigures>,
}

/// The figures that the original study reported for one cell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OriginalFigures {
    /// The mean loss on the test images.
    pub test_loss: Option<f64>,
    /// The accuracy on the test images, in [0, 1].
    pub test_accuracy: Option<f64>,
}

impl Original {
    /// Reads `original.toml` in the folder of a study. `find_cell` looks up the cells of the
    /// study.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, has an unknown key, names a cell that the study does not
    /// have, or gives a cell no figure or one that is not possible.
    pub(crate) fn read(folder: &Path, find_cell: impl Fn(&str) -> Result<()>) -> Result<Self> {
        let path = folder.join(ORIGINAL);
        if !path.exists() {
            return Ok(Self::default());
        }
        let origin = path.display().to_string();
        let original: Self = typed(read_table(&path)?, &origin)?;
        for (name, figures) in &original.cell {
            let fail = |key: &str, problem: String| {
                Err(Error::key(&origin, format!("cell.{name}{key}"), problem))
            };
            if let Err(error) = find_cell(name) {
                return fail("", error.to_string());
            }
            if figures.test_loss.is_none() && figures.test_accuracy.is_none() {
                let remedy = "give `test_loss`, `test_accuracy`, or both, or remove the cell";
                return fail("", remedy.into());
            }
            if let Some(loss) = figures.test_loss
                && !(loss.is_finite() && loss >= 0.0)
            {
                let problem = format!("must be a finite number of at least 0, not {loss}");
                return fail(".test_loss", problem);
            }
            if let Some(accuracy) = figures.test_accuracy
                && !(0.0..=1.0).contains(&accuracy)
            {
                let problem = format!(
                    "must be from 0 to 1, not {accuracy}; write 0.9823 for an accuracy of 98.23 %"
                );
                return fail(".test_accuracy", problem);
            }
        }
        Ok(original)
    }

    /// Whether there is no figure at all.
    pub fn is_empty(&self) -> bool {
        self.cell.is_empty()
    }

    /// The figure of a cell by its name in claims: `test_loss` or `test_accuracy`. `None` if
    /// the original study did not report it.
    pub fn figure(&self, cell: &str, of: &str) -> Option<f64> {
        let figures = self.cell.get(cell)?;
        match of {
            "test_loss" => figures.test_loss,
            "test_accuracy" => figures.test_accuracy,
            _ => None,
        }
    }
}

/// The name of the file that holds the figures of the original study, in the folder of a study.
pub(crate) const ORIGINAL: &str = "original.toml";

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Original> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join(ORIGINAL), text).expect("writes");
        Original::read(folder.path(), |name| match name {
            "mlp" | "ae-0.1" => Ok(()),
            _ => Err(Error::Argument {
                argument: name.into(),
                problem: "no cell has that name".into(),
            }),
        })
    }

    #[test]
    fn figures_are_found_by_cell_and_name() {
        let text = "[cell.mlp]\ntest_loss = 0.0661\ntest_accuracy = 0.9823\n\
                    [cell.\"ae-0.1\"]\ntest_loss = 0.034\n";
        let original = read(text).expect("valid");
        assert!(!original.is_empty());
        for (cell, of, figure) in [
            ("mlp", "test_loss", Some(0.0661)),
            ("mlp", "test_accuracy", Some(0.9823)),
            ("ae-0.1", "test_loss", Some(0.034)),
            ("ae-0.1", "test_accuracy", None),
            ("mlp", "loss_gap", None),
            ("linear", "test_loss", None),
        ] {
            assert_eq!(original.figure(cell, of), figure, "{cell} {of}");
        }
    }

    #[test]
    fn a_study_needs_no_original() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let original = Original::read(folder.path(), |_| Ok(())).expect("no file");
        assert!(original.is_empty());
        assert!(read("").expect("an empty file").is_empty());
    }

    #[test]
    fn an_error_names_the_file_the_key_and_the_remedy() {
        for (text, key, remedy) in [
            ("[cell.mpl]\ntest_loss = 1.0", "`cell.mpl`", "no cell"),
            ("[cell.mlp]\ntest_los = 1.0", "`cell.mlp", "test_loss"),
            ("[cells.mlp]\ntest_loss = 1.0", "cells", "cell"),
            ("[cell.mlp]", "`cell.mlp`", "give `test_loss`"),
            (
                "[cell.mlp]\ntest_loss = nan",
                "`cell.mlp.test_loss`",
                "finite",
            ),
            (
                "[cell.mlp]\ntest_loss = -1.0",
                "`cell.mlp.test_loss`",
                "at least 0",
            ),
            (
                "[cell.mlp]\ntest_accuracy = 98.23",
                "`cell.mlp.test_accuracy`",
                "write 0.9823 for",
            ),
            (
                "[cell.mlp]\ntest_loss = \"0.1\"",
                "`cell.mlp.test_loss`",
                "",
            ),
            ("[cell.mlp", "original.toml", ""),
        ] {
            let error = read(text).expect_err("must be refused").to_string();
            for words in ["original.toml", key, remedy] {
                assert!(error.contains(words), "`{words}` in: {error}");
            }
        }
    }
}
