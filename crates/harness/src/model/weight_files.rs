//! The two files that hold a run's trained weights: `model.bpk`, which Burn reads, and
//! `weights.safetensors`, which many other programs read.

use std::collections::HashMap;
use std::path::Path;

use burn::module::Module;
use kindling_formats::write_atomic;
use safetensors::{Dtype, SafeTensorError, tensor::TensorView};

use super::parameters::{weights, with_sequential_ids};
use crate::RunError;

/// Writes the weights of `model` to the file `path`, a `model.bpk`.
///
/// # Errors
///
/// If the file cannot be written.
pub(crate) fn save_burn_weights<M: Module>(model: M, path: &Path) -> Result<(), RunError> {
    with_sequential_ids(model)
        .save_file(path)
        .map_err(|error| RunError::Other(format!("cannot write {}: {error}", path.display())))
}

/// Returns `model` with the weights in the file `path`, a `model.bpk`.
///
/// # Errors
///
/// If the file cannot be read, or holds the weights of another network.
pub fn load_weights<M: Module>(model: M, path: &Path) -> Result<M, RunError> {
    model
        .try_load_file(path)
        .map_err(|error| RunError::BadModel(format!("{}: {error}; train it again", path.display())))
}

/// Writes all floating-point parameters of `model` to the file `path`, a
/// `weights.safetensors`. The name of a tensor is its path in the model, as
/// `hidden.0.weight`.
///
/// # Errors
///
/// If the file cannot be written.
pub(crate) fn save_safetensors<M: Module>(model: &M, path: &Path) -> Result<(), RunError> {
    let weights = weights(model)?;
    let weights = weights.iter().map(|weight| {
        let values = weight.values.iter().map(|&value| value as f32);
        (weight.name.as_str(), weight.shape.as_slice(), values)
    });
    let bytes = to_safetensors(weights, None)
        .map_err(|error| RunError::Other(format!("cannot write {}: {error}", path.display())))?;
    Ok(write_atomic(path, &bytes)?)
}

/// The bytes of a safetensors file with these tensors and `metadata`. A tensor is given as
/// (name, shape, values row by row).
///
/// # Errors
///
/// If a tensor has more or fewer values than its shape says.
pub fn to_safetensors<'a, V: IntoIterator<Item = f32>>(
    weights: impl Iterator<Item = (&'a str, &'a [usize], V)>,
    metadata: Option<HashMap<String, String>>,
) -> Result<Vec<u8>, SafeTensorError> {
    let weights: Vec<(&str, &[usize], Vec<u8>)> = weights
        .map(|(name, shape, values)| {
            let bytes = values.into_iter().flat_map(f32::to_le_bytes);
            (name, shape, bytes.collect())
        })
        .collect();
    let views: Vec<(&str, TensorView)> = weights
        .iter()
        .map(|(name, shape, bytes)| {
            let view = TensorView::new(Dtype::F32, shape.to_vec(), bytes);
            view.map(|view| (*name, view))
        })
        .collect::<Result<_, _>>()?;
    safetensors::serialize(views, metadata)
}
