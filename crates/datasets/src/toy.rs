//! The toy data: samples of three functions of x in R^4.
//!
//! With a 4x4 matrix W, the functions are y0 = sum(x W), y1 = max(x) and
//! y2 = log sum exp(x W). Every y is multiplied by 1 + noise N(0, 1).

use burn_dataset::{Dataset, DatasetError};
use chacha20::ChaCha8Rng;
use kindling_formats::{RegressionData, Split, ToyFunction};
use rand_distr::{Distribution, StandardNormal, Uniform};

use crate::stream::stream;

/// A row of toy data: x and y.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ToyItem {
    /// The four numbers x.
    pub x: [f32; 4],
    /// The value of the function at x, with noise.
    pub y: f32,
}

/// The rows of one split of a toy function.
#[derive(Debug, Clone, PartialEq)]
pub struct ToySplit {
    rows: Vec<ToyItem>,
    noise_floor: f64,
}

impl ToySplit {
    /// All rows, in the order in which they were drawn.
    pub fn rows(&self) -> &[ToyItem] {
        &self.rows
    }

    /// The mean squared difference between y and the function without noise. It is the
    /// smallest error that a model can expect on rows that it has not seen.
    pub fn noise_floor(&self) -> f64 {
        self.noise_floor
    }
}

impl Dataset<ToyItem> for ToySplit {
    fn get(&self, index: usize) -> Result<ToyItem, DatasetError> {
        Ok(self.rows[index])
    }

    fn len(&self) -> usize {
        self.rows.len()
    }
}

/// A toy function with its rows.
#[derive(Debug, Clone, PartialEq)]
pub struct ToyData {
    /// The matrix W, row by row: `x W` has `sum_i x[i] W[i][j]` in column j.
    pub weights: [[f64; 4]; 4],
    /// The training rows.
    pub train: ToySplit,
    /// The rows on which a run is evaluated: the validation rows of a trial, and the test rows
    /// of a final run.
    pub evaluated: ToySplit,
    /// The split that `evaluated` is.
    pub evaluated_split: Split,
}

impl ToyData {
    /// Draws W and the rows. W and x depend only on the seed, so the three functions are
    /// sampled at the same points.
    ///
    /// A trial (`data.validation`) holds out the last training rows, and draws no test row. All
    /// rows are drawn independently, so the last ones are as good as any.
    pub fn generate(data: &RegressionData, seed: u64) -> Self {
        let weights = draw_weights(data, seed);
        let mut train_stream = stream(seed, "toy-train", 0);
        let held_out = data.validation.unwrap_or(0);
        let train = draw_rows(data, &weights, &mut train_stream, data.train - held_out);
        let (evaluated, evaluated_split) = match data.validation {
            Some(count) => (
                draw_rows(data, &weights, &mut train_stream, count),
                Split::Validation,
            ),
            None => {
                let mut test_stream = stream(seed, "toy-test", 0);
                let test = draw_rows(data, &weights, &mut test_stream, data.test);
                (test, Split::Test)
            }
        };
        Self {
            weights,
            train,
            evaluated,
            evaluated_split,
        }
    }
}

fn draw_weights(data: &RegressionData, seed: u64) -> [[f64; 4]; 4] {
    let mut rng = stream(seed, "toy-weights", 0);
    let uniform = interval(data.w_range);
    let mut weights = [[0.0; 4]; 4];
    for weight in weights.as_flattened_mut() {
        *weight = uniform.sample(&mut rng);
    }
    weights
}

fn draw_rows(
    data: &RegressionData,
    weights: &[[f64; 4]; 4],
    rng: &mut ChaCha8Rng,
    count: usize,
) -> ToySplit {
    let uniform = interval(data.x_range);
    let mut squares = 0.0;
    let rows = (0..count)
        .map(|_| {
            let x: [f64; 4] = std::array::from_fn(|_| uniform.sample(rng));
            let clean = value(data.function, &x, weights);
            let normal: f64 = StandardNormal.sample(rng);
            let y = clean * (1.0 + data.noise * normal);
            squares += (y - clean).powi(2);
            ToyItem {
                x: x.map(|value| value as f32),
                y: y as f32,
            }
        })
        .collect();
    ToySplit {
        rows,
        noise_floor: squares / count as f64,
    }
}

/// The uniform distribution in [-range, range].
fn interval(range: f64) -> Uniform<f64> {
    #[expect(
        clippy::expect_used,
        reason = "a config holds only positive finite ranges"
    )]
    Uniform::new_inclusive(-range, range).expect("a positive finite range")
}

