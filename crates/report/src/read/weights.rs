//! The trained weights in the folder of a run.

use kindling_formats::{Error, Result};
use safetensors::SafeTensors;

use crate::read::recorded::RecordedRun;

/// `weights.safetensors` of a run.
pub(crate) struct Weights<'a> {
    run: &'a RecordedRun,
    bytes: Vec<u8>,
}

impl<'a> Weights<'a> {
    /// Reads the file of `run`.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub(crate) fn read(run: &'a RecordedRun) -> Result<Self> {
        let path = run.dir.weights();
        let bytes = std::fs::read(&path).map_err(Error::io("read", &path))?;
        Ok(Self { run, bytes })
    }

    /// An error that names the file of the weights.
    pub(crate) fn problem(&self, problem: impl ToString) -> Error {
        Error::File {
            file: self.run.dir.weights(),
            problem: problem.to_string(),
        }
    }

    /// The shape and the numbers of the tensor `name`.
    ///
    /// # Errors
    ///
    /// If there is no such tensor of 32-bit floats, or a number of it is NaN or infinite.
    pub(crate) fn tensor(&self, name: &str) -> Result<(Vec<usize>, Vec<f32>)> {
        let tensors = SafeTensors::deserialize(&self.bytes).map_err(|error| self.problem(error))?;
        let tensor = tensors.tensor(name).map_err(|error| self.problem(error))?;
        if tensor.dtype() != safetensors::Dtype::F32 {
            return Err(self.problem(format!(
                "{name} must hold 32-bit floats; delete the run to train it again"
            )));
        }
        let (numbers, _) = tensor.data().as_chunks();
        let values = numbers.iter().map(|&four| f32::from_le_bytes(four));
        let values: Vec<f32> = values.collect();
        // A maximum would ignore a NaN, and an image would show it as black.
        if !values.iter().all(|value| value.is_finite()) {
            return Err(self.problem(format!(
                "{name} holds a weight that is NaN or infinite; delete the run to train it again"
            )));
        }
        Ok((tensor.shape().to_vec(), values))
    }

    /// The shape and the weights of a classifier's first layer.
    ///
    /// # Errors
    ///
    /// If there is no such layer, or a weight is NaN or infinite.
    pub(crate) fn first(&self) -> Result<(Vec<usize>, Vec<f32>)> {
        self.tensor("convolutions.0.weight")
            .or_else(|_| self.tensor("hidden.0.weight"))
            .or_else(|_| self.tensor("output.weight"))
    }
}
