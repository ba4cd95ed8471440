//! Random effects of seeds and images, and the estimate of a table that is drawn by its mean
//! squares.

use chacha20::ChaCha8Rng;
use rand::SeedableRng;
use rand_distr::{ChiSquared, Distribution, StandardNormal, StudentT};

use crate::judge::scale::Scale;
use crate::judge::statistics::estimate::{Estimate, Source};

/// The distribution of an effect, with mean 0 and variance 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Effect {
    Normal,
    /// Student's t with 3 degrees of freedom, divided by its deviation.
    Heavy,
    /// -1 or 1, with equal probability.
    TwoModes,
}

pub(super) fn rng(stream: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(stream)
}

pub(super) fn normal(rng: &mut ChaCha8Rng) -> f64 {
    StandardNormal.sample(rng)
}

impl Effect {
    pub(super) fn draw(self, rng: &mut ChaCha8Rng) -> f64 {
        match self {
            Self::Normal => normal(rng),
            Self::Heavy => {
                let student = StudentT::new(3.0).expect("3 degrees of freedom");
                student.sample(rng) / 3.0_f64.sqrt()
            }
            Self::TwoModes => normal(rng).signum(),
        }
    }
}

/// A mean square of normal values, divided by its expectation.
pub(super) fn mean_square(df: usize, rng: &mut ChaCha8Rng) -> f64 {
    let df = df as f64;
    ChiSquared::new(df).expect("degrees").sample(rng) / df
}

/// The shares of the variance of a mean of which the seeds have `seeds`, and the rest has
/// `rest` of what is left. The variance of the mean is 1, and its truth is 0.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shares {
    pub(super) seeds: f64,
    pub(super) rest: f64,
}

impl Shares {
    /// The variance of the mean by the images.
    pub(super) fn of_images(self) -> f64 {
        (1.0 - self.seeds) * (1.0 - self.rest)
    }

    /// The variance of the mean by the rest.
    pub(super) fn of_rest(self) -> f64 {
        (1.0 - self.seeds) * self.rest
    }
}

/// What is drawn for a table of seeds by images whose image effects and rest are normal. Such a
/// table need not be drawn value by value. The mean of a seed is its effect and the mean of its
/// rest, which is normal; the mean of the images' effects is normal; and the mean squares of
/// images and rest are independent of these and of each other, and follow chi-squared
/// distributions (Cochran 1934).
pub(super) struct Drawn {
    /// The effects of the seeds, with variance 1.
    pub(super) seeds: Vec<f64>,
    /// The mean rest of each seed, with variance 1.
    pub(super) rests: Vec<f64>,
    /// The mean of the images' effects, with variance 1.
    pub(super) images: f64,
    /// The mean squares of images and rest, divided by their expectations.
    pub(super) squares: (f64, f64),
}

impl Drawn {
    pub(super) fn new(effect: Effect, seeds: usize, images: usize, rng: &mut ChaCha8Rng) -> Self {
        Self {
            seeds: (0..seeds).map(|_| effect.draw(rng)).collect(),
            rests: (0..seeds).map(|_| normal(rng)).collect(),
            images: normal(rng),
            squares: (
                mean_square(images - 1, rng),
                mean_square((seeds - 1) * (images - 1), rng),
            ),
        }
    }

    /// The estimate of the table whose sources have these shares of the variance.
    pub(super) fn estimate(&self, shares: Shares, images: usize) -> Estimate {
        let count = self.seeds.len() as f64;
        let (of_seeds, of_rest) = (
            (shares.seeds * count).sqrt(),
            (shares.of_rest() * count).sqrt(),
        );
        let both = self.seeds.iter().zip(&self.rests);
        let rows: Vec<f64> = both
            .map(|(seed, rest)| of_seeds * seed + of_rest * rest)
            .collect();
        let seeds = Source::of(&rows).expect("several seeds");
        let mean = rows.iter().sum::<f64>() / count;
        Estimate {
            mean: mean + shares.of_images().sqrt() * self.images,
            scale: Scale::Linear,
            seeds: Some(seeds),
            images: Some(Source {
                variance: (shares.of_images() + shares.of_rest()) * self.squares.0,
                df: (images - 1) as f64,
            }),
            rest: shares.of_rest() * self.squares.1,
        }
    }
}
