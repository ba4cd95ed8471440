//! Compares our fully connected layer with Burn's on every CPU backend that is compiled in.
#![cfg(any(feature = "flex", feature = "ndarray"))]

mod common;

use burn::tensor::{Device, Tensor, TensorData};
use chacha20::ChaCha8Rng;
use common::{devices, values};
use kindling_ops::{Activation, dense, dense_of_burn};
use rand::{RngExt, SeedableRng};

fn draw<const D: usize>(rng: &mut ChaCha8Rng, shape: [usize; D], device: &Device) -> Tensor<D> {
    let count = shape.iter().product();
    let values: Vec<f32> = (0..count).map(|_| rng.random_range(-1.0..1.0)).collect();
    Tensor::from_data(TensorData::new(values, shape), device)
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
