//! An estimated mean with its sources of error: its interval, and the risks of a verdict.

use crate::judge::scale::Scale;
use crate::judge::statistics::risks::Risks;
use crate::judge::statistics::student::{quantile, root};

/// The smallest risk that is computed. No smaller one means anything, since it would be smaller
/// than the rounding of the values.
const SMALLEST_RISK: f64 = 1e-18;

/// One source of the error of a mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Source {
    /// The variance of the mean that follows from the spread between the levels of this source
    /// alone, such as the sample variance of the seeds' means divided by the number of seeds.
    /// It includes the rest.
    pub(crate) variance: f64,
    /// The degrees of freedom: the number of levels minus 1.
    pub(crate) df: f64,
}

impl Source {
    /// The source whose levels have the means `means`; `None` for fewer than two levels.
    pub(crate) fn of(means: &[f64]) -> Option<Self> {
        let deviation = crate::spread::Spread::of(means)?.deviation?;
        Some(Self {
            variance: deviation * deviation / means.len() as f64,
            df: (means.len() - 1) as f64,
        })
    }

    /// The standard error that follows from this source alone.
    pub(crate) fn standard_error(&self) -> f64 {
        self.variance.sqrt()
    }
}

/// An estimated mean with its sources of error.
///
/// With two sources, seeds and images are crossed: each seed was tested on the same images
/// ([`MeanSquares`](super::MeanSquares)). The variance of the mean is then
///
/// ```text
/// seeds + images - rest, but not less than seeds or images alone
/// ```
///
/// where each term is a mean square divided by the number of values (Brennan 2001,
/// "Generalizability Theory"). Both `seeds` and `images` include `rest`, so it is subtracted once.
///
/// The interval reaches as far as
///
/// ```text
/// sqrt(t(seeds.df)^2 * seeds + t(images.df)^2 * max(images - rest, 0)),
/// ```
///
/// but not less far than the interval of the images alone. Each source has the quantile of its
/// own degrees of freedom ("modified large sample" interval: Howe 1974; Graybill and Wang 1980;
/// Burdick and Graybill 1992, "Confidence Intervals on Variance Components"). If `rest` is 0 and
/// the effects are normal, it covers at least as often as promised: the distribution function of
/// the squared error is concave, so the coverage is at least the weighted mean of the coverages of
/// both sources alone (Banerjee 1961). With a rest, `simulation/coverage.rs` measures it. The usual
/// alternative is one quantile with the degrees of freedom of Satterthwaite (1946). With three
/// seeds its intervals of 95 % cover in 91.8 % of cases at worst, and its intervals of 99.93 %,
/// which a correction for 34 claims asks for, only in 98.4 %: where the seeds happen to lie close
/// together, it takes their spread for better known than it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Estimate {
    /// The mean on [`Estimate::scale`]: for ratios the logarithm.
    pub(crate) mean: f64,
    /// The scale of the mean and of all variances.
    pub(crate) scale: Scale,
    /// The seeds as a source of error; `None` if no seed changes the value.
    pub(crate) seeds: Option<Source>,
    /// The test images as a source of error; `None` if the value is not a mean over test
    /// images.
    pub(crate) images: Option<Source>,
    /// The variance of the mean that follows from what neither seeds nor images explain. 0 with
    /// a single source.
    pub(crate) rest: f64,
}

impl Estimate {
    /// The estimate by the values of several seeds on `scale`, by Student's t with n - 1
    /// degrees of freedom. `None` for fewer than two values.
    pub(crate) fn by_seeds(scaled: &[f64], scale: Scale) -> Option<Self> {
        Some(Self {
            mean: crate::spread::Spread::of(scaled)?.mean,
            scale,
            seeds: Some(Source::of(scaled)?),
            images: None,
            rest: 0.0,
        })
    }

    /// The mean as a value of the claim: for ratios the geometric mean.
    pub(crate) fn value(&self) -> f64 {
        self.scale.invert(self.mean)
    }

