//! Compares our sigmoid with Burn's, on every CPU backend that is compiled in.
#![cfg(any(feature = "flex", feature = "ndarray"))]

mod common;

use burn::tensor::activation::sigmoid as sigmoid_of_burn;
use burn::tensor::{Tensor, TensorData};
use common::{devices, values};
use kindling_ops::sigmoid;

/// The sigmoid of `x`, and the gradient of its weighted sum with respect to `x`. The weight of a
/// value is its number, from 1.
fn run(x: &Tensor<2>, operation: impl Fn(Tensor<2>) -> Tensor<2>) -> [Vec<f32>; 2] {
    let x = x.clone().require_grad();
    let output = operation(x.clone());
    let count = output.shape().num_elements() as i64;
    let weights = Tensor::arange(1..1 + count, &output.device()).float();
    let weights: Tensor<2> = weights.reshape(output.dims());
    let gradients = (output.clone() * weights).sum().backward();
    [output, x.grad(&gradients).expect("a gradient")].map(values)
}

#[test]
fn values_and_gradients_are_those_of_burn() {
    for device in devices() {
        let device = device.autodiff();
        for shape in [[1, 1], [3, 7], [70, 784]] {
            let count: usize = shape.iter().product();
            let numbers = (0..count).map(|place| (place * 31 % 1009) as f32 / 50.0 - 10.0);
            let data = TensorData::new(numbers.collect::<Vec<f32>>(), shape);
            let x = Tensor::from_data(data, &device);
            // The gradient of a tensor that is not contiguous must be right, too.
            for x in [x.clone(), x.transpose()] {
                let found = run(&x, sigmoid);
                let expected = run(&x, sigmoid_of_burn);
                for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
                    let near = (found - expected).abs() <= 2e-6 * expected.abs().max(1e-3);
                    assert!(near, "{found}, expected {expected}");
                }
            }
        }
    }
}

#[test]
fn extreme_values_and_nan_have_the_limits() {
    for device in devices() {
        let x = Tensor::<1>::from_floats([f32::NEG_INFINITY, f32::INFINITY, f32::NAN], &device);
        let found = values(sigmoid(x));
        assert!(
            found[0] < 1e-37 && found[1] == 1.0 && found[2].is_nan(),
            "{found:?}"
        );
    }
}