/// The value of a function at x, without noise.
fn value(function: ToyFunction, x: &[f64; 4], weights: &[[f64; 4]; 4]) -> f64 {
    let product: [f64; 4] =
        std::array::from_fn(|column| (0..4).map(|row| x[row] * weights[row][column]).sum());
    match function {
        ToyFunction::Y0 => product.iter().sum(),
        ToyFunction::Y1 => x.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        ToyFunction::Y2 => {
            // After the largest term is subtracted, no exponential overflows.
            let largest = product.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let sum: f64 = product.iter().map(|term| (term - largest).exp()).sum();
            largest + sum.ln()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(function: ToyFunction) -> RegressionData {
        RegressionData {
            function,
            train: 1000,
            test: 200,
            validation: None,
            x_range: 2.5,
            w_range: 2.0,
            noise: 0.01,
        }
    }

    #[test]
    fn the_functions_are_those_of_the_study() {
        // NumPy: W = np.arange(16).reshape(4, 4) / 10 - 0.5; x = [1, -2, 0.5, 2]
        // (x @ W).sum() = 5.9, x.max() = 2,
        // np.log(np.exp(x @ W).sum()) = 2.875312292258
        let weights =
            std::array::from_fn(|i| std::array::from_fn(|j| (4 * i + j) as f64 / 10.0 - 0.5));
        let x = [1.0, -2.0, 0.5, 2.0];
        let at = |function| value(function, &x, &weights);
        assert!((at(ToyFunction::Y0) - 5.9).abs() < 1e-12);
        assert_eq!(at(ToyFunction::Y1), 2.0);
        assert!((at(ToyFunction::Y2) - 2.875312292258).abs() < 1e-12);
    }

    #[test]
    fn large_values_do_not_overflow() {
        let weights = [[500.0; 4]; 4];
        let y = value(ToyFunction::Y2, &[2.0; 4], &weights);
        assert!((y - (4000.0 + 4f64.ln())).abs() < 1e-9);
    }

    #[test]
    fn every_range_of_a_config_gives_finite_values() {
        let ranges = [f64::from_bits(1), 1e-320, f64::MIN_POSITIVE, 1e-9, 1.0, 1e6];
        for function in [ToyFunction::Y0, ToyFunction::Y1, ToyFunction::Y2] {
            for x_range in ranges {
                for w_range in ranges {
                    for noise in [0.0, 1e-320, 1.0, 1e6] {
                        let data = RegressionData {
                            train: 20,
                            test: 1,
                            x_range,
                            w_range,
                            noise,
                            ..data(function)
                        };
                        let toy = ToyData::generate(&data, 0);
                        let rows = toy.train.rows();
                        assert!(rows.iter().all(|row| row.y.is_finite()), "{data:?}");
                        assert!(toy.train.noise_floor().is_finite(), "{data:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_points_to_every_function() {
        let y0 = ToyData::generate(&data(ToyFunction::Y0), 3);
        let again = ToyData::generate(&data(ToyFunction::Y0), 3);
        let y2 = ToyData::generate(&data(ToyFunction::Y2), 3);
        let other = ToyData::generate(&data(ToyFunction::Y0), 4);
        assert_eq!(y0, again);
        assert_eq!(y0.weights, y2.weights);
        let points = |split: &ToySplit| split.rows().iter().map(|row| row.x).collect::<Vec<_>>();
        assert_eq!(points(&y0.train), points(&y2.train));
        assert_ne!(points(&y0.train), points(&other.train));
        assert_ne!(points(&y0.train)[..200], points(&y0.evaluated)[..]);
    }

    #[test]
    fn a_trial_holds_out_the_last_training_rows_and_has_no_test_rows() {
        let run = ToyData::generate(&data(ToyFunction::Y1), 3);
        let held_out = RegressionData {
            validation: Some(300),
            ..data(ToyFunction::Y1)
        };
        let trial = ToyData::generate(&held_out, 3);
        assert_eq!(run.evaluated_split, Split::Test);
        assert_eq!(trial.evaluated_split, Split::Validation);
        assert_eq!(trial.train.rows(), &run.train.rows()[..700]);
        assert_eq!(trial.evaluated.rows(), &run.train.rows()[700..]);
        // The floors of the parts give that of the whole.
        let (train, validation) = (trial.train.noise_floor(), trial.evaluated.noise_floor());
        let whole = 0.7 * train + 0.3 * validation;
        assert!((whole / run.train.noise_floor() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn rows_lie_in_their_range_and_noise_is_relative() {
        let toy = ToyData::generate(&data(ToyFunction::Y0), 0);
        let rows = toy.train.rows();
        assert!(rows.iter().flat_map(|row| row.x).all(|x| x.abs() <= 2.5));
        // The floor is noise^2 times the mean square of y.
        let mean_square = rows.iter().map(|row| f64::from(row.y).powi(2)).sum::<f64>() / 1000.0;
        let ratio = toy.train.noise_floor() / (1e-4 * mean_square);
        assert!((0.8..1.25).contains(&ratio), "{ratio}");
    }
}
