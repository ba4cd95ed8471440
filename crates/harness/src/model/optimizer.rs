//! SGD, Adam and AdamW for Burn's training loop.
//!
//! Burn's own optimizers are sequences of tensor operations. Each of these operations goes
//! through all parameters. Our optimizers go through the parameters once per step.

use burn::optim::{
    AdamState, AdaptiveMomentumState, LearningRate, ModuleOptimizer, RecordState, StateSink,
    StateSource,
};
use burn::tensor::{Device, Tensor};
use kindling_formats::Optimizer;
use kindling_ops::{adam_step, sgd_step};

/// Makes the optimizer that a config describes. The learning rate is not part of the result:
/// each step takes the rate as an argument.
pub fn new_optimizer(optimizer: Optimizer) -> ModuleOptimizer {
    match optimizer {
        Optimizer::Sgd {
            learning_rate: _,
            momentum,
            nesterov,
            weight_decay,
        } => ModuleOptimizer::from(Sgd(kindling_ops::Sgd {
            momentum,
            nesterov,
            weight_decay,
        })),
        Optimizer::Adam {
            learning_rate: _,
            beta_1,
            beta_2,
            epsilon,
        } => ModuleOptimizer::from(Adam(kindling_ops::Adam {
            beta_1,
            beta_2,
            epsilon,
            weight_decay: 0.0,
        })),
        Optimizer::AdamW {
            learning_rate: _,
            beta_1,
            beta_2,
            epsilon,
            weight_decay,
        } => ModuleOptimizer::from(Adam(kindling_ops::Adam {
            beta_1,
            beta_2,
            epsilon,
            weight_decay,
        })),
    }
}

/// Stochastic gradient descent; see [`sgd_step`].
#[derive(Clone)]
struct Sgd(kindling_ops::Sgd);

/// The state of [`Sgd`] for each parameter.
#[derive(Clone)]
struct SgdState<const D: usize> {
    velocity: Tensor<D>,
}

/// Written by hand, because Burn's derive macro works only in Burn's own crate.
impl<const D: usize> RecordState for SgdState<D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        out.push_tensor(prefix, "velocity", self.velocity.to_data());
    }

    fn state_unflatten(prefix: &str, source: &mut StateSource, device: &Device) -> Option<Self> {
        let velocity = source.take_tensor(prefix, "velocity")?;
        Some(Self {
            velocity: Tensor::from_data(velocity, device),
        })
    }
}

impl burn::optim::Optimizer for Sgd {
    type State<const D: usize> = SgdState<D>;

    fn step<const D: usize>(
        &self,
        rate: LearningRate,
        weight: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<SgdState<D>>,
    ) -> (Tensor<D>, Option<SgdState<D>>) {
        let velocity = state.map(|state| state.velocity);
        let (weight, velocity) = sgd_step(rate, self.0, weight, gradient, velocity);
        (weight, Some(SgdState { velocity }))
    }

    fn to_device<const D: usize>(state: SgdState<D>, device: &Device) -> SgdState<D> {
        SgdState {
            velocity: state.velocity.to_device(device),
        }
    }
}

/// Adam, or AdamW if it has weight decay; see [`adam_step`].
#[derive(Clone)]
struct Adam(kindling_ops::Adam);

impl burn::optim::Optimizer for Adam {
    type State<const D: usize> = AdamState<D>;

    fn step<const D: usize>(
        &self,
        rate: LearningRate,
        weight: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<AdamState<D>>,
    ) -> (Tensor<D>, Option<AdamState<D>>) {
        let (time, moments) = match state {
            None => (1, None),
            Some(AdamState { momentum }) => (
                momentum.time + 1,
                Some([momentum.moment_1, momentum.moment_2]),
            ),
        };
        let (weight, [mean, square]) = adam_step(rate, self.0, time, weight, gradient, moments);
        let momentum = AdaptiveMomentumState::new(time, mean, square);
        (weight, Some(AdamState::new(momentum)))
    }

    fn to_device<const D: usize>(state: AdamState<D>, device: &Device) -> AdamState<D> {
        AdamState::new(state.momentum.to_device(device))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::module::{Module, Param};
    use burn::optim::GradientsParams;
    use burn::tensor::{Device, Tensor};

    #[derive(Module, Debug)]
    struct Scalar {
        w: Param<Tensor<1>>,
    }

    /// The values of w after each of three steps on the loss `scale * w^2`. The first w is 1.
    fn descend(config: Optimizer, scale: f64) -> Vec<f64> {
        let device = Device::default().autodiff();
        let mut model = Scalar {
            w: Param::from_tensor(Tensor::from_floats([1.0], &device)),
        };
        let mut steps = new_optimizer(config);
        (0..3)
            .map(|_| {
                let loss = model.w.val().powi_scalar(2).sum() * scale;
                let gradients = GradientsParams::from_grads(loss.backward(), &model);
                model = steps.step(config.learning_rate(), model.clone(), gradients);
                model.w.val().into_scalar::<f64>()
            })
            .collect()
    }

    #[track_caller]
    fn near(found: &[f64], expected: &[f64], most: f64) {
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < most, "{found} not {expected}");
        }
    }

    #[test]
    fn sgd_agrees_with_a_computation_by_hand() {
        // By hand, rate 0.1, momentum 0.9: v = 2, w = 0.8; v = 0.9*2 + 1.6 = 3.4,
        // w = 0.46; v = 0.9*3.4 + 0.92 = 3.98, w = 0.062.
        let sgd = Optimizer::Sgd {
            learning_rate: 0.1,
            momentum: 0.9,
            nesterov: false,
            weight_decay: 0.0,
        };
        // The tolerance covers three roundings of a 32-bit number near 1.
        near(&descend(sgd, 1.0), &[0.8, 0.46, 0.062], 3e-7);
    }

    #[test]
    fn adam_agrees_with_an_independent_computation() {
        // `ADAM_PYTHON` was computed in Python by the algorithm of Kingma and Ba on the
        // same loss, with rate 0.1 and epsilon 1e-7.
        let adam = Optimizer::Adam {
            learning_rate: 0.1,
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-7,
        };
        near(&adam_by_hand(1.0), &ADAM_PYTHON, 1e-9);
        // Small scales give gradients near epsilon, so these steps depend on epsilon. In
        // 32 bits, 1 - 0.999 has a relative error of 1.3e-5. Half of this error remains in a
        // step.
        for scale in [1.0, 1e-5, 1e-6, 1e-7] {
            near(&descend(adam, scale), &adam_by_hand(scale), 5e-6);
        }
    }

    const ADAM_PYTHON: [f64; 3] = [0.900000005, 0.800412238, 0.701586287];

    /// Algorithm 1 of Kingma and Ba (2015) in 64 bits, on the loss of [`descend`].
    fn adam_by_hand(scale: f64) -> Vec<f64> {
        let (mut w, mut mean, mut square) = (1.0, 0.0, 0.0);
        (1..=3)
            .map(|time| {
                let gradient = 2.0 * scale * w;
                mean = 0.9 * mean + 0.1 * gradient;
                square = 0.999 * square + 0.001 * gradient * gradient;
                let mean = mean / (1.0 - 0.9f64.powi(time));
                let square: f64 = square / (1.0 - 0.999f64.powi(time));
                w -= 0.1 * mean / (square.sqrt() + 1e-7);
                w
            })
            .collect()
    }
}
