//! Principal components: the eigenvectors of the covariance of the pixels. No other linear
//! code of the same size reconstructs the images with a smaller mean squared error.

use burn_dataset::Dataset;
use kindling_datasets::Images;
use nalgebra::{DMatrix, DVector, SymmetricEigen};

/// Images per matrix product, so that their pixels fit into the processor's cache.
const CHUNK: usize = 1000;

/// The mean image and the directions of largest variance around it.
#[derive(Debug, Clone)]
pub struct Pca {
    /// The mean image, `[numbers]`, of so many numbers as an image has.
    pub mean: DVector<f64>,
    /// Unit vectors, one per column, in the order of falling variance: `[numbers, components]`.
    pub components: DMatrix<f64>,
    /// The share of the total variance along each component, in [0, 1].
    pub explained: Vec<f64>,
}

impl Pca {
    /// Computes `count` components of images, with pixels in [0, 1].
    pub fn fit(images: &Images, count: usize) -> Self {
        let total = images.len() as f64;
        let numbers = images.shape().numbers();
        let mut sum = DVector::<f64>::zeros(numbers);
        let mut products = DMatrix::<f64>::zeros(numbers, numbers);
        for chunk in chunks(images) {
            sum += chunk.column_sum();
            // products = products + chunk chunk^T
            products.gemm(1.0, &chunk, &chunk.transpose(), 1.0);
        }
        let mean = sum / total;
        let covariance = products / total - &mean * mean.transpose();
        let variance = covariance.trace();
        let eigen = SymmetricEigen::new(covariance);
        let mut order: Vec<usize> = (0..numbers).collect();
        order.sort_by(|&a, &b| eigen.eigenvalues[b].total_cmp(&eigen.eigenvalues[a]));
        order.truncate(count);
        let columns: Vec<DVector<f64>> = order
            .iter()
            .map(|&index| {
                with_positive_largest_entry(eigen.eigenvectors.column(index).into_owned())
            })
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

    /// The mean squared error per pixel between each image and its reconstruction, `[n]`.
    pub fn reconstruction_errors(&self, images: &Images) -> Vec<f64> {
        let numbers = images.shape().numbers() as f64;
        let mut errors = Vec::with_capacity(images.len());
        for mut chunk in chunks(images) {
            for mut image in chunk.column_iter_mut() {
                image -= &self.mean;
            }
            let codes = self.components.tr_mul(&chunk);
            // chunk = chunk - components codes
            chunk.gemm(-1.0, &self.components, &codes, 1.0);
            let rests = chunk.column_iter();
            errors.extend(rests.map(|rest| rest.norm_squared() / numbers));
        }
        errors
    }

    /// The mean of [`Pca::reconstruction_errors`].
    pub fn reconstruction_error(&self, images: &Images) -> f64 {
        mean(&self.reconstruction_errors(images))
    }
}

/// The mean of errors.
pub(super) fn mean(errors: &[f64]) -> f64 {
    errors.iter().sum::<f64>() / errors.len() as f64
}

/// Gives an eigenvector, whose sign is arbitrary, the sign that makes its largest entry
/// positive.
fn with_positive_largest_entry(vector: DVector<f64>) -> DVector<f64> {
    if vector[vector.iamax()] < 0.0 {
        -vector
    } else {
        vector
    }
}

/// The images in chunks `[numbers, chunk]`, one image per column, with pixels in [0, 1].
fn chunks(images: &Images) -> impl Iterator<Item = DMatrix<f64>> {
    (0..images.len()).step_by(CHUNK).map(|start| {
        let end = images.len().min(start + CHUNK);
        let columns = (start..end).flat_map(|index| images.pixels(index));
        let pixels = columns.map(|&byte| f64::from(byte) / 255.0);
        DMatrix::from_iterator(images.shape().numbers(), end - start, pixels)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use kindling_datasets::stream;
    use rand_distr::{Distribution, Normal};

    /// Images on a plane in pixel space: grey plus two known patterns of known variance.
    fn planar(count: usize) -> (Images, [DVector<f64>; 2]) {
        let unit = |f: fn(usize) -> f64| DVector::from_fn(784, |i, _| f(i)).normalize();
        let first = unit(|i| if i % 28 < 14 { 1.0 } else { -1.0 });
        let second = unit(|i| if i < 392 { 1.0 } else { -1.0 });
        let mut rng = stream(0, "test", 0);
        let normal = Normal::new(0.0, 1.0).expect("a distribution");
        let mut pixels = Vec::new();
        for _ in 0..count {
            let a: f64 = 600.0 * normal.sample(&mut rng);
            let b: f64 = 300.0 * normal.sample(&mut rng);
            pixels.extend((0..784).map(|i| {
                // Each pixel has a different base, so that rounding errors do not cancel.
                let base = 128.0 + (0.37 * i as f64).fract();
                (base + a * first[i] + b * second[i]) as u8
            }));
        }
        (
            Images::new([1, 28, 28].into(), pixels, vec![0; count]),
            [first, second],
        )
    }

    #[test]
    fn known_directions_are_found() {
        let (images, directions) = planar(2500);
        let pca = Pca::fit(&images, 2);
        for (index, direction) in directions.iter().enumerate() {
            let cosine = pca.components.column(index).dot(direction).abs();
            assert!(cosine > 0.999, "component {index}: {cosine}");
            assert!(pca.components.column(index).max() > 0.0);
        }
        // Shares of the variances 600^2 and 300^2 in their sum.
        assert!((pca.explained[0] - 0.8).abs() < 0.03);
        assert!((pca.explained[1] - 0.2).abs() < 0.03);
        // The rest is the rounding to bytes: uniform over one level, with variance 1/12.
        let rounding = 1.0 / 12.0 / 255.0f64.powi(2);
        let error = pca.reconstruction_error(&images);
        assert!((error / rounding - 1.0).abs() < 0.1, "{error}");
    }

    #[test]
    fn on_mnist_the_components_are_those_of_scikit_learn() {
        // From scikit-learn 1.9.1, PCA(2, svd_solver="full") on pixels / 255:
        // explained_variance_ratio_, the mean squared errors of
        // inverse_transform(transform(x)), and the largest entries of components_.
        let kindling_datasets::ImageSet {
            train,
            evaluated: test,
            ..
        } = kindling_datasets::load_images(&kindling_formats::ImageData::all(None)).expect("MNIST");
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
    fn all_components_together_reconstruct_without_error() {
        let (images, _) = planar(50);
        let pca = Pca::fit(&images, 784);
        assert!(pca.reconstruction_error(&images) < 1e-20);
        assert!((pca.explained.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    }
}
