//! The weights that a run left, in its network again.

use std::path::Path;

use burn::module::Module;

use crate::RunError;

/// `model` with the weights of `file`, a `model.bpk`.
///
/// # Errors
///
/// If the file cannot be read, or is of another network.
pub fn load<M: Module>(model: M, file: &Path) -> Result<M, RunError> {
    model
        .try_load_file(file)
        .map_err(|error| RunError::BadModel(format!("{}: {error}; train it again", file.display())))
}
