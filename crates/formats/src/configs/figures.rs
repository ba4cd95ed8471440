//! `[figures]` of `study.toml`: which cells the report shows together.
//!
//! The report shows every cell. These keys only say which cells share a figure, and which
//! networks the explorer of the report page holds. All of them are optional.

use schemars::JsonSchema;
use serde::Deserialize;

use super::cell::Cell;
use crate::error::{Error, Result};

/// Which cells the report shows together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StudyFigures {
    /// Figures of curves, in the report's order. The cells that no entry names are grouped by
    /// family and section, and the cells of a group share figures.
    pub curves: Vec<CurvesFigure>,
    /// Sweeps over one value, each with figures that compare its cells.
    pub sweep: Vec<SweepFigures>,
    /// The networks in the explorer of the report page. Without this table, the page has no
    /// explorer.
    pub explorer: ExplorerCells,
}

/// Cells of one family and section whose curves by epoch share the axes of a figure.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CurvesFigure {
    /// The figure's name, in its title and in the name of its file.
    pub name: String,
    /// Names of the cells. If there are more than six, they are split over several figures.
    pub cells: Vec<String>,
}

/// Cells of one family and section that differ in one value. There are three figures: one
/// compares the test accuracies of the cells, one compares the distances between their
/// training and test losses, and one shows the last epochs of their curves.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SweepFigures {
    /// The sweep's name, in the names of the figures' files.
    pub name: String,
    /// The name of the value in which the cells differ, as `dropout rate`. The titles of the
    /// figures show it.
    pub by: String,
    /// A cell outside the sweep. The cells of the sweep are compared with it.
    pub reference: Option<String>,
    /// Names of the cells.
    pub cells: Vec<String>,
}

/// The cells whose trained networks are in the explorer of the report page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ExplorerCells {
    /// Classifiers that label a digit that the reader draws.
    pub classifiers: Vec<String>,
    /// Autoencoders and PCAs whose codes have two numbers. The explorer shows the plane of the
    /// codes.
    pub planes: Vec<String>,
}

/// What the checks need to know about a cell.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct CellKind<'a> {
    /// Id of its section.
    pub(crate) section: &'a str,
    /// Name of its family.
    pub(crate) family: &'a str,
}

impl<'a> CellKind<'a> {
    pub(crate) fn of(cell: &'a Cell) -> Self {
        Self {
            section: cell.section(),
            family: cell.family().unwrap_or_default(),
        }
    }
}

impl SweepFigures {
    /// The names of the cells that the sweep's figures show: first the reference, then the
    /// cells of the sweep.
    pub fn shown(&self) -> impl Iterator<Item = &str> {
        let cells = self.reference.iter().chain(&self.cells);
        cells.map(String::as_str)
    }
}

impl StudyFigures {
    /// Checks the names of all cells and figures. `kind_of` finds a cell of the study.
    /// `origin` is the file that an error names.
    ///
    /// # Errors
    ///
    /// If a cell is not in the study, cells that share axes are of different families or
    /// sections, or the explorer names a cell of a family that it cannot run.
    pub(crate) fn check<'a>(
        &self,
        origin: &str,
        kind_of: impl Fn(&str) -> Result<CellKind<'a>>,
    ) -> Result<()> {
        let curves = self.curves.iter().map(|figure| {
            let cells = figure.cells.iter().map(String::as_str);
            ("curves", &figure.name, cells.collect::<Vec<_>>())
        });
        let sweeps = self.sweep.iter();
        let sweeps = sweeps.map(|sweep| ("sweep", &sweep.name, sweep.shown().collect()));
        let mut names = Vec::new();
        for (list, name, cells) in curves.chain(sweeps) {
            let key = |key: &str| format!("figures.{list} {name}: {key}");
            if name.is_empty() || names.contains(&(list, name)) {
                let problem = "every figure needs a unique name; give it another name";
                return Err(Error::key(origin, key("name"), problem));
            }
            names.push((list, name));
            share_axes(&cells, &kind_of)
                .map_err(|problem| Error::key(origin, key("cells"), problem))?;
        }
        for (key, cells, families) in [
            (
                "classifiers",
                &self.explorer.classifiers,
                &["classifier"][..],
            ),
            ("planes", &self.explorer.planes, &["autoencoder", "pca"]),
        ] {
            for cell in cells {
                is_of(cell, families, &kind_of).map_err(|problem| {
                    Error::key(origin, format!("figures.explorer.{key}"), problem)
                })?;
            }
        }
        Ok(())
    }
}

