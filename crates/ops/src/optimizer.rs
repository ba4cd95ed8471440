//! The steps of SGD, Adam and AdamW, each in one pass over the parameters. With Burn's
//! operations, a step of Adam takes more than ten passes.

use burn::tensor::Tensor;

#[cfg(any(feature = "flex", feature = "ndarray"))]
use crate::{
    cpu::{Pass, tiny},
    cpu_backend::{CpuBackend, cpu_backend},
    storage::update_tensors,
};

/// The constants of SGD.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sgd {
    /// The share of the last velocity that is kept.
    pub momentum: f64,
    /// Whether the weight moves along `gradient + momentum * velocity` (Nesterov's momentum)
    /// instead of the velocity.
    pub nesterov: bool,
    /// The share of the weight that is added to the gradient.
    pub weight_decay: f64,
}

/// A step of SGD as in PyTorch (`torch.optim.SGD` without dampening):
///
/// 1. `gradient = gradient + weight_decay * weight`
/// 2. `velocity = momentum * velocity + gradient`
/// 3. `weight = weight - rate * velocity`; with Nesterov's momentum (Sutskever et al., 2013)
///    `weight = weight - rate * (gradient + momentum * velocity)`
///
/// Returns the new weight and velocity. Before the first step the velocity is `None`.
///
/// # Panics
///
/// If a tensor is on a device with autodiff, or if the shapes of the tensors differ.
pub fn sgd_step<const D: usize>(
    rate: f64,
    sgd: Sgd,
    weight: Tensor<D>,
    gradient: Tensor<D>,
    velocity: Option<Tensor<D>>,
) -> (Tensor<D>, Tensor<D>) {
    #[cfg(any(feature = "flex", feature = "ndarray"))]
    if let Some(backend) = cpu_backend(&weight.device()) {
        let [velocity] = of_last_step(velocity.map(|last| [last]), &weight, &gradient);
        let pass = SgdPass {
            rate: rate as f32,
            momentum: sgd.momentum as f32,
            nesterov: sgd.nesterov,
            decay: sgd.weight_decay as f32,
        };
        let [weight, velocity] = run_on(backend, weight, [gradient, velocity], &pass);
        return (weight, velocity);
    }
    sgd_step_of_burn(rate, sgd, weight, gradient, velocity)
}

/// A step of SGD. It changes the gradient into the new weight.
#[cfg(any(feature = "flex", feature = "ndarray"))]
struct SgdPass {
    rate: f32,
    momentum: f32,
    nesterov: bool,
    decay: f32,
}

#[cfg(any(feature = "flex", feature = "ndarray"))]
impl Pass<2> for SgdPass {
    #[inline(always)]
    fn run(&self, weight: &[f32], [gradient, velocity]: [&mut [f32]; 2]) {
        for ((weight, gradient), velocity) in weight.iter().zip(gradient).zip(velocity) {
            // Without decay the weight is left out, so that 0 times infinity is not added.
            let slope = match self.decay == 0.0 {
                true => *gradient,
                false => self.decay.mul_add(*weight, *gradient),
            };
            *velocity = tiny::gradient(self.momentum.mul_add(*velocity, slope));
            let direction = match self.nesterov {
                true => self.momentum.mul_add(*velocity, slope),
                false => *velocity,
            };
            *gradient = (-self.rate).mul_add(direction, *weight);
        }
    }
}

/// The same as [`sgd_step`], composed of Burn's operations.
///
/// # Panics
///
/// If the shapes of the tensors differ.
pub fn sgd_step_of_burn<const D: usize>(
    rate: f64,
    sgd: Sgd,
    weight: Tensor<D>,
    mut gradient: Tensor<D>,
    velocity: Option<Tensor<D>>,
) -> (Tensor<D>, Tensor<D>) {
    let [velocity] = of_last_step(velocity.map(|last| [last]), &weight, &gradient);
    if sgd.weight_decay != 0.0 {
        gradient = gradient + weight.clone().mul_scalar(sgd.weight_decay);
    }
    let velocity = velocity.mul_scalar(sgd.momentum) + gradient.clone();
    let direction = match sgd.nesterov {
        true => gradient + velocity.clone().mul_scalar(sgd.momentum),
        false => velocity.clone(),
    };
    (weight - direction.mul_scalar(rate), velocity)
}

/// The state of the last step; zeros before the first step.
///
/// It panics unless all tensors have the shape of the weight. Burn would broadcast a smaller
/// tensor without an error.
#[track_caller]
fn of_last_step<const D: usize, const N: usize>(
    state: Option<[Tensor<D>; N]>,
    weight: &Tensor<D>,
    gradient: &Tensor<D>,
) -> [Tensor<D>; N] {
    let state = state
        .unwrap_or_else(|| [(); N].map(|()| Tensor::zeros(gradient.dims(), &gradient.device())));
    for other in state.iter().chain([gradient]) {
        assert_eq!(other.dims(), weight.dims(), "a step needs equal shapes");
    }
    state
}

