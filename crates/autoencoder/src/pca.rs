//! Principal components: the best linear code there is, from the eigenvectors
//! of the covariance of the pixels.

use burn::tensor::{Device, Tensor, TensorData};
use burn_dataset::Dataset;
use kindling_datasets::{Images, PIXELS};
use kindling_formats::{PcaTask, Record, RunDir, read_numbers, write_numbers};
use kindling_harness::{Outcome, Run, RunError};
use nalgebra::{DMatrix, DVector, SymmetricEigen};

use crate::evidence::write_evidence;

/// The file of the mean image and the components.
const COMPONENTS: &str = "components.csv";
/// Images taken into a product at once, so that their numbers fit the cache.
const CHUNK: usize = 1000;

/// The mean image and the directions of largest variance around it.
#[derive(Debug, Clone)]
pub struct Pca {
    /// `[784]`
    pub mean: DVector<f64>,
    /// Unit vectors, one a column, the largest variance first: `[784, components]`.
    pub components: DMatrix<f64>,
    /// Share of the total variance along each component.
    pub explained: Vec<f64>,
}

impl Pca {
    /// Fits `count` components to pixels in [0, 1].
    pub fn fit(images: &Images, count: usize) -> Self {
        let total = images.len() as f64;
        let mut sum = DVector::<f64>::zeros(PIXELS);
        let mut products = DMatrix::<f64>::zeros(PIXELS, PIXELS);
        for chunk in chunks(images) {
            sum += chunk.column_sum();
            // products += chunk chunk^T
            products.gemm(1.0, &chunk, &chunk.transpose(), 1.0);
        }
        let mean = sum / total;
        let covariance = products / total - &mean * mean.transpose();
        let variance = covariance.trace();
        let eigen = SymmetricEigen::new(covariance);
        let mut order: Vec<usize> = (0..PIXELS).collect();
        order.sort_by(|&a, &b| eigen.eigenvalues[b].total_cmp(&eigen.eigenvalues[a]));
        order.truncate(count);
        let columns: Vec<DVector<f64>> = order
            .iter()
            .map(|&index| upright(eigen.eigenvectors.column(index).into_owned()))
            .collect();
        Self {
            components: DMatrix::from_columns(&columns),
            explained: order
                .iter()
                .map(|&index| eigen.eigenvalues[index] / variance)
                .collect(),
            mean,
        }
    }

    /// The mean squared error over pixels of images rebuilt from their codes.
    pub fn reconstruction_error(&self, images: &Images) -> f64 {
        let mut squares = 0.0;
        for mut chunk in chunks(images) {
            for mut image in chunk.column_iter_mut() {
                image -= &self.mean;
            }
            let codes = self.components.tr_mul(&chunk);
            // chunk -= components codes
            chunk.gemm(-1.0, &self.components, &codes, 1.0);
            squares += chunk.norm_squared();
        }
        squares / (images.len() * PIXELS) as f64
    }
}

/// PCA on a device: onto the components, and back.
pub struct Projection {
    /// `[1, 784]`
    mean: Tensor<2>,
    /// `[784, count]`
    components: Tensor<2>,
}

impl Projection {
    /// Of a row for each pixel: its mean, then its part in each component.
    fn new(rows: &[Vec<f64>], device: &Device) -> Self {
        let count = rows.first().map_or(0, |row| row.len() - 1);
        let number = |&value: &f64| value as f32;
        let mean: Vec<f32> = rows.iter().map(|row| number(&row[0])).collect();
        let components: Vec<f32> = rows.iter().flat_map(|row| &row[1..]).map(number).collect();
        let tensor = |values, shape| Tensor::from_data(TensorData::new(values, shape), device);
        Self {
            mean: tensor(mean, [1, rows.len()]),
            components: tensor(components, [rows.len(), count]),
        }
    }

    /// Reads the `components.csv` of a run.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub fn read(dir: &RunDir, device: &Device) -> Result<Self, RunError> {
        let path = dir.file(COMPONENTS);
        let (columns, rows) = read_numbers(&path)?;
        if rows.len() != PIXELS || columns.len() < 2 {
            return Err(RunError::BadModel(format!(
                "{}: must have 784 rows, and a component behind the mean",
                path.display()
            )));
        }
        Ok(Self::new(&rows, device))
    }

    /// # Shapes
    ///
    /// - images: `[batch, 784]`, pixels in [0, 1]
    /// - output: `[batch, count]`
    pub fn encode(&self, images: Tensor<2>) -> Tensor<2> {
        (images - self.mean.clone()).matmul(self.components.clone())
    }

    /// # Shapes
    ///
    /// - codes: `[batch, count]`
    /// - output: `[batch, 784]`
    pub fn decode(&self, codes: Tensor<2>) -> Tensor<2> {
        codes.matmul(self.components.clone().transpose()) + self.mean.clone()
    }
}

/// An eigenvector's sign is arbitrary; ours has its largest entry positive.
fn upright(vector: DVector<f64>) -> DVector<f64> {
    if vector[vector.iamax()] < 0.0 {
        -vector
    } else {
        vector
    }
}

