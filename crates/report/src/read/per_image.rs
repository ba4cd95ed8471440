//! The results of a run on each test image, from `test.safetensors` in its folder.

use kindling_formats::{Error, Result, if_there};
use safetensors::{Dtype, SafeTensors};

use crate::read::recorded::RecordedRun;

/// The name of the file, in the folder of a run.
const FILE: &str = "test.safetensors";

/// The results of a run on each test image, in the order of the test images.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PerImage {
    /// The label of each image; empty if the run was not told the labels.
    pub(crate) labels: Vec<u8>,
    /// The number of each image whose mean is the figure that was asked for.
    pub(crate) values: Vec<f64>,
}

impl PerImage {
    /// Reads the numbers whose mean over the test images is the figure `of`: `test_loss` or
    /// `test_accuracy`. `None` if the run left no such file, or the figure is no mean over
    /// images.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, lacks a tensor, or holds a number that is NaN or infinite.
    pub(crate) fn read(run: &RecordedRun, of: &str) -> Result<Option<Self>> {
        let path = run.dir.file(FILE);
        let Some(bytes) = if_there("read", &path, std::fs::read(&path))? else {
            return Ok(None);
        };
        let fail = |problem: String| Error::File {
            file: path.clone(),
            problem: format!("{problem}; delete the run to train it again"),
        };
        let tensors = SafeTensors::deserialize(&bytes).map_err(|error| fail(error.to_string()))?;
        let bytes_of = |name: &str| -> Result<Option<Vec<u8>>> {
            let Ok(tensor) = tensors.tensor(name) else {
                return Ok(None);
            };
            match tensor.dtype() {
                Dtype::U8 => Ok(Some(tensor.data().to_vec())),
                _ => Err(fail(format!("{name} must hold unsigned bytes"))),
            }
        };
        let floats_of = |name: &str| -> Result<Option<Vec<f64>>> {
            let Ok(tensor) = tensors.tensor(name) else {
                return Ok(None);
            };
            if tensor.dtype() != Dtype::F32 {
                return Err(fail(format!("{name} must hold 32-bit floats")));
            }
            let (numbers, _) = tensor.data().as_chunks();
            let values = numbers
                .iter()
                .map(|&four| f64::from(f32::from_le_bytes(four)));
            Ok(Some(values.collect()))
        };
        let labels = bytes_of("label")?.unwrap_or_default();
        let values = match of {
            "test_loss" => match floats_of("loss")? {
                Some(losses) => Some(losses),
                None => floats_of("error")?,
            },
            "test_accuracy" => bytes_of("prediction")?.map(|predictions| {
                let pairs = predictions.iter().zip(&labels);
                pairs
                    .map(|(one, label)| f64::from(u8::from(one == label)))
                    .collect()
            }),
            _ => return Ok(None),
        };
        let Some(values) = values else {
            return Ok(None);
        };
        if values.is_empty() || !values.iter().all(|value: &f64| value.is_finite()) {
            return Err(fail(format!("it holds no finite numbers for {of}")));
        }
        if !labels.is_empty() && labels.len() != values.len() {
            return Err(fail("its tensors differ in length".into()));
        }
        Ok(Some(Self { labels, values }))
    }
}