/// The constants of Adam, and of AdamW, which is Adam with weight decay.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adam {
    /// The decay rate of the moving average of the gradients.
    pub beta_1: f64,
    /// The decay rate of the moving average of the squared gradients.
    pub beta_2: f64,
    /// A small number added to the denominator, so that the step stays finite.
    pub epsilon: f64,
    /// The decoupled weight decay of AdamW. Adam has 0.
    pub weight_decay: f64,
}

/// A step of Adam (Kingma and Ba, 2015, algorithm 1, in the order of computation at the end of
/// section 2). `time` is the number of the step, from 1. Returns the new weight and the two
/// moments: the moving averages of the gradients and of their squares. Before the first step
/// the moments are `None`.
///
/// With weight decay it is a step of AdamW (Loshchilov and Hutter, 2019, algorithm 2). As in
/// PyTorch (`torch.optim.AdamW`), the decay is multiplied by the learning rate: the step also
/// subtracts `rate * weight_decay * weight`, with the weight before the step.
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
    #[cfg(any(feature = "flex", feature = "ndarray"))]
    if let Some(backend) = cpu_backend(&weight.device()) {
        let [mean, square] = of_last_step(moments, &weight, &gradient);
        let factors = AdamFactors::new(rate, adam, time);
        let decay = factors.decay as f32;
        // With 0.9 and 0.999, Adam computes the same bits as in Kindling 0.2. AdamW is newer.
        let [of_gradients, of_squares] = match decay == 0.0 {
            true => [(adam.beta_1, 1e-6), (adam.beta_2, 1.5e-5)],
            false => [(adam.beta_1, 0.0), (adam.beta_2, 0.0)],
        }
        .map(|(beta, most)| Average::new(beta, most));
        let pass = AdamPass {
            rate: factors.rate as f32,
            epsilon: factors.epsilon as f32,
            decay,
            of_gradients,
            of_squares,
        };
        let [weight, mean, square] = run_on(backend, weight, [gradient, mean, square], &pass);
        return (weight, [mean, square]);
    }
    adam_step_of_burn(rate, adam, time, weight, gradient, moments)
}

/// A step of Adam. It changes the gradient into the new weight.
#[cfg(any(feature = "flex", feature = "ndarray"))]
struct AdamPass {
    rate: f32,
    epsilon: f32,
    decay: f32,
    of_gradients: Average,
    of_squares: Average,
}

#[cfg(any(feature = "flex", feature = "ndarray"))]
impl Pass<3> for AdamPass {
    #[inline(always)]
    fn run(&self, weight: &[f32], [gradient, mean, square]: [&mut [f32]; 3]) {
        let (weights, last_weights) = weight.as_chunks::<STEP>();
        let (gradients, last_gradients) = gradient.as_chunks_mut();
        let (means, last_means) = mean.as_chunks_mut();
        let (squares, last_squares) = square.as_chunks_mut();
        let moments = means.iter_mut().zip(squares);
        for ((weight, gradient), (mean, square)) in weights.iter().zip(gradients).zip(moments) {
            self.step(weight, gradient, mean, square);
        }
        let weights = last_weights.as_chunks::<1>().0.iter();
        let gradients = last_gradients.as_chunks_mut::<1>().0;
        let means = last_means.as_chunks_mut::<1>().0.iter_mut();
        let moments = means.zip(last_squares.as_chunks_mut::<1>().0);
        for ((weight, gradient), (mean, square)) in weights.zip(gradients).zip(moments) {
            self.step(weight, gradient, mean, square);
        }
    }
}

/// The number of values that a step of Adam computes together.
#[cfg(any(feature = "flex", feature = "ndarray"))]
const STEP: usize = 16;

#[cfg(any(feature = "flex", feature = "ndarray"))]
impl AdamPass {
    /// The step of `N` weights. The values are copied, so that the compiler need not consider that
    /// the slices may overlap, and computes all values of a vector together.
    #[inline(always)]
    fn step<const N: usize>(
        &self,
        weight: &[f32; N],
        gradient: &mut [f32; N],
        mean: &mut [f32; N],
        square: &mut [f32; N],
    ) {
        let (mut of_gradient, mut of_mean, mut of_square) = (*gradient, *mean, *square);
        for at in 0..N {
            let value = of_gradient[at];
            of_mean[at] = tiny::gradient(self.of_gradients.after(of_mean[at], value));
            let average = self.of_squares.after(of_square[at], tiny::square(value));
            of_square[at] = tiny::normal(average);
            let decayed = (-self.decay).mul_add(weight[at], weight[at]);
            let step = self.rate * of_mean[at] / (of_square[at].sqrt() + self.epsilon);
            of_gradient[at] = decayed - step;
        }
        (*gradient, *mean, *square) = (of_gradient, of_mean, of_square);
    }
}