/// The images as columns of pixels in [0, 1], some at a time: `[784, chunk]`.
fn chunks(images: &Images) -> impl Iterator<Item = DMatrix<f64>> {
    (0..images.len()).step_by(CHUNK).map(|start| {
        let end = images.len().min(start + CHUNK);
        let columns = (start..end).flat_map(|index| images.pixels(index));
        let pixels = columns.map(|&byte| f64::from(byte) / 255.0);
        DMatrix::from_iterator(PIXELS, end - start, pixels)
    })
}

/// Fits and evaluates PCA. Writes `components.csv` (`mean`, then a column for
/// each component, a row for each pixel) and what the code keeps of the test
/// images.
///
/// # Errors
///
/// If the images cannot be had, or a file cannot be written.
pub fn pca(task: &PcaTask, run: &Run) -> Result<Record, RunError> {
    let data = kindling_datasets::load_images(&task.data)?;
    run.write_classes(&data)?;
    let count = task.model.components;
    let pca = Pca::fit(&data.train, count);

    let rows: Vec<Vec<f64>> = (0..PIXELS)
        .map(|pixel| {
            let mean = std::iter::once(pca.mean[pixel]);
            mean.chain(pca.components.row(pixel).iter().copied())
                .collect()
        })
        .collect();
    let projection = Projection::new(&rows, run.device());
    let mut metrics = write_evidence(
        run,
        &data.test,
        task.scatter.images,
        |images| projection.encode(images),
        |codes| projection.decode(codes),
    )?;
    let columns: Vec<String> = std::iter::once("mean".to_string())
        .chain((0..count).map(|index| format!("component{index}")))
        .collect();
    write_numbers(&run.dir().file(COMPONENTS), &columns, rows)?;

    let explained = pca.explained.iter().enumerate();
    metrics.extend(explained.map(|(index, &share)| (format!("explained_variance_{index}"), share)));
    Ok(run.complete(Outcome {
        parameters: PIXELS * (1 + count),
        train_loss: Some(pca.reconstruction_error(&data.train)),
        test_loss: Some(pca.reconstruction_error(&data.test)),
        metrics,
        data_fingerprint: data.fingerprint,
        ..Outcome::default()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use kindling_datasets::stream;
    use rand_distr::{Distribution, Normal};

    /// Images on a plane: grey plus two known patterns of known strength.
    fn planar(count: usize) -> (Images, [DVector<f64>; 2]) {
        let unit = |f: fn(usize) -> f64| DVector::from_fn(PIXELS, |i, _| f(i)).normalize();
        let first = unit(|i| if i % 28 < 14 { 1.0 } else { -1.0 });
        let second = unit(|i| if i < 392 { 1.0 } else { -1.0 });
        let mut rng = stream(0, "test", 0);
        let normal = Normal::new(0.0, 1.0).expect("a distribution");
        let mut pixels = Vec::new();
        for _ in 0..count {
            let a: f64 = 600.0 * normal.sample(&mut rng);
            let b: f64 = 300.0 * normal.sample(&mut rng);
            pixels.extend((0..PIXELS).map(|i| {
                // A base of its own for each pixel, lest rounding cancel.
                let base = 128.0 + (0.37 * i as f64).fract();
                (base + a * first[i] + b * second[i]) as u8
            }));
        }
        (Images::new(pixels, vec![0; count]), [first, second])
    }

    #[test]
    fn known_directions_are_found_again() {
        let (images, directions) = planar(2500);
        let pca = Pca::fit(&images, 2);
        for (index, direction) in directions.iter().enumerate() {
            let cosine = pca.components.column(index).dot(direction).abs();
            assert!(cosine > 0.999, "component {index}: {cosine}");
            assert!(pca.components.column(index).max() > 0.0);
        }
        // Variances 600^2 and 300^2 of the whole.
        assert!((pca.explained[0] - 0.8).abs() < 0.03);
        assert!((pca.explained[1] - 0.2).abs() < 0.03);
        // What is left is the rounding to bytes: uniform over one level.
        let rounding = 1.0 / 12.0 / 255.0f64.powi(2);
        let error = pca.reconstruction_error(&images);
        assert!((error / rounding - 1.0).abs() < 0.1, "{error}");
    }

    #[test]
    fn on_mnist_it_is_that_of_scikit_learn() {
        // scikit-learn 1.9.1, PCA(2, svd_solver="full") on pixels / 255:
        // explained_variance_ratio_, mean squared errors of inverse_transform
        // (transform(x)), and components_[i][j] at their largest entries.
        let kindling_datasets::ImageSet { train, test, .. } =
            kindling_datasets::load_images(&kindling_formats::ImageData {
                dir: None,
                train: None,
                test: None,
            })
            .expect("MNIST");
        let pca = Pca::fit(&train, 2);
        let near = |found: f64, expected: f64| {
            assert!((found - expected).abs() < 1e-8, "{found} not {expected}");
        };
        near(pca.explained[0], 0.097_046_64);
        near(pca.explained[1], 0.070_959_24);
        near(pca.reconstruction_error(&train), 0.055_952_703);
        near(pca.reconstruction_error(&test), 0.055_669_492);
        near(pca.components[(550, 0)], 0.106_223_058);
        near(pca.components[(156, 1)], 0.122_650_207);
    }

    #[test]
    fn all_components_rebuild_everything() {
        let (images, _) = planar(50);
        let pca = Pca::fit(&images, PIXELS);
        assert!(pca.reconstruction_error(&images) < 1e-20);
        assert!((pca.explained.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    }
}
