//! The differences between the same training on two devices, and which of them are larger than
//! rounding.

use kindling_formats::{LayerGap, ParityStep, relative_difference};

/// The largest differences that count as rounding.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tolerance {
    /// The relative difference of the loss.
    pub loss: f64,
    /// The relative difference of gradients and weights; see [`LayerGap`].
    pub layers: f64,
}

/// The first difference that is more than rounding.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The step, counted from 1.
    pub step: usize,
    /// The values that differ, and their relative differences, in the order in which the step
    /// computes them. Names are `the loss`, `the gradient of hidden.0.weight`, or
    /// `hidden.0.weight after the step`.
    pub what: Vec<(String, f64)>,
}

/// The first step in which two trainings differ by more than `tolerance`. `None` if no step
/// differs, or if there are no steps.
pub fn first_difference(steps: &[ParityStep], tolerance: Tolerance) -> Option<Difference> {
    steps.iter().find_map(|step| {
        let what = beyond(step, tolerance);
        (!what.is_empty()).then_some(Difference {
            step: step.step,
            what,
        })
    })
}

/// The relative difference of the losses; infinite if one of them is NaN or infinite.
pub fn loss_gap(step: &ParityStep) -> f64 {
    match step.losses {
        [Some(one), Some(other)] => comparable(Some(relative_difference(
            (one - other).abs(),
            one.abs(),
            other.abs(),
        ))),
        _ => f64::INFINITY,
    }
}

/// The largest relative difference of a gradient, and the name of its parameter. If there are
/// no parameters, the difference is infinite and the name is empty.
pub fn gradient_gap(step: &ParityStep) -> (f64, &str) {
    largest(step, |layer| layer.gradient)
}

/// The largest relative difference of weights after the step, and the name of their parameter.
/// If there are no parameters, the difference is infinite and the name is empty.
pub fn weights_gap(step: &ParityStep) -> (f64, &str) {
    largest(step, |layer| layer.weights)
}

fn largest(step: &ParityStep, gap: impl Fn(&LayerGap) -> Option<f64>) -> (f64, &str) {
    let gaps = step.layers.iter();
    gaps.map(|layer| (comparable(gap(layer)), layer.name.as_str()))
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .unwrap_or((f64::INFINITY, ""))
}

/// The values of a step that differ by more than `tolerance`: first the loss, then gradients
/// from the last layer to the first, as the backward pass computes them, then weights.
fn beyond(step: &ParityStep, tolerance: Tolerance) -> Vec<(String, f64)> {
    let mut found = Vec::new();
    let mut judge = |what: String, gap: f64, largest: f64| {
        if gap > largest {
            found.push((what, gap));
        }
    };
    judge("the loss".into(), loss_gap(step), tolerance.loss);
    if step.layers.is_empty() {
        judge("no parameter".into(), f64::INFINITY, tolerance.layers);
    }
    for layer in step.layers.iter().rev() {
        let what = format!("the gradient of {}", layer.name);
        judge(what, comparable(layer.gradient), tolerance.layers);
    }
    for layer in &step.layers {
        let what = format!("{} after the step", layer.name);
        judge(what, comparable(layer.weights), tolerance.layers);
    }
    found
}

/// The difference, or infinity if it is missing or NaN. A NaN would count as small: every
/// comparison with NaN is false, and `total_cmp` orders a negative NaN before all numbers.
fn comparable(gap: Option<f64>) -> f64 {
    gap.filter(|gap| !gap.is_nan()).unwrap_or(f64::INFINITY)
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
    fn rounding_does_not_count_as_a_difference() {
        let steps = [
            step(1, [1.0, 1.000_09], &[("a", 9e-4, 9e-4)]),
            step(2, [0.0, 0.0], &[("a", 0.0, 0.0)]),
        ];
        assert_eq!(first_difference(&steps, TOLERANCE), None);
        assert_eq!(first_difference(&[], TOLERANCE), None);
    }

    #[test]
    fn differences_are_named_in_the_order_of_the_step() {
        let steps = [
            step(1, [1.0, 1.0], &[("a", 0.0, 0.0), ("b", 0.0, 0.0)]),
            step(2, [1.0, 1.0], &[("a", 0.5, 0.1), ("b", 0.25, 0.0)]),
            step(3, [1.0, 2.0], &[("a", 1.0, 1.0), ("b", 1.0, 1.0)]),
        ];
        let difference = first_difference(&steps, TOLERANCE).expect("they differ");
        assert_eq!(difference.step, 2);
        let what: Vec<&str> = difference
            .what
            .iter()
            .map(|(what, _)| what.as_str())
            .collect();
        let expected = ["the gradient of b", "the gradient of a", "a after the step"];
        assert_eq!(what, expected);
        assert_eq!(gradient_gap(&steps[1]), (0.5, "a"));
        assert_eq!(loss_gap(&steps[2]), 0.5);
    }

    #[test]
    fn a_nan_differs_from_every_number() {
        for steps in [
            [step(1, [f64::NAN, 1.0], &[])],
            [step(1, [1.0, 1.0], &[("a", f64::NAN, 0.0)])],
        ] {
            let difference = first_difference(&steps, TOLERANCE).expect("they differ");
            assert_eq!(difference.what[0].1, f64::INFINITY);
        }
        // Both signs are tested: a negative NaN, the result of 0/0, sorts before all numbers.
        for nan in [f64::NAN, -f64::NAN] {
            let mut with_nan = step(1, [1.0, 1.0], &[("a", 0.0, 0.0), ("b", 0.0, 0.0)]);
            with_nan.layers[1].gradient = Some(nan);
            with_nan.layers[0].weights = Some(nan);
            assert_eq!(gradient_gap(&with_nan), (f64::INFINITY, "b"));
            assert_eq!(weights_gap(&with_nan), (f64::INFINITY, "a"));
            with_nan.losses = [Some(nan), Some(1.0)];
            assert_eq!(loss_gap(&with_nan), f64::INFINITY);
            let difference = first_difference(&[with_nan], TOLERANCE).expect("they differ");
            assert_eq!(difference.what.len(), 3, "{difference:?}");
        }
    }

    #[test]
    fn a_step_without_parameters_counts_as_a_difference() {
        let empty = step(1, [1.0, 1.0], &[]);
        assert_eq!(gradient_gap(&empty), (f64::INFINITY, ""));
        let difference = first_difference(&[empty], TOLERANCE).expect("they differ");
        assert_eq!(
            difference.what,
            [("no parameter".to_string(), f64::INFINITY)]
        );
    }
}
