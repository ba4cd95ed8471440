//! Reads the file of a cell, and makes one cell for each point of its sweeps.

use std::path::Path;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Value;

use crate::error::{Error, Result};

use super::cell::Cell;
use super::check::name_is_a_folder;
use super::document::{read_table, typed};
use super::keys::set;

/// The maximum number of seeds of a cell, and of cells of a file. A larger number is probably
/// a typing error, and could fill the memory.
pub(crate) const MAX_COUNT: usize = 1000;

/// Checks a number of seeds.
pub(crate) fn check_seeds(seeds: u64) -> std::result::Result<(), String> {
    if (1..=MAX_COUNT as u64).contains(&seeds) {
        return Ok(());
    }
    Err(format!("must be from 1 to {MAX_COUNT}, not {seeds}"))
}

/// `[[sweep]]` of a cell's file: a key with several values, each of which makes a cell.
/// Several sweeps make a grid.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sweep {
    /// The dotted path of the key.
    key: String,
    /// The values of the key.
    #[schemars(with = "Vec<serde_json::Value>")]
    values: Vec<Value>,
    /// The text for each value in the names of the cells. Without this key, the values
    /// themselves are the texts.
    labels: Option<Vec<String>>,
}

/// Reads the file of a cell. It makes one cell, or one for each point of its sweeps.
///
/// # Errors
///
/// If the file cannot be read, or the cell's name, seeds or sweeps are malformed. The other
/// keys are checked when the cell becomes a run.
pub(crate) fn expand_sweeps(file: &Path) -> Result<Vec<Cell>> {
    let origin = file.display().to_string();
    let mut table = read_table(file)?;
    for key in ["seed", "backend", "precision", "size"] {
        if table.contains_key(key) {
            return Err(Error::key(
                &origin,
                key,
                "is set by the command line; remove it from the file",
            ));
        }
    }
    let Some(Value::String(name)) = table.remove("cell") else {
        return Err(Error::key(
            &origin,
            "cell",
            "must be the cell's name, a string",
        ));
    };
    let seeds = match table.remove("seeds") {
        None => None,
        Some(value) => {
            let seeds = value.as_integer().and_then(|seeds| seeds.try_into().ok());
            let checked = match seeds {
                Some(seeds) => check_seeds(seeds).map(|()| seeds),
                None => Err(format!("must be a whole number, not {value}")),
            };
            Some(checked.map_err(|problem| Error::key(&origin, "seeds", problem))?)
        }
    };
    let sweeps = match table.remove("sweep") {
        None => Vec::new(),
        Some(Value::Array(sweeps)) => sweeps,
        Some(_) => {
            return Err(Error::key(&origin, "sweep", "must be written as [[sweep]]"));
        }
    };
    let mut cells = vec![Cell {
        name,
        file: file.to_path_buf(),
        seeds,
        table,
    }];
    for sweep in sweeps {
        let Value::Table(sweep) = sweep else {
            return Err(Error::key(&origin, "sweep", "must be written as [[sweep]]"));
        };
        let sweep: Sweep = typed(sweep, &format!("{origin}: sweep"))?;
        cells = expand_axis(&cells, &sweep, &origin)?;
    }
    for Cell { name, .. } in &cells {
        let problem = if name.contains(['{', '}']) {
            Err(format!(
                "`{name}` has braces, but no [[sweep]] gives a value for them"
            ))
        } else {
            name_is_a_folder(name)
        };
        problem.map_err(|problem| Error::key(&origin, "cell", problem))?;
    }
    Ok(cells)
}

/// Replaces each cell by several cells, one for each value of a sweep.
fn expand_axis(cells: &[Cell], sweep: &Sweep, origin: &str) -> Result<Vec<Cell>> {
    let leaf = sweep.key.rsplit('.').next().unwrap_or(&sweep.key);
    let place = format!("{{{leaf}}}");
    let labels = match &sweep.labels {
        Some(labels) => labels.clone(),
        None => sweep.values.iter().map(label).collect(),
    };
    if sweep.labels.is_none()
        && let Some(label) = labels.iter().find(|label| name_is_a_folder(label).is_err())
    {
        let numbers: Vec<String> = (1..=labels.len()).map(|n| format!("\"{n}\"")).collect();
        return Err(Error::key(
            origin,
            "sweep",
            format!(
                "the value {label} of `{}` cannot stand in a cell's name; give labels, as in \
                 labels = [{}]",
                sweep.key,
                numbers.join(", ")
            ),
        ));
    }
    if labels.len() != sweep.values.len() || labels.is_empty() {
        return Err(Error::key(
            origin,
            "sweep",
            format!(
                "`{}` has {} values and {} labels; give one label to each",
                sweep.key,
                sweep.values.len(),
                labels.len()
            ),
        ));
    }
    if cells.len() * labels.len() > MAX_COUNT {
        return Err(Error::key(
            origin,
            "sweep",
            format!(
                "makes {} cells; one file can make at most {MAX_COUNT}",
                cells.len() * labels.len()
            ),
        ));
    }
    let mut expanded = Vec::new();
    for cell in cells {
        if !cell.name.contains(&place) {
            return Err(Error::key(
                origin,
                "cell",
                format!(
                    "must contain {place}, which the sweep over `{}` replaces by its values",
                    sweep.key
                ),
            ));
        }
        for (value, label) in sweep.values.iter().zip(&labels) {
            let mut point = cell.clone();
            point.name = cell.name.replace(&place, label);
            set(&mut point.table, &sweep.key, value.clone())
                .map_err(|problem| Error::key(origin, &sweep.key, problem))?;
            expanded.push(point);
        }
    }
    Ok(expanded)
}

/// The text of a value in a cell's name.
fn label(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
