//! Reads the values of a tensor.

use burn::tensor::Tensor;

use crate::RunError;

/// The values of a tensor, row by row, as f64.
///
/// # Errors
///
/// If the device does not return the values.
pub fn to_f64s<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f64>, RunError> {
    let unreadable = |error: &dyn std::fmt::Display| {
        RunError::Other(format!("cannot read a tensor from its device: {error}"))
    };
    let data = tensor
        .try_into_data_as::<f32>()
        .map_err(|error| unreadable(&error))?;
    let values = data
        .try_to_vec::<f32>()
        .map_err(|error| unreadable(&error))?;
    Ok(values.into_iter().map(f64::from).collect())
}
