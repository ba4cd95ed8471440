//! Compares our fully connected layer with Burn's, and our optimizer steps with their
//! formulas, on every CPU backend that is compiled in.
#![cfg(any(feature = "flex", feature = "ndarray"))]

mod common;

use burn::tensor::{Device, Tensor, TensorData};
use chacha20::ChaCha8Rng;
use common::{devices, values};
use kindling_ops::{Activation, Adam, Sgd, adam_step, dense, dense_of_burn, sgd_step};
use rand::{RngExt, SeedableRng};

fn draw<const D: usize>(rng: &mut ChaCha8Rng, shape: [usize; D], device: &Device) -> Tensor<D> {
    let count = shape.iter().product();
    let values: Vec<f32> = (0..count).map(|_| rng.random_range(-1.0..1.0)).collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// Checks that the weights after some steps differ by at most `most`.
#[track_caller]
fn assert_stepped(found: &[f32], expected: &[f64], most: f64) {
    assert_eq!(found.len(), expected.len());
    for (&found, &expected) in found.iter().zip(expected) {
        let near = (f64::from(found) - expected).abs() <= most;
        assert!(near, "{found}, expected {expected}");
    }
}

#[track_caller]
fn assert_near(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    let largest = expected
        .iter()
        .fold(1f32, |most, value| most.max(value.abs()));
    for (found, expected) in found.iter().zip(expected) {
        let near = (found - expected).abs() <= 1e-5 * largest;
        assert!(near, "{found}, expected {expected}");
    }
}

type Operation = fn(Tensor<2>, Tensor<2>, Tensor<1>, Activation) -> Tensor<2>;

/// The output, and the gradients of the sum of its squares with respect to input, weight and
/// bias.
fn run(
    [x, weight]: [Tensor<2>; 2],
    bias: Tensor<1>,
    activation: Activation,
    operation: Operation,
) -> [Vec<f32>; 4] {
    let (x, weight, bias) = (x.require_grad(), weight.require_grad(), bias.require_grad());
    let output = operation(x.clone(), weight.clone(), bias.clone(), activation);
    let gradients = (output.clone() * output.clone()).sum().backward();
    [
        values(output),
        values(x.grad(&gradients).expect("the input's gradient")),
        values(weight.grad(&gradients).expect("the weight's gradient")),
        values(bias.grad(&gradients).expect("the bias's gradient")),
    ]
}

#[test]
fn random_layers_give_the_same_as_burn() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for device in devices() {
        let device = device.autodiff();
        for activation in [Activation::None, Activation::Relu, Activation::Sigmoid] {
            // The last layer is large enough for several threads.
            for [batch, inputs, outputs] in [[1, 1, 1], [3, 7, 2], [64, 10, 33], [128, 130, 140]] {
                let x = draw(&mut rng, [batch, inputs], &device);
                let weight = draw(&mut rng, [inputs, outputs], &device);
                let bias = draw(&mut rng, [outputs], &device);
                let inputs = [x, weight];
                let found = run(inputs.clone(), bias.clone(), activation, dense);
                let expected = run(inputs, bias, activation, dense_of_burn);
                for (found, expected) in found.iter().zip(&expected) {
                    assert_near(found, expected);
                }
            }
        }
    }
}

#[test]
fn tensors_that_are_not_contiguous_are_read_correctly() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    for device in devices() {
        let x = draw(&mut rng, [5, 4], &device).transpose();
        let weight = draw(&mut rng, [6, 5], &device).transpose();
        let bias = draw(&mut rng, [6], &device);
        let found = dense(x.clone(), weight.clone(), bias.clone(), Activation::None);
        let expected = dense_of_burn(x, weight, bias, Activation::None);
        assert_near(&values(found), &values(expected));
    }
}

#[test]
fn a_nan_in_the_input_reaches_the_output() {
    for device in devices() {
        for activation in [Activation::None, Activation::Relu, Activation::Sigmoid] {
            let x = Tensor::from_floats([[f32::NAN]], &device);
            let output = dense(
                x,
                Tensor::ones([1, 1], &device),
                Tensor::zeros([1], &device),
                activation,
            );
            assert!(values(output)[0].is_nan(), "{activation:?}");
        }
    }
}

/// The shape of a weight. Its 40,000 values are more than one chunk.
const SHAPE: [usize; 2] = [400, 100];

const PLAIN: Sgd = Sgd {
    momentum: 0.9,
    nesterov: false,
    weight_decay: 0.0,
};

