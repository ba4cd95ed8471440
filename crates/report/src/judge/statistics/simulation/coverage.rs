//! How often a nominal 95 % interval covers the truth.
//!
//! 10,000 draws for each setting: the Monte Carlo error of a coverage near 0.95 is 0.0022, and
//! near 0.99 it is 0.0010.

use crate::judge::statistics::simulation::draws::{Drawn, Effect, Shares, normal, rng};
use crate::judge::statistics::student::quantile;
use crate::judge::statistics::{Estimate, Source};

const DRAWS: usize = 10_000;
const SEEDS: [usize; 4] = [3, 5, 10, 30];
const IMAGES: [usize; 2] = [200, 10_000];
/// The seeds' share of the variance of the mean.
const SHARES: [f64; 8] = [0.0, 0.05, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0];
/// The share that the rest has of what the seeds leave.
const RESTS: [f64; 3] = [0.0, 0.5, 1.0];

/// The smallest and the largest coverage over all shares, for a number of seeds and any number
/// of images, of intervals that err with probability `risk`.
fn coverages(effect: Effect, seeds: usize, risk: f64) -> (f64, f64) {
    let (mut least, mut most) = (1.0_f64, 0.0_f64);
    for images in IMAGES {
        let quantiles = (
            quantile((seeds - 1) as f64, risk / 2.0),
            quantile((images - 1) as f64, risk / 2.0),
        );
        let mut covered = [[0_u32; RESTS.len()]; SHARES.len()];
        let mut rng = rng((seeds * images) as u64);
        for _ in 0..DRAWS {
            let drawn = Drawn::new(effect, seeds, images, &mut rng);
            for (covered, share) in covered.iter_mut().zip(SHARES) {
                for (covered, rest) in covered.iter_mut().zip(RESTS) {
                    let shares = Shares { seeds: share, rest };
                    let estimate = drawn.estimate(shares, images);
                    let reach = estimate.reach_by(quantiles.0, quantiles.1);
                    *covered += u32::from(estimate.mean.abs() <= reach);
                }
            }
        }
        for covered in covered.as_flattened() {
            let coverage = f64::from(*covered) / DRAWS as f64;
            (least, most) = (least.min(coverage), most.max(coverage));
        }
    }
    (least, most)
}

/// Measured: 0.949 to 0.988 with three seeds, 0.947 to 0.979 with five, 0.946 to 0.972 with ten
/// and 0.948 to 0.965 with thirty.
#[test]
fn intervals_cover_normal_seeds() {
    for seeds in SEEDS {
        let (least, most) = coverages(Effect::Normal, seeds, 0.05);
        println!("normal, {seeds} seeds: {least} to {most}");
        assert!(least >= 0.92 && most <= 0.99, "{seeds}: {least} to {most}");
    }
}

/// Measured: 0.947 to 0.988 with three seeds, and 0.946 to 0.981 with more.
#[test]
fn intervals_cover_seeds_with_heavy_tails() {
    for seeds in SEEDS {
        let (least, most) = coverages(Effect::Heavy, seeds, 0.05);
        println!("heavy, {seeds} seeds: {least} to {most}");
        assert!(least >= 0.92 && most <= 0.99, "{seeds}: {least} to {most}");
    }
}

/// Three seeds lie in one of two equal modes with probability 1/4, and then see no spread.
/// Measured: at least 0.748 with three seeds, 0.932 with five, 0.941 with ten and 0.947 with
/// thirty.
#[test]
fn intervals_of_five_and_more_seeds_cover_two_modes() {
    for seeds in SEEDS {
        let (least, most) = coverages(Effect::TwoModes, seeds, 0.05);
        println!("two modes, {seeds} seeds: {least} to {most}");
        match seeds {
            3 => assert!((0.73..0.77).contains(&least), "{least}"),
            _ => assert!(least >= 0.90 && most <= 0.99, "{seeds}: {least} to {most}"),
        }
    }
}

/// The correction for 34 claims at the first look asks for intervals that err with probability
/// 0.05 / 68 = 0.00074. With one quantile that has Satterthwaite's degrees of freedom, they err
/// with probability 0.016 for three normal seeds that have 0.95 of the variance.
#[test]
fn intervals_far_in_the_tail_err_as_rarely_as_they_say() {
    // Measured: 0.0007 to 0.0011.
    let risk = 0.05 / 68.0;
    for (effect, seeds) in [
        (Effect::Normal, 3),
        (Effect::Normal, 10),
        (Effect::Heavy, 3),
        (Effect::Heavy, 10),
    ] {
        let (least, _) = coverages(effect, seeds, risk);
        println!("{effect:?}, {seeds} seeds: errs {:.5}", 1.0 - least);
        // The largest of 48 settings; the Monte Carlo error of each is 0.00027.
        assert!(1.0 - least <= 3.0 * risk, "{effect:?} {seeds}: {least}");
    }
}

/// How often intervals miss the mean if one run in ten falls into another mode, which lies 100
/// deviations of the other runs away. They miss it almost whenever no seed falls into it, which
/// has the probability 0.9^seeds: 0.73, 0.59, 0.35 and 0.04 for 3, 5, 10 and 30 seeds.
#[test]
fn no_interval_of_few_seeds_sees_a_mode_of_one_run_in_ten() {
    for (seeds, missed) in [(3, 0.73), (5, 0.59), (10, 0.35), (30, 0.07)] {
        let mut rng = rng(seeds);
        let mut misses = 0_u32;
        let t = quantile(seeds as f64 - 1.0, 0.025);
        for _ in 0..DRAWS {
            // A uniform number by the normal distribution: P(z < -1.2816) = 0.1.
            let run = |rng: &mut _| {
                let mode = if normal(rng) < -1.281_551_565_5 {
                    -100.0
                } else {
                    0.0
                };
                mode + normal(rng)
            };
            let values: Vec<f64> = (0..seeds).map(|_| run(&mut rng)).collect();
            let estimate = Estimate {
                mean: values.iter().sum::<f64>() / seeds as f64,
                scale: crate::judge::scale::Scale::Linear,
                seeds: Source::of(&values),
                images: None,
                rest: 0.0,
            };
            let truth = -10.0;
            misses += u32::from((estimate.mean - truth).abs() > estimate.reach_by(t, 0.0));
        }
        let share = f64::from(misses) / DRAWS as f64;
        println!("one run in ten, {seeds} seeds: missed {share}");
        // Four Monte Carlo errors of 0.005.
        assert!((share - missed).abs() < 0.02, "{seeds}: {share}");
    }
}
