//! The steps of SGD and Adam, each in one pass over the parameters. With Burn's operations, a
//! step of Adam takes more than ten passes.

use burn::tensor::Tensor;

#[cfg(any(feature = "flex", feature = "ndarray"))]
use crate::{
    cpu_backend::{CpuBackend, cpu_backend},
    storage::update_tensors,
};

/// A step of SGD with momentum: `velocity = momentum * velocity + gradient`, and then
/// `weight = weight - rate * velocity`. Returns the new weight and velocity. Before the first
/// step the velocity is `None`.
///
/// # Panics
///
/// If a tensor is on a device with autodiff, or if the shapes of the tensors differ.
pub fn sgd_step<const D: usize>(
    rate: f64,
    momentum: f64,
    weight: Tensor<D>,
    gradient: Tensor<D>,
    velocity: Option<Tensor<D>>,
) -> (Tensor<D>, Tensor<D>) {
    let velocity = velocity.unwrap_or_else(|| Tensor::zeros(gradient.dims(), &gradient.device()));
    check_shapes(&weight, [&gradient, &velocity]);
    #[cfg(any(feature = "flex", feature = "ndarray"))]
    if let Some(backend) = cpu_backend(&weight.device()) {
        let (rate, momentum) = (rate as f32, momentum as f32);
        let update = move |weight: &[f32], [gradient, velocity]: [&mut [f32]; 2]| {
            for ((weight, gradient), velocity) in weight.iter().zip(gradient).zip(velocity) {
                *velocity = momentum.mul_add(*velocity, *gradient);
                *gradient = (-rate).mul_add(*velocity, *weight);
            }
        };
        let [weight, velocity] = run_on(backend, weight, [gradient, velocity], update);
        return (weight, velocity);
    }
    let velocity = velocity.mul_scalar(momentum) + gradient;
    (weight - velocity.clone().mul_scalar(rate), velocity)
}

/// Panics unless all tensors have the shape of the weight. Burn would broadcast a smaller
/// tensor without an error.
#[track_caller]
fn check_shapes<const D: usize, const N: usize>(weight: &Tensor<D>, others: [&Tensor<D>; N]) {
    for other in others {
        assert_eq!(other.dims(), weight.dims(), "a step needs equal shapes");
    }
}

/// The constants of Adam.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adam {
    /// The decay rate of the moving average of the gradients.
    pub beta_1: f64,
    /// The decay rate of the moving average of the squared gradients.
    pub beta_2: f64,
    /// A small number added to the denominator, so that the step stays finite.
    pub epsilon: f64,
}

/// A step of Adam (Kingma and Ba, 2015, algorithm 1, in the order of computation at the end of
/// section 2). `time` is the number of the step, from 1. Returns the new weight and the two
/// moments: the moving averages of the gradients and of their squares. Before the first step
/// the moments are `None`.
///
/// # Panics
///
/// If a tensor is on a device with autodiff, if the shapes of the tensors differ, or if
/// `time` is 0.
pub fn adam_step<const D: usize>(
    rate: f64,
    adam: Adam,
    time: usize,
    weight: Tensor<D>,
    gradient: Tensor<D>,
    moments: Option<[Tensor<D>; 2]>,
) -> (Tensor<D>, [Tensor<D>; 2]) {
    let Adam {
        beta_1,
        beta_2,
        epsilon,
    } = adam;
    let zeros = || Tensor::zeros(gradient.dims(), &gradient.device());
    let [mean, square] = moments.unwrap_or_else(|| [zeros(), zeros()]);
    check_shapes(&weight, [&gradient, &mean, &square]);
    assert!(time >= 1, "steps are counted from 1");
    let steps = i32::try_from(time).unwrap_or(i32::MAX);
    // The step is rate * (mean / (1 - beta_1^t)) / (sqrt(square / (1 - beta_2^t)) + epsilon).
    // This code moves both corrections into the rate and epsilon.
    let root = (1.0 - beta_2.powi(steps)).sqrt();
    let rate = rate * root / (1.0 - beta_1.powi(steps));
    let epsilon = epsilon * root;
    #[cfg(any(feature = "flex", feature = "ndarray"))]
    if let Some(backend) = cpu_backend(&weight.device()) {
        let (rate, epsilon) = (rate as f32, epsilon as f32);
        let (beta_1, beta_2) = (beta_1 as f32, beta_2 as f32);
        let update = move |weight: &[f32], [gradient, mean, square]: [&mut [f32]; 3]| {
            let moments = mean.iter_mut().zip(square);
            for ((weight, gradient), (mean, square)) in weight.iter().zip(gradient).zip(moments) {
                *mean = beta_1.mul_add(*mean - *gradient, *gradient);
                let squared = *gradient * *gradient;
                *square = beta_2.mul_add(*square - squared, squared);
                *gradient = *weight - rate * *mean / (square.sqrt() + epsilon);
            }
        };
        let [weight, mean, square] = run_on(backend, weight, [gradient, mean, square], update);
        return (weight, [mean, square]);
    }
    let mean = mean.mul_scalar(beta_1) + gradient.clone().mul_scalar(1.0 - beta_1);
    let square = square.mul_scalar(beta_2) + gradient.square().mul_scalar(1.0 - beta_2);
    let step = mean.clone().mul_scalar(rate) / square.clone().sqrt().add_scalar(epsilon);
    (weight - step, [mean, square])
}

/// Runs `update` on the values of tensors of a CPU backend; see [`update_tensors`].
#[cfg(any(feature = "flex", feature = "ndarray"))]
fn run_on<const D: usize, const N: usize>(
    backend: CpuBackend,
    read: Tensor<D>,
    write: [Tensor<D>; N],
    update: impl Fn(&[f32], [&mut [f32]; N]) + Sync,
) -> [Tensor<D>; N] {
    match backend {
        #[cfg(feature = "flex")]
        CpuBackend::Flex => update_tensors::<burn::backend::Flex, D, N>(read, write, update),
        #[cfg(feature = "ndarray")]
        #[allow(deprecated, reason = "Burn recommends flex, and still keeps ndarray")]
        CpuBackend::NdArray => update_tensors::<burn::backend::NdArray, D, N>(read, write, update),
    }
}
