//! How many seeds an open claim needs.

use crate::judge::statistics::risks::Risks;

/// The largest number of seeds that is named.
const MOST: u32 = 1000;

/// How many seeds an open claim needs, if the mean and the spread stay as they are today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needed {
    /// This many seeds in total.
    Seeds(u32),
    /// More than 1000 seeds.
    TooMany,
    /// No number of seeds decides the claim, because the test images are too few to tell.
    Images,
}

/// How many seeds in total decide a claim that is open with `today` seeds. `at` gives the risks
/// with a number of seeds at today's spread ([`Estimate::with_seeds`](super::Estimate)). The
/// claim is decided if its smallest risk is at most `level`. `has_images` says whether test images
/// are a source of error. Without them, only a mean that lies exactly at its bound is not decided
/// by infinitely many seeds.
pub(crate) fn needed(
    today: usize,
    level: f64,
    has_images: bool,
    at: impl Fn(f64) -> Risks,
) -> Needed {
    let decides = |seeds: f64| at(seeds).smallest() <= level;
    if has_images && !decides(f64::INFINITY) {
        return Needed::Images;
    }
    if !decides(f64::from(MOST)) {
        return Needed::TooMany;
    }
    // More seeds decide more, so the number is found by halving the interval.
    let first = u32::try_from(today + 1).unwrap_or(MOST).max(2);
    let (mut low, mut high) = (first, MOST.max(first));
    while low < high {
        let middle = u32::midpoint(low, high);
        if decides(f64::from(middle)) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Needed::Seeds(high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::scale::Scale;
    use crate::judge::statistics::{Estimate, Source};

    fn needed_by(estimate: &Estimate, level: f64) -> Needed {
        let bounds = (0.0, f64::INFINITY);
        needed(3, level, estimate.images.is_some(), |seeds| {
            estimate.with_seeds(seeds).risks(bounds)
        })
    }

    fn seeds_only(mean: f64) -> Estimate {
        let values = [mean - 1.0, mean, mean + 1.0];
        Estimate::by_seeds(&values, Scale::Linear).expect("three values")
    }

    #[test]
    fn the_number_is_the_first_that_decides() {
        // Python, with scipy.stats.t.sf, for a mean of 1 and a deviation of 1:
        // next(n for n in range(4, 99) if 2 * t.sf(sqrt(n), n - 1) <= 0.05) = 7
        assert_eq!(needed_by(&seeds_only(1.0), 0.05), Needed::Seeds(7));
        // The same with a level of 0.05 / 68: 18
        assert_eq!(needed_by(&seeds_only(1.0), 0.05 / 68.0), Needed::Seeds(18));
        assert_eq!(needed_by(&seeds_only(0.01), 0.05), Needed::TooMany);
        // A mean exactly at its bound; no test images are to blame.
        assert_eq!(needed_by(&seeds_only(0.0), 0.05), Needed::TooMany);
    }

    #[test]
    fn the_images_limit_what_seeds_can_decide() {
        let with_images = |variance: f64| Estimate {
            images: Some(Source {
                variance,
                df: 9999.0,
            }),
            ..seeds_only(1.0)
        };
        // 1 / 1.9602 = 0.51; see scipy.stats.t.isf(0.025, 9999)
        assert_eq!(needed_by(&with_images(0.52 * 0.52), 0.05), Needed::Images);
        assert!(matches!(
            needed_by(&with_images(0.5 * 0.5), 0.05),
            Needed::Seeds(20..)
        ));
    }
}
