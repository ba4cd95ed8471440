//! PCA on a device: from images to codes and back.

use burn::tensor::{Device, Tensor, TensorData};
use kindling_formats::{ImageShape, RunDir, read_numbers};
use kindling_harness::RunError;

/// The file of the mean image and the components.
pub(super) const COMPONENTS: &str = "components.csv";

/// Projects images onto the principal components, and back.
pub struct Projection {
    /// The mean image, `[1, channels * height * width]`.
    mean: Tensor<2>,
    /// The components, one per column, `[channels * height * width, count]`.
    components: Tensor<2>,
}

impl Projection {
    /// Creates the projection from one row per pixel: its mean, then its entry in each
    /// component.
    pub(super) fn new(rows: &[Vec<f64>], device: &Device) -> Self {
        let count = rows.first().map_or(0, |row| row.len() - 1);
        let to_f32 = |&value: &f64| value as f32;
        let mean: Vec<f32> = rows.iter().map(|row| to_f32(&row[0])).collect();
        let components: Vec<f32> = rows.iter().flat_map(|row| &row[1..]).map(to_f32).collect();
        let tensor = |values, shape| Tensor::from_data(TensorData::new(values, shape), device);
        Self {
            mean: tensor(mean, [1, rows.len()]),
            components: tensor(components, [rows.len(), count]),
        }
    }

    /// Reads the `components.csv` of a run whose images have the shape `image`.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, does not have a row for each number of an image, or has
    /// fewer than two columns.
    pub fn read(dir: &RunDir, image: ImageShape, device: &Device) -> Result<Self, RunError> {
        let path = dir.file(COMPONENTS);
        let (columns, rows) = read_numbers(&path)?;
        if rows.len() != image.numbers() || columns.len() < 2 {
            return Err(RunError::BadModel(format!(
                "{}: must have {} rows, and columns for the mean and at least one component; \
                 train the run again",
                path.display(),
                image.numbers()
            )));
        }
        Ok(Self::new(&rows, device))
    }

    /// Encodes images.
    ///
    /// # Shapes
    ///
    /// - images: `[batch, channels, height, width]`, pixels in [0, 1]
    /// - output: `[batch, count]`
    pub fn encode(&self, images: Tensor<4>) -> Tensor<2> {
        let images: Tensor<2> = images.flatten(1, 3);
        (images - self.mean.clone()).matmul(self.components.clone())
    }

    /// Decodes codes.
    ///
    /// # Shapes
    ///
    /// - codes: `[batch, count]`
    /// - output: `[batch, channels * height * width]`, the pixels of each image
    pub fn decode(&self, codes: Tensor<2>) -> Tensor<2> {
        codes.matmul(self.components.clone().transpose()) + self.mean.clone()
    }
}
