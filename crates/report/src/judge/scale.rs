//! The scale on which the values of a claim are averaged.

use kindling_formats::Comparison;

/// The scale on which the values of a claim are averaged. Ratios are averaged as
/// logarithms, on which 2 and 1/2 are equally far from 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Scale {
    Linear,
    Logarithmic,
}

impl Scale {
    /// The scale of values that are compared by `comparison`.
    pub(crate) fn of(comparison: Comparison) -> Self {
        match comparison {
            Comparison::Difference => Self::Linear,
            Comparison::Ratio => Self::Logarithmic,
        }
    }

    /// Converts a claim's value to this scale.
    pub(crate) fn apply(self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::Logarithmic => value.ln(),
        }
    }

    /// Converts a bound of a claim's value to this scale. A ratio is positive, so a bound of at
    /// most 0 becomes minus infinity: it is below every ratio.
    pub(crate) fn apply_bound(self, bound: f64) -> f64 {
        match self {
            Self::Logarithmic if bound <= 0.0 => f64::NEG_INFINITY,
            scale => scale.apply(bound),
        }
    }

    /// Converts a number on this scale back to a claim's value.
    pub(super) fn invert(self, number: f64) -> f64 {
        match self {
            Self::Linear => number,
            Self::Logarithmic => number.exp(),
        }
    }
}
