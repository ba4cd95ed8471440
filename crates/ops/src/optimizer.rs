//! Steps of optimizers in one pass over memory. Composed of Burn's operations,
//! a step of Adam takes more than ten, each through all parameters.

use burn::tensor::Tensor;

#[cfg(any(feature = "flex", feature = "ndarray"))]
use crate::{own::Own, own::own, storage::update};

/// SGD with momentum: `velocity = momentum * velocity + gradient`, then
/// `weight = weight - rate * velocity`. Returns weight and velocity; the first
/// step has no velocity.
///
/// # Panics
///
/// If a tensor is on a device with autodiff: a step is none of the graph's. If the
/// shapes of the tensors differ.
pub fn sgd_step<const D: usize>(
    rate: f64,
    momentum: f64,
    weight: Tensor<D>,
    gradient: Tensor<D>,
    velocity: Option<Tensor<D>>,
) -> (Tensor<D>, Tensor<D>) {
    let velocity = velocity.unwrap_or_else(|| Tensor::zeros(gradient.dims(), &gradient.device()));
    fit(&weight, [&gradient, &velocity]);
    #[cfg(any(feature = "flex", feature = "ndarray"))]
    if let Some(backend) = own(&weight.device()) {
        let (rate, momentum) = (rate as f32, momentum as f32);
        let pass = move |weight: &[f32], [gradient, velocity]: [&mut [f32]; 2]| {
            for ((weight, gradient), velocity) in weight.iter().zip(gradient).zip(velocity) {
                *velocity = momentum.mul_add(*velocity, *gradient);
                *gradient = (-rate).mul_add(*velocity, *weight);
            }
        };
        let [weight, velocity] = on(backend, weight, [gradient, velocity], pass);
        return (weight, velocity);
    }
    let velocity = velocity.mul_scalar(momentum) + gradient;
    (weight - velocity.clone().mul_scalar(rate), velocity)
}

/// Panics unless all have the shape of the weight: Burn would repeat what is too small.
#[track_caller]
fn fit<const D: usize, const N: usize>(weight: &Tensor<D>, others: [&Tensor<D>; N]) {
    for other in others {
        assert_eq!(other.dims(), weight.dims(), "a step needs equal shapes");
    }
}

/// The constants of Adam.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adam {
    /// Decay of the mean of gradients.
    pub beta_1: f64,
    /// Decay of the mean of their squares.
    pub beta_2: f64,
    /// What keeps the quotient finite.
    pub epsilon: f64,
}

/// Step number `time`, from 1, of Adam (Kingma and Ba, 2015, algorithm 1 in the
/// order of computation of their section 2). Returns the weight and the moments;
/// the first step has none.
///
/// # Panics
///
/// As [`sgd_step`]. If `time` is 0.
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
    fit(&weight, [&gradient, &mean, &square]);
    assert!(time >= 1, "steps are counted from 1");
    let steps = i32::try_from(time).unwrap_or(i32::MAX);
    // mean / (1 - beta_1^t) over sqrt(square / (1 - beta_2^t)) + epsilon, with
    // both corrections in the rate and in epsilon.
    let root = (1.0 - beta_2.powi(steps)).sqrt();
    let rate = rate * root / (1.0 - beta_1.powi(steps));
    let epsilon = epsilon * root;
    #[cfg(any(feature = "flex", feature = "ndarray"))]
    if let Some(backend) = own(&weight.device()) {
        let (rate, epsilon) = (rate as f32, epsilon as f32);
        let (beta_1, beta_2) = (beta_1 as f32, beta_2 as f32);
        let pass = move |weight: &[f32], [gradient, mean, square]: [&mut [f32]; 3]| {
            let moments = mean.iter_mut().zip(square);
            for ((weight, gradient), (mean, square)) in weight.iter().zip(gradient).zip(moments) {
                *mean = beta_1.mul_add(*mean - *gradient, *gradient);
                let squared = *gradient * *gradient;
                *square = beta_2.mul_add(*square - squared, squared);
                *gradient = *weight - rate * *mean / (square.sqrt() + epsilon);
            }
        };
        let [weight, mean, square] = on(backend, weight, [gradient, mean, square], pass);
        return (weight, [mean, square]);
    }
    let mean = mean.mul_scalar(beta_1) + gradient.clone().mul_scalar(1.0 - beta_1);
    let square = square.mul_scalar(beta_2) + gradient.square().mul_scalar(1.0 - beta_2);
    let step = mean.clone().mul_scalar(rate) / square.clone().sqrt().add_scalar(epsilon);
    (weight - step, [mean, square])
}

#[cfg(any(feature = "flex", feature = "ndarray"))]
fn on<const D: usize, const N: usize>(
    backend: Own,
    read: Tensor<D>,
    write: [Tensor<D>; N],
    pass: impl Fn(&[f32], [&mut [f32]; N]) + Sync,
) -> [Tensor<D>; N] {
    match backend {
        #[cfg(feature = "flex")]
        Own::Flex => update::<burn::backend::Flex, D, N>(read, write, pass),
        #[cfg(feature = "ndarray")]
        #[allow(deprecated, reason = "Burn recommends flex, and still keeps ndarray")]
        Own::NdArray => update::<burn::backend::NdArray, D, N>(read, write, pass),
    }
}
