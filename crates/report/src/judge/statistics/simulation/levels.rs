//! The risks of a look, to the precision that decides: the levels of Holm's method.

use crate::judge::statistics::estimate::Estimate;
use crate::judge::statistics::holm::{ERROR_RATE, spent};
use crate::judge::statistics::risks::Risks;
use crate::judge::statistics::student::quantile;

/// The quantiles of one look at all levels 0.05 / 1, 0.05 / 2, ... to which a corrected risk is
/// compared. Risks are rounded up to these levels, which changes no verdict and needs no search
/// for the exact risk.
pub(super) struct Levels {
    /// For each divisor of 0.05 the quantiles of seeds and images.
    quantiles: Vec<(f64, f64)>,
}

impl Levels {
    /// The levels at `look`, which has `look + 2` seeds. `most` is the largest divisor of 0.05:
    /// the number of claims, times the number of comparisons of one claim.
    pub(super) fn new(look: usize, images: usize, most: usize) -> Self {
        let at = |divisor: usize| {
            let tail = ERROR_RATE / divisor as f64 / (look * (look + 1)) as f64 / 2.0;
            (
                quantile((look + 1) as f64, tail),
                quantile((images - 1) as f64, tail),
            )
        };
        Self {
            quantiles: (1..=most).map(at).collect(),
        }
    }

    /// The risks of `estimate`, corrected for looks.
    pub(super) fn spent(&self, estimate: &Estimate, bounds: (f64, f64)) -> Risks {
        estimate.risks_by(bounds, |distance| {
            let reached =
                |(seeds, images): &(f64, f64)| estimate.reach_by(*seeds, *images) <= distance;
            match self.quantiles.partition_point(reached) {
                0 => 1.0,
                divisor => ERROR_RATE / divisor as f64,
            }
        })
    }
}

#[test]
fn levels_are_the_risks_rounded_up() {
    let levels = Levels::new(2, 200, 40);
    for mean in [0.5, 1.0, 4.0, 7.0, 9.0, 12.0] {
        let values = [mean - 1.0, mean, mean + 0.5, mean + 0.5];
        let scale = crate::judge::scale::Scale::Linear;
        let estimate = Estimate::by_seeds(&values, scale).expect("four values");
        let bounds = (0.0, f64::INFINITY);
        let exact = spent(estimate.risks(bounds).smallest(), 2);
        let found = levels.spent(&estimate, bounds).smallest();
        let mut divisors = (1..=40)
            .rev()
            .map(|divisor| ERROR_RATE / f64::from(divisor));
        let expected = divisors.find(|level| exact <= *level);
        assert_eq!(found, expected.unwrap_or(1.0), "mean {mean}: {exact}");
    }
}