/// The factors of a step of Adam that depend on its time.
struct AdamFactors {
    /// The learning rate, with both corrections of the moments.
    rate: f64,
    /// Epsilon, with the correction of the squares.
    epsilon: f64,
    /// The share of the weight that the step subtracts.
    decay: f64,
}

impl AdamFactors {
    /// The step is `rate * (mean / (1 - beta_1^t)) / (sqrt(square / (1 - beta_2^t)) +
    /// epsilon)`. Both corrections are moved into the rate and epsilon.
    #[track_caller]
    fn new(rate: f64, adam: Adam, time: usize) -> Self {
        assert!(time >= 1, "steps are counted from 1");
        let steps = i32::try_from(time).unwrap_or(i32::MAX);
        let root = (1.0 - adam.beta_2.powi(steps)).sqrt();
        Self {
            rate: rate * root / (1.0 - adam.beta_1.powi(steps)),
            epsilon: adam.epsilon * root,
            decay: rate * adam.weight_decay,
        }
    }
}

/// The same as [`adam_step`], composed of Burn's operations.
///
/// # Panics
///
/// If the shapes of the tensors differ, or if `time` is 0.
pub fn adam_step_of_burn<const D: usize>(
    rate: f64,
    adam: Adam,
    time: usize,
    mut weight: Tensor<D>,
    gradient: Tensor<D>,
    moments: Option<[Tensor<D>; 2]>,
) -> (Tensor<D>, [Tensor<D>; 2]) {
    let [mean, square] = of_last_step(moments, &weight, &gradient);
    let factors = AdamFactors::new(rate, adam, time);
    let Adam { beta_1, beta_2, .. } = adam;
    let mean = mean.mul_scalar(beta_1) + gradient.clone().mul_scalar(1.0 - beta_1);
    let square = square.mul_scalar(beta_2) + gradient.square().mul_scalar(1.0 - beta_2);
    let step =
        mean.clone().mul_scalar(factors.rate) / square.clone().sqrt().add_scalar(factors.epsilon);
    if factors.decay != 0.0 {
        weight = weight.clone() - weight.mul_scalar(factors.decay);
    }
    (weight - step, [mean, square])
}

/// A moving average in 32 bits.
///
/// The average of about 1 / (1 - beta) values depends on 1 - beta, in which a rounding error
/// of beta is large: for 0.9999 it is 2e-4 of 1 - beta. So the new value is weighted by
/// 1 - beta if this error is not small. For 0.999 it changes a step by 6e-6 of its length.
#[cfg(any(feature = "flex", feature = "ndarray"))]
#[derive(Clone, Copy)]
struct Average {
    /// beta, or the negative of 1 - beta. It multiplies the average minus the new value.
    factor: f32,
    /// Whether the factor is beta.
    is_beta: bool,
}

#[cfg(any(feature = "flex", feature = "ndarray"))]
impl Average {
    /// `most` is the largest rounding error of beta, as a share of 1 - beta, that is small.
    fn new(beta: f64, most: f64) -> Self {
        let error = (beta - f64::from(beta as f32)).abs();
        let is_beta = error <= most * (1.0 - beta);
        Self {
            factor: if is_beta { beta } else { beta - 1.0 } as f32,
            is_beta,
        }
    }

    /// The average after the value `new`: `beta * average + (1 - beta) * new`.
    ///
    /// It is always inlined, so that it is compiled for the vector registers of its caller.
    #[inline(always)]
    fn after(self, average: f32, new: f32) -> f32 {
        let start = if self.is_beta { new } else { average };
        self.factor.mul_add(average - new, start)
    }
}

/// Makes a pass over the values of tensors of a CPU backend; see [`update_tensors`].
#[cfg(any(feature = "flex", feature = "ndarray"))]
fn run_on<const D: usize, const N: usize>(
    backend: CpuBackend,
    read: Tensor<D>,
    write: [Tensor<D>; N],
    pass: &impl Pass<N>,
) -> [Tensor<D>; N] {
    match backend {
        #[cfg(feature = "flex")]
        CpuBackend::Flex => update_tensors::<burn::backend::Flex, D, N>(read, write, pass),
        #[cfg(feature = "ndarray")]
        #[allow(deprecated, reason = "Burn recommends flex, and still keeps ndarray")]
        CpuBackend::NdArray => update_tensors::<burn::backend::NdArray, D, N>(read, write, pass),
    }
}
