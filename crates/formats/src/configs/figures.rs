//! `[figures]` of `study.toml`: which cells the report shows together.
//!
//! The report shows every cell; these keys only say which cells share a figure, and which
//! networks the page's explorer holds. A study may leave them out.

use schemars::JsonSchema;
use serde::Deserialize;

use super::cell::Cell;
use crate::error::{Error, Result};

/// Which cells the report shows together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StudyFigures {
    /// Figures of curves, in the report's order. Cells that no entry names share figures
    /// with the other such cells of their family and section.
    pub curves: Vec<CurvesFigure>,
    /// Sweeps over one value, each with figures that compare its cells.
    pub sweep: Vec<SweepFigures>,
    /// The networks of the page's explorer; without it the page has no explorer.
    pub explorer: ExplorerCells,
}

/// Cells of one family and section whose curves by epoch share the axes of a figure.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CurvesFigure {
    /// The figure's name, in its title and in the name of its file.
    pub name: String,
    /// Names of the cells. More than six are split over several figures.
    pub cells: Vec<String>,
}

/// Cells of one family and section that differ in one value. A figure compares their test
/// accuracies, one the distances between their train and test losses, and one shows the
/// last epochs of their curves.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SweepFigures {
    /// The sweep's name, in the names of the figures' files.
    pub name: String,
    /// What the cells differ in, in the figures' titles: as `dropout rate`.
    pub by: String,
    /// A cell outside the sweep that its cells are compared with.
    pub reference: Option<String>,
    /// Names of the cells.
    pub cells: Vec<String>,
}

/// The cells whose trained networks the page's explorer holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ExplorerCells {
    /// Classifiers that are asked about a drawn digit.
    pub classifiers: Vec<String>,
    /// Autoencoders and PCAs with a code of two numbers, whose planes are shown.
    pub planes: Vec<String>,
}

/// What the checks need of a cell.
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
    /// The cells that the sweep's figures show: the reference first.
    pub fn shown(&self) -> impl Iterator<Item = &str> {
        let cells = self.reference.iter().chain(&self.cells);
        cells.map(String::as_str)
    }
}

impl StudyFigures {
    /// Checks every name of a cell. `kind_of` finds a cell of the study, and `origin` is
    /// the file to name in errors.
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
                let problem = "every figure needs a name of its own; give it another name";
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
                "cells of a figure must have one family and section, but `{first}` is a {} of \
                 section {} and `{cell}` a {} of section {}; give them figures of their own",
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
    fn a_study_may_leave_all_of_it_out() {
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
    fn what_cannot_be_drawn_is_named_with_a_remedy() {
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
                "give them figures of their own",
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
