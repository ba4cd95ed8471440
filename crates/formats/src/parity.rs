//! One training followed on two devices in lockstep, and where they part.

use serde::{Deserialize, Serialize};

/// What a step of the same training was on two devices.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParityStep {
    /// From 1.
    pub step: usize,
    /// The loss before the step, on each; `None` where it was no number.
    pub losses: [Option<f64>; 2],
    /// Every parameter, in the model's order.
    pub layers: Vec<LayerGap>,
}

/// How far a parameter is apart on two devices: the norm of the difference over
/// the larger of both norms; `None` where a number was none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerGap {
    /// Its path in the model, as `hidden.0.weight`.
    pub name: String,
    /// Of its gradient.
    pub gradient: Option<f64>,
    /// Of its values after the step.
    pub weights: Option<f64>,
}

/// The largest differences that count as rounding.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tolerance {
    /// Of the loss, relative.
    pub loss: f64,
    /// Of gradients and weights; see [`LayerGap`].
    pub layers: f64,
}

/// The first difference beyond rounding.
#[derive(Debug, Clone, PartialEq)]
pub struct Parting {
    /// The step, from 1.
    pub step: usize,
    /// What differs: `the loss`, `the gradient of hidden.0.weight`,
    /// `hidden.0.weight after the step`. The first is where the step met it.
    pub what: Vec<(String, f64)>,
}

impl ParityStep {
    /// The relative difference of the losses; infinite where one is no number.
    pub fn loss_gap(&self) -> f64 {
        match self.losses {
            [Some(one), Some(other)] => {
                apart(Some(relative((one - other).abs(), one.abs(), other.abs())))
            }
            _ => f64::INFINITY,
        }
    }

    /// The largest difference of a gradient, and whose; infinite, and nobody's, where
    /// there is none to compare.
    pub fn gradient_gap(&self) -> (f64, &str) {
        self.largest(|layer| layer.gradient)
    }

    /// The largest difference of weights, and whose; as that of gradients.
    pub fn weights_gap(&self) -> (f64, &str) {
        self.largest(|layer| layer.weights)
    }

    fn largest(&self, gap: impl Fn(&LayerGap) -> Option<f64>) -> (f64, &str) {
        let gaps = self.layers.iter();
        gaps.map(|layer| (apart(gap(layer)), layer.name.as_str()))
            .max_by(|one, other| one.0.total_cmp(&other.0))
            .unwrap_or((f64::INFINITY, ""))
    }

    /// What differs beyond `tolerance`: the loss, then gradients from the last
    /// layer to the first, as the backward pass meets them, then weights.
    fn beyond(&self, tolerance: Tolerance) -> Vec<(String, f64)> {
        let mut found = Vec::new();
        let mut judge = |what: String, gap: f64, most: f64| {
            if gap > most {
                found.push((what, gap));
            }
        };
        judge("the loss".into(), self.loss_gap(), tolerance.loss);
        if self.layers.is_empty() {
            judge("no parameter".into(), f64::INFINITY, tolerance.layers);
        }
        for layer in self.layers.iter().rev() {
            let gap = apart(layer.gradient);
            judge(
                format!("the gradient of {}", layer.name),
                gap,
                tolerance.layers,
            );
        }
        for layer in &self.layers {
            let gap = apart(layer.weights);
            judge(
                format!("{} after the step", layer.name),
                gap,
                tolerance.layers,
            );
        }
        found
    }
}

/// A difference that can be compared: infinite where it is no number, which no
/// comparison finds, and of which there is one that sorts before all numbers.
fn apart(gap: Option<f64>) -> f64 {
    gap.filter(|gap| !gap.is_nan()).unwrap_or(f64::INFINITY)
}

/// Where two trainings part for the first time, if they do. Trainings without a step
/// do not; whoever asks has to have some.
pub fn parting(steps: &[ParityStep], tolerance: Tolerance) -> Option<Parting> {
    steps.iter().find_map(|step| {
        let what = step.beyond(tolerance);
        (!what.is_empty()).then_some(Parting {
            step: step.step,
            what,
        })
    })
}

