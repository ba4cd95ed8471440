//! `weights.safetensors`: trained weights for whoever has no Burn.

use std::collections::HashMap;
use std::path::Path;

use burn::module::Module;
use kindling_formats::write_atomic;
use safetensors::{Dtype, SafeTensorError, tensor::TensorView};

use crate::RunError;
use crate::parameters::weights;

/// Writes all floating-point parameters of `model`, by their path in it.
///
/// # Errors
///
/// If the file cannot be written.
pub(crate) fn write_weights<M: Module>(model: &M, path: &Path) -> Result<(), RunError> {
    let weights = weights(model)?;
    let weights = weights.iter().map(|weight| {
        let values = weight.values.iter().map(|&value| value as f32);
        (weight.name.as_str(), weight.shape.as_slice(), values)
    });
    let bytes = to_safetensors(weights, None)
        .map_err(|error| RunError::Other(format!("cannot write {}: {error}", path.display())))?;
    Ok(write_atomic(path, &bytes)?)
}

/// Names, shapes and values as the bytes of a safetensors file, with what is said
/// `about` them.
///
/// # Errors
///
/// If a shape and its values do not fit.
pub fn to_safetensors<'a, V: IntoIterator<Item = f32>>(
    weights: impl Iterator<Item = (&'a str, &'a [usize], V)>,
    about: Option<HashMap<String, String>>,
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
    safetensors::serialize(views, about)
}
