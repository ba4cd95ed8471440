//! From a tensor to plain numbers.

use burn::tensor::Tensor;

use crate::RunError;

/// The numbers of a tensor, in the order of its shape.
///
/// # Errors
///
/// If the device cannot hand them over.
pub fn numbers<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f64>, RunError> {
    let data = tensor.try_into_data_as::<f32>();
    let data = data.map_err(|error| RunError::Other(format!("no numbers: {error}")))?;
    let values = data.try_to_vec::<f32>();
    let values = values.map_err(|error| RunError::Other(format!("no numbers: {error}")))?;
    Ok(values.into_iter().map(f64::from).collect())
}
