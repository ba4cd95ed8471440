//! The scale on which the values of a claim are averaged.

use kindling_formats::Comparison;

/// The scale on which the values of a claim are averaged. Ratios are averaged as
/// logarithms, since twice and half as much are equally far from one.
#[derive(Clone, Copy)]
pub(super) enum Scale {
    Linear,
    Logarithmic,
}

impl Scale {
    /// The scale of values that are compared by `comparison`.
    pub(super) fn of(comparison: Comparison) -> Self {
        match comparison {
            Comparison::Difference => Self::Linear,
            Comparison::Ratio => Self::Logarithmic,
        }
    }

    /// A claim's value on this scale.
    pub(super) fn apply(self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::Logarithmic => value.ln(),
        }
    }

    /// The claim's value of a number on this scale.
    pub(super) fn invert(self, number: f64) -> f64 {
        match self {
            Self::Linear => number,
            Self::Logarithmic => number.exp(),
        }
    }
}
