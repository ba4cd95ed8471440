//! `weights.safetensors`: trained weights for whoever has no Burn.

use std::path::Path;

use burn::module::Module;
use kindling_spec::write_atomic;
use safetensors::{Dtype, tensor::TensorView};

use crate::RunError;
use crate::parameters::weights;

/// Writes all floating-point parameters of `model`, by their path in it.
///
/// # Errors
///
/// If the file cannot be written.
pub(crate) fn write_weights<M: Module>(model: &M, path: &Path) -> Result<(), RunError> {
    let failed = |error| RunError::Other(format!("cannot write {}: {error}", path.display()));
    let weights = weights(model)?;
    let bytes: Vec<Vec<u8>> = weights
        .iter()
        .map(|weight| {
            let values = weight.values.iter();
            values
                .flat_map(|&value| (value as f32).to_le_bytes())
                .collect()
        })
        .collect();
    let views: Vec<(&str, TensorView)> = weights
        .iter()
        .zip(&bytes)
        .map(|(weight, bytes)| {
            let view = TensorView::new(Dtype::F32, weight.shape.clone(), bytes);
            view.map(|view| (weight.name.as_str(), view))
        })
        .collect::<Result<_, _>>()
        .map_err(failed)?;
    let bytes = safetensors::serialize(views, None).map_err(failed)?;
    Ok(write_atomic(path, &bytes)?)
}
