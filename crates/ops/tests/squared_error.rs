//! Compares our squared error with Burn's operations, on every CPU backend that is compiled
//! in.
#![cfg(any(feature = "flex", feature = "ndarray"))]

mod common;

use burn::tensor::{Device, Tensor, TensorData};
use chacha20::ChaCha8Rng;
use common::{devices, values};
use kindling_ops::{squared_error, squared_error_of_burn};
use rand::{RngExt, SeedableRng};

#[track_caller]
fn assert_near(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        let near = (found - expected).abs() <= 2e-6 * expected.abs().max(1.0);
        assert!(near, "{found}, expected {expected}");
    }
}

fn draw(rng: &mut ChaCha8Rng, shape: [usize; 2], most: f32, device: &Device) -> Tensor<2> {
    let count = shape.iter().product();
    let values: Vec<f32> = (0..count).map(|_| rng.random_range(-most..most)).collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// The losses of the rows of `x`, and the gradient of the weighted sum of the losses with
/// respect to `x`. The weight of a row is its number, from 1.
fn run(x: &Tensor<2>, loss: impl Fn(Tensor<2>) -> Tensor<1>) -> [Vec<f32>; 2] {
    let x = x.clone().require_grad();
    let losses = loss(x.clone());
    let places = Tensor::arange(1..1 + losses.dims()[0] as i64, &losses.device()).float();
    let gradients = (losses.clone() * places).sum().backward();
    [
        losses,
        x.grad(&gradients).expect("a gradient").flatten(0, 1),
    ]
    .map(values)
}

#[test]
fn random_rows_give_the_same_as_burn() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for device in devices() {
        let device = device.autodiff();
        for shape in [[1, 1], [3, 7], [5, 16], [70, 10], [130, 784]] {
            let x = draw(&mut rng, shape, 9.0, &device);
            let target = draw(&mut rng, shape, 1.0, &device);
            let found = run(&x, |x| squared_error(x, target.clone()));
            let expected = run(&x, |x| squared_error_of_burn(x, target.clone()));
            for (found, expected) in found.iter().zip(&expected) {
                assert_near(found, expected);
            }
        }
    }
}

#[test]
fn a_nan_in_the_input_reaches_the_output() {
    for device in devices() {
        let x = Tensor::from_floats([[1., f32::NAN], [0., 0.]], &device);
        let errors = values(squared_error(x, Tensor::zeros([2, 2], &device)));
        assert!(errors[0].is_nan() && errors[1] == 0.0, "{errors:?}");
    }
}
