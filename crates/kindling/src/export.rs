//! `kindling export`: trained weights for other programs.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;
use std::path::PathBuf;

use kindling_formats::{Error, Task, read_numbers, write_atomic};
use kindling_harness::{RunError, to_safetensors};
use safetensors::tensor::{SafeTensors, TensorView};
use serde::Serialize;

use crate::cli::{Format, Model};
use crate::model::{Trained, problem};
use crate::output::{print, print_bytes};
use crate::picture::is_standard;

/// A parameter.
#[derive(Serialize)]
struct Parameter {
    shape: Vec<usize>,
    /// Row by row.
    values: Vec<f32>,
}

/// Writes the weights of a trained run, with its config; to standard output where `to`
/// is `-`.
///
/// # Errors
///
/// If there is no such run, it has no weights, or the file cannot be written.
pub fn export(model: &Model, format: Format, to: Option<PathBuf>) -> Result<(), RunError> {
    let trained = Trained::find(model)?;
    let weights = match &trained.config.task {
        Task::Pca(_) => components(&trained)?,
        _ => weights(&trained)?,
    };
    let (extension, bytes) = match format {
        Format::Safetensors => ("safetensors", safetensors(&trained, &weights)?),
        Format::Json => ("json", json(&trained, &weights)?),
    };
    let usual = || {
        let (cell, seed) = (&trained.config.cell, trained.config.seed);
        PathBuf::from(format!("{cell}-seed-{seed}.{extension}"))
    };
    let path = to.unwrap_or_else(usual);
    if is_standard(&path) {
        return print_bytes(&bytes);
    }
    write_atomic(&path, &bytes)?;
    print(&path.display().to_string())
}

/// What `weights.safetensors` holds.
fn weights(trained: &Trained) -> Result<BTreeMap<String, Parameter>, RunError> {
    let path = trained.dir.weights();
    if !path.exists() {
        return Err(RunError::BadModel(format!(
            "{} has no weights to export",
            trained.config.cell
        )));
    }
    let bytes = std::fs::read(&path).map_err(Error::io("read", &path))?;
    let tensors = SafeTensors::deserialize(&bytes).map_err(|error| problem(&path, error))?;
    let parameter = |(name, tensor): (&str, TensorView)| {
        let (numbers, _) = tensor.data().as_chunks();
        let parameter = Parameter {
            shape: tensor.shape().to_vec(),
            values: numbers
                .iter()
                .map(|&four| f32::from_le_bytes(four))
                .collect(),
        };
        (name.to_string(), parameter)
    };
    Ok(tensors.iter().map(parameter).collect())
}

/// What `components.csv` holds: `mean` `[784]` and `components` `[784, n]`.
fn components(trained: &Trained) -> Result<BTreeMap<String, Parameter>, RunError> {
    let (_, rows) = read_numbers(&trained.dir.file("components.csv"))?;
    let pixels = rows.len();
    let width = rows.first().map_or(0, |row| row.len() - 1);
    let mean = rows.iter().map(|row| row[0] as f32).collect();
    let components = rows.iter().flat_map(|row| &row[1..]);
    let components = components.map(|&value| value as f32).collect();
    let parameter = |shape: &[usize], values| Parameter {
        shape: shape.to_vec(),
        values,
    };
    Ok(BTreeMap::from([
        ("mean".to_string(), parameter(&[pixels], mean)),
        (
            "components".to_string(),
            parameter(&[pixels, width], components),
        ),
    ]))
}

fn safetensors(
    trained: &Trained,
    weights: &BTreeMap<String, Parameter>,
) -> Result<Vec<u8>, RunError> {
    let about = HashMap::from([
        ("cell".to_string(), trained.config.cell.clone()),
        ("config".to_string(), trained.config.to_toml()),
    ]);
    let weights = weights.iter().map(|(name, parameter)| {
        let values = parameter.values.iter().copied();
        (name.as_str(), parameter.shape.as_slice(), values)
    });
    to_safetensors(weights, Some(about)).map_err(unexported)
}

fn json(trained: &Trained, weights: &BTreeMap<String, Parameter>) -> Result<Vec<u8>, RunError> {
    #[derive(Serialize)]
    struct Exported<'a> {
        cell: &'a str,
        config: toml::Table,
        weights: &'a BTreeMap<String, Parameter>,
    }
    let exported = Exported {
        cell: &trained.config.cell,
        config: trained.config.to_table(),
        weights,
    };
    serde_json::to_vec(&exported).map_err(unexported)
}

fn unexported(error: impl Display) -> RunError {
    RunError::Other(format!("cannot export: {error}"))
}