    /// The standard error of the mean, on [`Estimate::scale`]. For a ratio it is the relative
    /// standard error.
    pub(crate) fn standard_error(&self) -> f64 {
        let seeds = self.seeds.map_or(0.0, |seeds| seeds.variance);
        let images = self.images.map_or(0.0, |images| images.variance);
        (seeds + images - self.rest).max(seeds).max(images).sqrt()
    }

    /// Whether no source shows a spread larger than `rounding`, a difference that rounding alone
    /// can cause. There is no interval then.
    pub(crate) fn has_no_spread(&self, rounding: f64) -> bool {
        let sources = [self.seeds, self.images].into_iter().flatten();
        let mut spreads = sources.map(|source| (source.variance * (source.df + 1.0)).sqrt());
        spreads.all(|spread| spread <= rounding)
    }

    /// Half the length of the two-sided interval that errs with probability `risk`, on
    /// [`Estimate::scale`].
    fn reach(&self, risk: f64) -> f64 {
        // A source without a spread needs no quantile. It may have infinitely many degrees of
        // freedom, or none.
        let of = |source: Option<Source>| match source {
            Some(source) if source.variance > 0.0 => quantile(source.df, risk / 2.0),
            _ => 0.0,
        };
        self.reach_by(of(self.seeds), of(self.images))
    }

    /// Half the length of the interval with the given quantiles of the seeds and the images.
    pub(super) fn reach_by(&self, of_seeds: f64, of_images: f64) -> f64 {
        let seeds = self.seeds.map_or(0.0, |seeds| seeds.variance);
        let images = self.images.map_or(0.0, |images| images.variance);
        let more = (images - self.rest).max(0.0);
        let both = of_seeds.powi(2) * seeds + of_images.powi(2) * more;
        both.max(of_images.powi(2) * images).sqrt()
    }

    /// The two-sided confidence interval of the claim's value. `confidence` is in (0, 1).
    pub(crate) fn interval(&self, confidence: f64) -> (f64, f64) {
        let reach = self.reach(1.0 - confidence);
        let ends = (self.mean - reach, self.mean + reach);
        (self.scale.invert(ends.0), self.scale.invert(ends.1))
    }

    /// The risks of deciding that the claim's value lies between `low` and `high`: the smallest
    /// error probability at which the whole interval lies within the bounds (supported), or no
    /// part of it (refuted).
    pub(crate) fn risks(&self, bounds: (f64, f64)) -> Risks {
        self.risks_by(bounds, |distance| self.risk_of(distance))
    }

    /// The risks, where `risk_of` gives the risk of an interval that reaches as far as a distance.
    pub(super) fn risks_by(&self, (low, high): (f64, f64), risk_of: impl Fn(f64) -> f64) -> Risks {
        let (low, high) = (self.scale.apply_bound(low), self.scale.apply_bound(high));
        if low <= self.mean && self.mean <= high {
            let supported = risk_of((self.mean - low).min(high - self.mean));
            Risks {
                supported,
                ..Risks::NONE
            }
        } else {
            let refuted = risk_of((low - self.mean).max(self.mean - high));
            Risks {
                refuted,
                ..Risks::NONE
            }
        }
    }

    /// The smallest error probability at which the interval reaches no farther than `distance`.
    fn risk_of(&self, distance: f64) -> f64 {
        if distance.is_nan() || distance <= 0.0 {
            return 1.0;
        }
        if distance >= self.reach(SMALLEST_RISK) {
            return SMALLEST_RISK;
        }
        let excess = |log: f64| self.reach(log.exp()) / distance - 1.0;
        root(excess, SMALLEST_RISK.ln(), 0.0).exp()
    }

    /// What the estimate would be with `count` seeds at today's spread, and the same images. With
    /// infinitely many seeds, only the images are left as a source of error.
    pub(crate) fn with_seeds(&self, count: f64) -> Self {
        let Some(seeds) = self.seeds else {
            return *self;
        };
        let share = (seeds.df + 1.0) / count;
        let rest = self.rest * share;
        Self {
            seeds: Some(Source {
                variance: seeds.variance * share,
                df: count - 1.0,
            }),
            images: self.images.map(|images| Source {
                variance: (images.variance - self.rest).max(0.0) + rest,
                ..images
            }),
            rest,
            ..*self
        }
    }
}
