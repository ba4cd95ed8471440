//! Coverage by tables that are drawn value by value, since the images' effects and the rest are
//! not normal: both have heavy tails, as losses of single images do.

use crate::judge::scale::Scale;
use crate::judge::statistics::crossed::MeanSquares;
use crate::judge::statistics::simulation::draws::{Effect, Shares, rng};
use crate::judge::statistics::student::quantile;

/// The coverage of intervals of 95 % for each share of the seeds.
fn coverages(seeds: usize, images: usize, draws: usize) -> Vec<(f64, f64)> {
    let of_seeds = [0.0, 0.1, 0.5, 0.9];
    let quantiles = (
        quantile((seeds - 1) as f64, 0.025),
        quantile((images - 1) as f64, 0.025),
    );
    let mut rng = rng((seeds * images) as u64);
    let mut covered = [0_u32; 4];
    for _ in 0..draws {
        let mut draw = |count: usize| -> Vec<f64> {
            (0..count).map(|_| Effect::Heavy.draw(&mut rng)).collect()
        };
        let (by_seed, by_image) = (draw(seeds), draw(images));
        let rests: Vec<Vec<f64>> = (0..seeds).map(|_| draw(images)).collect();
        for (covered, share) in covered.iter_mut().zip(of_seeds) {
            let shares = Shares {
                seeds: share,
                rest: 0.5,
            };
            let scale = |variance: f64, count: usize| (variance * count as f64).sqrt();
            let table: Vec<Vec<f64>> = (0..seeds)
                .map(|seed| {
                    let values = by_image.iter().zip(&rests[seed]);
                    let of_seed = scale(share, seeds) * by_seed[seed];
                    let (image, rest) = (
                        scale(shares.of_images(), images),
                        scale(shares.of_rest(), seeds * images),
                    );
                    values
                        .map(|(i, r)| of_seed + image * i + rest * r)
                        .collect()
                })
                .collect();
            let squares = MeanSquares::of(&table).expect("a table");
            let estimate = squares.estimate(Scale::Linear);
            let reach = estimate.reach_by(quantiles.0, quantiles.1);
            *covered += u32::from(estimate.mean.abs() <= reach);
        }
    }
    let coverage = covered.map(|covered| f64::from(covered) / draws as f64);
    of_seeds.into_iter().zip(coverage).collect()
}

/// 2,000 or 1,000 draws of 200 images, and 200 draws of 10,000 images: the Monte Carlo errors of
/// a coverage near 0.96 are 0.004, 0.006 and 0.014.
#[test]
fn intervals_cover_if_all_effects_have_heavy_tails() {
    for (seeds, images, draws) in [(3, 200, 2000), (10, 200, 1000), (3, 10_000, 200)] {
        for (share, coverage) in coverages(seeds, images, draws) {
            println!("{seeds} seeds, {images} images, share {share}: {coverage}");
            let slack = if draws < 1000 { 0.014 } else { 0.0 };
            assert!(
                (0.92 - slack..=0.99 + slack).contains(&coverage),
                "{seeds} seeds, {images} images, share {share}: {coverage}"
            );
        }
    }
}
