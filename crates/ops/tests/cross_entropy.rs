//! Compares our cross-entropy with scipy, and with Burn's operations on every CPU backend that
//! is compiled in.
#![cfg(any(feature = "flex", feature = "ndarray"))]

mod common;

use burn::tensor::{Device, Int, Tensor, TensorData};
use chacha20::ChaCha8Rng;
use common::{devices, values};
use kindling_ops::{cross_entropy, cross_entropy_of_burn};
use rand::{RngExt, SeedableRng};

#[track_caller]
fn assert_near(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        let near = (found - expected).abs() <= 1e-6 * expected.abs().max(1.0);
        assert!(near, "{found}, expected {expected}");
    }
}

/// The losses of the rows, and the gradient of the weighted sum of the losses with respect to
/// the logits. The weight of a row is its number, from 1.
fn run(
    logits: &Tensor<2>,
    labels: &Tensor<1, Int>,
    loss: impl Fn(Tensor<2>, Tensor<1, Int>) -> Tensor<1>,
) -> [Vec<f32>; 2] {
    let logits = logits.clone().require_grad();
    let losses = loss(logits.clone(), labels.clone());
    let places = Tensor::arange(1..1 + losses.dims()[0] as i64, &losses.device()).float();
    let gradients = (losses.clone() * places).sum().backward();
    let of_logits = logits.grad(&gradients).expect("a gradient");
    [values(losses), values(of_logits)]
}

fn logits_and_labels<const N: usize, const M: usize>(
    logits: [[f32; N]; M],
    labels: [i64; M],
    device: &Device,
) -> (Tensor<2>, Tensor<1, Int>) {
    let labels = Tensor::from_ints(labels, device);
    (Tensor::from_floats(logits, device), labels)
}

// From scipy: -log_softmax([[1, 2, 3], [0, 0, 0], [1000, 0, 0]], axis=1) at the labels 0, 2
// and 1, and softmax - onehot of the first two rows.
#[test]
fn losses_and_gradients_are_those_of_scipy_even_for_large_logits() {
    for device in devices() {
        let rows = [[1., 2., 3.], [0., 0., 0.], [1000., 0., 0.]];
        let (logits, labels) = logits_and_labels(rows, [0, 2, 1], &device);
        let losses = values(cross_entropy(logits, labels));
        assert_near(&losses, &[2.407_606, 1.098_612_3, 1000.0]);
        let rows = [[1., 2., 3.], [0., 0., 0.]];
        let (logits, labels) = logits_and_labels(rows, [0, 2], &device.autodiff());
        let [_, gradient] = run(&logits, &labels, cross_entropy);
        let second = [0.333_333_34, 0.333_333_34, -0.666_666_7].map(|value| 2.0 * value);
        let first = [-0.909_969_4, 0.244_728_48, 0.665_240_94];
        assert_near(&gradient, &[first, second].concat());
    }
}

#[test]
fn random_logits_give_the_same_as_burn() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for device in devices() {
        let device = device.autodiff();
        for [batch, classes] in [[1, 1], [3, 7], [5, 16], [128, 10], [70, 47]] {
            let mut draw = |most: f32| rng.random_range(-most..most);
            let logits: Vec<f32> = (0..batch * classes).map(|_| draw(9.0)).collect();
            let labels = (0..batch).map(|_| rng.random_range(0..classes as i64));
            let labels: Vec<i64> = labels.collect();
            let logits = Tensor::from_data(TensorData::new(logits, [batch, classes]), &device);
            let labels = Tensor::from_data(TensorData::new(labels, [batch]), &device);
            let found = run(&logits, &labels, cross_entropy);
            let expected = run(&logits, &labels, cross_entropy_of_burn);
            for (found, expected) in found.iter().zip(&expected) {
                let scale = batch as f32;
                let scaled = |values: &[f32]| values.iter().map(|v| v / scale).collect::<Vec<_>>();
                assert_near(&scaled(found), &scaled(expected));
            }
        }
    }
}
