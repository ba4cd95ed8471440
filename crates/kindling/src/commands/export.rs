//! `kindling export`: trained weights in a format that other programs can read.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use kindling_formats::{ChannelScale, DataInfo, Error, Task, read_numbers, write_atomic};
use kindling_harness::{RunError, to_safetensors};
use safetensors::tensor::{SafeTensors, TensorView};
use serde::Serialize;

use crate::cli::{TrainedRunFlags, WeightFormat};
use crate::network::{TrainedRun, file_error};
use crate::output::{is_standard_stream, print, print_bytes};

/// A parameter of a network, as JSON shows it.
#[derive(Serialize)]
struct Parameter {
    shape: Vec<usize>,
    /// All values in row-major order.
    values: Vec<f32>,
}

/// Writes the weights and the config of a trained run to the file `to`, or to standard
/// output if `to` is `-`.
///
/// # Errors
///
/// If there is no such run, it has no weights, or the file cannot be written.
pub fn export(
    flags: &TrainedRunFlags,
    format: WeightFormat,
    to: Option<PathBuf>,
) -> Result<(), RunError> {
    let trained = TrainedRun::open(flags)?;
    let weights = match &trained.config.task {
        Task::Pca(_) => components(&trained)?,
        _ => weights(&trained)?,
    };
    let (extension, bytes) = match format {
        WeightFormat::Safetensors => ("safetensors", safetensors(&trained, &weights)?),
        WeightFormat::Json => ("json", json(&trained, &weights)?),
    };
    let default_name = || {
        let (cell, seed) = (&trained.config.cell, trained.config.seed);
        PathBuf::from(format!("{cell}-seed-{seed}.{extension}"))
    };
    let path = to.unwrap_or_else(default_name);
    if is_standard_stream(&path) {
        return print_bytes(&bytes);
    }
    write_atomic(&path, &bytes)?;
    print(&path.display().to_string())
}

/// The parameters in `weights.safetensors`, by name.
fn weights(trained: &TrainedRun) -> Result<BTreeMap<String, Parameter>, RunError> {
    let path = trained.dir.weights();
    if !path.exists() {
        return Err(RunError::BadModel(format!(
            "{} has no weights to export; name a run that trains a network",
            trained.config.cell
        )));
    }
    let bytes = std::fs::read(&path).map_err(Error::io("read", &path))?;
    let tensors = SafeTensors::deserialize(&bytes).map_err(|error| file_error(&path, error))?;
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

/// The mean image `[numbers]` and the components `[numbers, n]` of a PCA, from `components.csv`.
fn components(trained: &TrainedRun) -> Result<BTreeMap<String, Parameter>, RunError> {
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
    trained: &TrainedRun,
    weights: &BTreeMap<String, Parameter>,
) -> Result<Vec<u8>, RunError> {
    let mut about = HashMap::from([
        ("cell".to_string(), trained.config.cell.clone()),
        ("config".to_string(), trained.config.to_toml()),
    ]);
    // A run that learns from no images has no such entry.
    if let Ok(data) = trained.data() {
        let data = serde_json::to_string(data).map_err(export_error)?;
        about.insert("data".to_string(), data);
    }
    if let Some(scale) = trained.scale() {
        let scale = serde_json::to_string(scale).map_err(export_error)?;
        about.insert("scale".to_string(), scale);
    }
    let weights = weights.iter().map(|(name, parameter)| {
        let values = parameter.values.iter().copied();
        (name.as_str(), parameter.shape.as_slice(), values)
    });
    to_safetensors(weights, Some(about)).map_err(export_error)
}

fn json(trained: &TrainedRun, weights: &BTreeMap<String, Parameter>) -> Result<Vec<u8>, RunError> {
    #[derive(Serialize)]
    struct Exported<'a> {
        cell: &'a str,
        config: toml::Table,
        #[serde(skip_serializing_if = "Option::is_none")]
        data: Option<&'a DataInfo>,
        #[serde(skip_serializing_if = "Option::is_none")]
        scale: Option<&'a [ChannelScale]>,
        weights: &'a BTreeMap<String, Parameter>,
    }
    let exported = Exported {
        cell: &trained.config.cell,
        config: trained.config.to_table(),
        data: trained.data().ok(),
        scale: trained.scale(),
        weights,
    };
    serde_json::to_vec(&exported).map_err(export_error)
}

fn export_error(error: impl std::fmt::Display) -> RunError {
    RunError::Other(format!("cannot export: {error}"))
}
