//! The comparison of one training step on two devices.

use serde::{Deserialize, Serialize};

/// How far the two devices differ in one step. `kindling parity` prints a `ParityStep` for
/// each step, as a line of JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParityStep {
    /// The step, counted from 1.
    pub step: usize,
    /// The loss before the step on each device; `None` if the loss was NaN or infinite.
    pub losses: [Option<f64>; 2],
    /// The differences of every parameter, in the order of the model.
    pub layers: Vec<LayerGap>,
}

/// How far one parameter differs between the devices. Each difference is the norm of the
/// difference, divided by the larger of the two norms. It is `None` if a number was NaN or
/// infinite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerGap {
    /// The path of the parameter in the model, such as `hidden.0.weight`.
    pub name: String,
    /// The difference of the gradients of the parameter.
    pub gradient: Option<f64>,
    /// The difference of the values of the parameter after the step.
    pub weights: Option<f64>,
}

/// `difference` divided by the larger of `one` and `other`; 0 if the difference is 0.
pub fn relative_difference(difference: f64, one: f64, other: f64) -> f64 {
    if difference == 0.0 {
        return 0.0;
    }
    difference / one.max(other)
}