#[test]
fn sgd_agrees_with_its_formula() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    for device in devices() {
        let mut weight = draw(&mut rng, SHAPE, &device);
        let by_hand = values(weight.clone());
        let mut by_hand: Vec<f64> = by_hand.into_iter().map(f64::from).collect();
        let mut speed = vec![0f64; 40_000];
        let mut velocity = None;
        for _ in 0..3 {
            let gradient = draw(&mut rng, SHAPE, &device);
            for ((weight, speed), gradient) in by_hand
                .iter_mut()
                .zip(&mut speed)
                .zip(values(gradient.clone()))
            {
                *speed = 0.9 * *speed + f64::from(gradient);
                *weight -= 0.1 * *speed;
            }
            let step = sgd_step(0.1, PLAIN, weight, gradient, velocity);
            (weight, velocity) = (step.0, Some(step.1));
        }
        assert_stepped(&values(weight), &by_hand, 4e-7);
    }
}

#[test]
fn adam_agrees_with_its_formula_and_changes_no_shared_tensor() {
    let adam = Adam {
        beta_1: 0.9,
        beta_2: 0.999,
        epsilon: 1e-7,
        weight_decay: 0.0,
    };
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    // If gradients are as small as epsilon, a step depends on epsilon.
    let scales = [1.0, 1e-6, 1e-7];
    for (device, scale) in devices()
        .into_iter()
        .flat_map(|device| scales.map(|scale| (device.clone(), scale)))
    {
        let mut weight = draw(&mut rng, SHAPE, &device);
        let before = weight.clone();
        let first = values(before.clone());
        let mut by_hand: Vec<f64> = first.iter().map(|&value| f64::from(value)).collect();
        let mut averages = vec![[0f64; 2]; 40_000];
        let mut moments = None;
        for time in 1..=3 {
            let gradient = draw(&mut rng, SHAPE, &device) * scale;
            let shared = gradient.clone();
            let given = values(gradient.clone());
            for ((weight, [mean, square]), gradient) in
                by_hand.iter_mut().zip(&mut averages).zip(&given)
            {
                let gradient = f64::from(*gradient);
                *mean = 0.9 * *mean + 0.1 * gradient;
                *square = 0.999 * *square + 0.001 * gradient * gradient;
                let mean = *mean / (1.0 - 0.9f64.powi(time));
                let square = *square / (1.0 - 0.999f64.powi(time));
                *weight -= 0.01 * mean / (square.sqrt() + 1e-7);
            }
            let step = adam_step(0.01, adam, time as usize, weight, gradient, moments);
            (weight, moments) = (step.0, Some(step.1));
            assert_eq!(values(shared), given);
        }
        // In 32 bits, 1 - 0.999 has a relative error of 1.3e-5. Half of this error remains in
        // a step.
        assert_stepped(&values(weight), &by_hand, 2e-6);
        assert_eq!(values(before), first);
    }
}

#[test]
fn a_step_panics_on_unequal_shapes_and_on_time_zero() {
    let adam = Adam {
        beta_1: 0.9,
        beta_2: 0.999,
        epsilon: 1e-7,
        weight_decay: 0.0,
    };
    let panic_message = |step: &dyn Fn()| {
        let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(step));
        let panic = panic.expect_err("a panic");
        let text = panic.downcast_ref::<String>().cloned();
        text.unwrap_or_else(|| panic.downcast_ref::<&str>().expect("a text").to_string())
    };
    for device in devices() {
        let tensor = |shape: [usize; 2]| Tensor::<2>::ones(shape, &device);
        // [3, 2] has the same number of values, and Burn would broadcast [1, 3] and [2, 1].
        for other in [[3, 3], [3, 2], [1, 3], [2, 1]] {
            for which in 0..4 {
                let of = |place: usize| tensor(if place == which { other } else { [2, 3] });
                if which < 3 {
                    let step = || drop(sgd_step(0.1, PLAIN, of(0), of(1), Some(of(2))));
                    assert!(panic_message(&step).contains("equal shapes"));
                }
                let step = || drop(adam_step(0.1, adam, 2, of(0), of(1), Some([of(2), of(3)])));
                assert!(panic_message(&step).contains("equal shapes"));
            }
        }
        let ones = || tensor([2, 3]);
        let step = || drop(adam_step(0.1, adam, 0, ones(), ones(), None));
        assert!(panic_message(&step).contains("counted from 1"));
    }
}
