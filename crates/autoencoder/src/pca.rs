//! Principal components: the best linear code there is, from the eigenvectors
//! of the covariance of the pixels.

use burn::tensor::{Device, Tensor, TensorData};
use burn_dataset::Dataset;
use kindling_datasets::{Images, PIXELS};
use kindling_harness::{Outcome, Run, RunError};
use kindling_spec::{PcaTask, Record, write_numbers};
use nalgebra::{DMatrix, DVector, SymmetricEigen};

use crate::evidence::write_evidence;

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

    /// Mean `[1, 784]` and components `[784, count]` as tensors.
    fn tensors(&self, device: &Device) -> (Tensor<2>, Tensor<2>) {
        let mean: Vec<f32> = self.mean.iter().map(|&value| value as f32).collect();
        // nalgebra stores columns, so the rows of the transpose in its order.
        let components: Vec<f32> = self
            .components
            .transpose()
            .iter()
            .map(|&value| value as f32)
            .collect();
        let shape = [PIXELS, self.components.ncols()];
        (
            Tensor::from_data(TensorData::new(mean, [1, PIXELS]), device),
            Tensor::from_data(TensorData::new(components, shape), device),
        )
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
    let (images, test, data_fingerprint) = kindling_datasets::load(&task.data)?;
    let count = task.model.components;
    let pca = Pca::fit(&images, count);

    let (mean, components) = pca.tensors(run.device());
    let mut metrics = write_evidence(
        run,
        &test,
        task.scatter.images,
        |images| (images - mean.clone()).matmul(components.clone()),
        |codes| codes.matmul(components.clone().transpose()) + mean.clone(),
    )?;
    let columns: Vec<String> = std::iter::once("mean".to_string())
        .chain((0..count).map(|index| format!("component{index}")))
        .collect();
    let rows = (0..PIXELS).map(|pixel| {
        std::iter::once(pca.mean[pixel])
            .chain(pca.components.row(pixel).iter().copied())
            .collect()
    });
    write_numbers(&run.dir().file("components.csv"), &columns, rows)?;

    let explained = pca.explained.iter().enumerate();
    metrics.extend(explained.map(|(index, &share)| (format!("explained_variance_{index}"), share)));
    Ok(run.complete(Outcome {
        parameters: PIXELS * (1 + count),
        train_loss: Some(pca.reconstruction_error(&images)),
        test_loss: Some(pca.reconstruction_error(&test)),
        metrics,
        data_fingerprint,
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
        let (train, test, _) = kindling_datasets::load(&kindling_spec::ImageData {
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