/// `difference` over the larger of two sizes; 0 where all are.
pub fn relative(difference: f64, one: f64, other: f64) -> f64 {
    if difference == 0.0 {
        return 0.0;
    }
    difference / one.max(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(step: usize, losses: [f64; 2], layers: &[(&str, f64, f64)]) -> ParityStep {
        let layers = layers.iter().map(|&(name, gradient, weights)| LayerGap {
            name: name.into(),
            gradient: gradient.is_finite().then_some(gradient),
            weights: Some(weights),
        });
        ParityStep {
            step,
            losses: losses.map(|loss| loss.is_finite().then_some(loss)),
            layers: layers.collect(),
        }
    }

    const TOLERANCE: Tolerance = Tolerance {
        loss: 1e-4,
        layers: 1e-3,
    };

    #[test]
    fn rounding_is_no_difference() {
        let steps = [
            step(1, [1.0, 1.000_09], &[("a", 9e-4, 9e-4)]),
            step(2, [0.0, 0.0], &[("a", 0.0, 0.0)]),
        ];
        assert_eq!(parting(&steps, TOLERANCE), None);
        assert_eq!(parting(&[], TOLERANCE), None);
    }

    #[test]
    fn the_first_difference_is_named_as_the_step_meets_it() {
        let steps = [
            step(1, [1.0, 1.0], &[("a", 0.0, 0.0), ("b", 0.0, 0.0)]),
            step(2, [1.0, 1.0], &[("a", 0.5, 0.1), ("b", 0.25, 0.0)]),
            step(3, [1.0, 2.0], &[("a", 1.0, 1.0), ("b", 1.0, 1.0)]),
        ];
        let parting = parting(&steps, TOLERANCE).expect("they part");
        assert_eq!(parting.step, 2);
        let what: Vec<&str> = parting.what.iter().map(|(what, _)| what.as_str()).collect();
        let expected = ["the gradient of b", "the gradient of a", "a after the step"];
        assert_eq!(what, expected);
        assert_eq!(steps[1].gradient_gap(), (0.5, "a"));
        assert_eq!(steps[2].loss_gap(), 0.5);
    }

    #[test]
    fn what_is_no_number_differs_from_all() {
        for steps in [
            [step(1, [f64::NAN, 1.0], &[])],
            [step(1, [1.0, 1.0], &[("a", f64::NAN, 0.0)])],
        ] {
            let parting = parting(&steps, TOLERANCE).expect("they part");
            assert_eq!(parting.what[0].1, f64::INFINITY);
        }
        // Of either sign: -NaN sorts before all numbers. The processor makes it of 0/0.
        for nan in [f64::NAN, -f64::NAN] {
            let mut with_nan = step(1, [1.0, 1.0], &[("a", 0.0, 0.0), ("b", 0.0, 0.0)]);
            with_nan.layers[1].gradient = Some(nan);
            with_nan.layers[0].weights = Some(nan);
            assert_eq!(with_nan.gradient_gap(), (f64::INFINITY, "b"));
            assert_eq!(with_nan.weights_gap(), (f64::INFINITY, "a"));
            with_nan.losses = [Some(nan), Some(1.0)];
            assert_eq!(with_nan.loss_gap(), f64::INFINITY);
            let parting = parting(&[with_nan], TOLERANCE).expect("they part");
            assert_eq!(parting.what.len(), 3, "{parting:?}");
        }
    }

    #[test]
    fn a_step_that_compares_no_parameter_is_not_equal() {
        let empty = step(1, [1.0, 1.0], &[]);
        assert_eq!(empty.gradient_gap(), (f64::INFINITY, ""));
        let parting = parting(&[empty], TOLERANCE).expect("they part");
        assert_eq!(parting.what, [("no parameter".to_string(), f64::INFINITY)]);
    }
}
