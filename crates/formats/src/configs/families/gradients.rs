//! `family = "gradients"`: automatic gradients against gradients derived by hand.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::configs::check::{Check, count, range};

use super::family::Family;

/// The config of `family = "gradients"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GradientsTask {
    /// Where the gradients are compared.
    pub gradients: Gradients,
}

/// `[gradients]`: where the gradients are compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gradients {
    /// The number of points at which ReLU and sigmoid are compared.
    pub points: usize,
    /// The points are evenly spaced in [-range, range].
    pub range: f64,
    /// The number of rows of the toy data from which the loss of the tiny convnet is computed.
    pub rows: usize,
    /// The number of points on the line through the stationary point of the convnet's loss.
    pub line_points: usize,
    /// The line goes through the stationary point and through a point with random parameters.
    /// It reaches from -line_reach to line_reach times these parameters.
    pub line_reach: f64,
}

impl Family for GradientsTask {
    const NAME: &'static str = "gradients";
    const FILES: &'static [&'static str] = &[
        "config.toml",
        "activations.csv",
        "gradients.csv",
        "line.csv",
    ];

    fn check(&self) -> Check {
        let gradients = &self.gradients;
        count("gradients.points", gradients.points, 2)?;
        range("gradients.range", gradients.range)?;
        count("gradients.rows", gradients.rows, 1)?;
        count("gradients.line_points", gradients.line_points, 3)?;
        range("gradients.line_reach", gradients.line_reach)
    }
}