/// Checks that `cells` may be drawn on the same axes.
fn share_axes<'a>(
    cells: &[&str],
    kind_of: &impl Fn(&str) -> Result<CellKind<'a>>,
) -> std::result::Result<(), String> {
    let Some((first, others)) = cells.split_first() else {
        return Err("name at least one cell".into());
    };
    let known = |cell: &str| kind_of(cell).map_err(|error| error.to_string());
    let kind = known(first)?;
    for (index, cell) in others.iter().enumerate() {
        if cells[..=index].contains(cell) {
            return Err(format!("`{cell}` is named twice; remove one"));
        }
        let other = known(cell)?;
        if other != kind {
            return Err(format!(
                "the cells of a figure must have the same family and section, but `{first}` is a {} of \
                 section {} and `{cell}` a {} of section {}; put them into separate figures",
                kind.family, kind.section, other.family, other.section
            ));
        }
    }
    Ok(())
}

/// Checks that `cell` is of one of `families`.
fn is_of<'a>(
    cell: &str,
    families: &[&str],
    kind_of: &impl Fn(&str) -> Result<CellKind<'a>>,
) -> std::result::Result<(), String> {
    let kind = kind_of(cell).map_err(|error| error.to_string())?;
    if families.contains(&kind.family) {
        return Ok(());
    }
    Err(format!(
        "`{cell}` is of family {}; name cells of family {}",
        kind.family,
        families.join(" or ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The message about a `[figures]` table in a study of the cells a, b and c.
    fn message(text: &str) -> Option<String> {
        let figures: StudyFigures = toml::from_str(text).expect("valid keys");
        let kind_of = |cell: &str| match cell {
            "a" | "b" => Ok(CellKind {
                section: "1",
                family: "classifier",
            }),
            "c" => Ok(CellKind {
                section: "1",
                family: "pca",
            }),
            _ => Err(Error::Argument {
                argument: cell.into(),
                problem: "no cell has that name".into(),
            }),
        };
        let checked = figures.check("study.toml", kind_of);
        checked.err().map(|error| error.to_string())
    }

    #[test]
    fn the_figures_table_may_be_empty() {
        assert_eq!(message(""), None);
    }

    #[test]
    fn known_cells_of_one_family_share_axes() {
        let text = "curves = [{ name = \"y\", cells = [\"a\", \"b\"] }]\n\
                    sweep = [{ name = \"y\", by = \"rate\", reference = \"a\", cells = [\"b\"] }]\n\
                    explorer = { classifiers = [\"a\"], planes = [\"c\"] }";
        assert_eq!(message(text), None);
    }

    #[test]
    fn an_error_names_the_key_and_the_remedy() {
        for (text, key, remedy) in [
            (
                "curves = [{ name = \"x\", cells = [\"a\", \"d\"] }]",
                "`figures.curves x: cells`",
                "d: no cell has that name",
            ),
            (
                "curves = [{ name = \"x\", cells = [] }]",
                "`figures.curves x: cells`",
                "name at least one cell",
            ),
            (
                "curves = [{ name = \"x\", cells = [\"a\", \"b\", \"a\"] }]",
                "`figures.curves x: cells`",
                "`a` is named twice; remove one",
            ),
            (
                "curves = [{ name = \"x\", cells = [\"a\", \"c\"] }]",
                "`figures.curves x: cells`",
                "put them into separate figures",
            ),
            (
                "curves = [{ name = \"x\", cells = [\"a\"] }, { name = \"x\", cells = [\"b\"] }]",
                "`figures.curves x: name`",
                "give it another name",
            ),
            (
                "sweep = [{ name = \"y\", by = \"rate\", reference = \"d\", cells = [\"b\"] }]",
                "`figures.sweep y: cells`",
                "d: no cell has that name",
            ),
            (
                "explorer = { classifiers = [\"c\"] }",
                "`figures.explorer.classifiers`",
                "`c` is of family pca; name cells of family classifier",
            ),
            (
                "explorer = { planes = [\"d\"] }",
                "`figures.explorer.planes`",
                "d: no cell has that name",
            ),
        ] {
            let message = message(text).expect("an error");
            for words in ["study.toml: ", key, remedy] {
                assert!(message.contains(words), "`{words}` in: {message}");
            }
        }
    }
}
