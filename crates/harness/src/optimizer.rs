//! From a config's optimizer to Burn's.

use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamConfig, ModuleOptimizer, SgdConfig};
use kindling_spec::Optimizer;

/// The optimizer a config asks for; its learning rate goes to each step.
pub fn optimizer(optimizer: Optimizer) -> ModuleOptimizer {
    match optimizer {
        Optimizer::Sgd { momentum, .. } => {
            // Burn dampens a new gradient by 0.1 unless told otherwise, which
            // is a learning rate a tenth smaller than the config says.
            let momentum = MomentumConfig::new()
                .with_momentum(momentum)
                .with_dampening(0.0);
            SgdConfig::new().with_momentum(Some(momentum)).init()
        }
        // Epsilon is that of the paper's authors' implementations and of Keras;
        // Burn's own default is 1e-5.
        Optimizer::Adam { .. } => AdamConfig::new()
            .with_beta_1(0.9)
            .with_beta_2(0.999)
            .with_epsilon(1e-7)
            .init(),
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

    /// Follows w from 1 down the loss w^2 for three steps.
    fn descend(config: Optimizer) -> Vec<f64> {
        let device = Device::default().autodiff();
        let mut model = Scalar {
            w: Param::from_tensor(Tensor::from_floats([1.0], &device)),
        };
        let mut steps = optimizer(config);
        (0..3)
            .map(|_| {
                let loss = model.w.val().powi_scalar(2).sum();
                let gradients = GradientsParams::from_grads(loss.backward(), &model);
                model = steps.step(config.learning_rate(), model.clone(), gradients);
                model.w.val().into_scalar::<f64>()
            })
            .collect()
    }

    fn near(found: &[f64], expected: &[f64]) {
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-5, "{found} not {expected}");
        }
    }

    #[test]
    fn sgd_keeps_all_of_the_gradient() {
        // By hand, rate 0.1, momentum 0.9: v = 2, w = 0.8; v = 0.9*2 + 1.6 = 3.4,
        // w = 0.46; v = 0.9*3.4 + 0.92 = 3.98, w = 0.062.
        let sgd = Optimizer::Sgd {
            learning_rate: 0.1,
            momentum: 0.9,
        };
        near(&descend(sgd), &[0.8, 0.46, 0.062]);
    }

    #[test]
    fn adam_is_adam() {
        // Python, the algorithm of Kingma and Ba with rate 0.1 and epsilon 1e-7
        // on the same loss:
        near(
            &descend(Optimizer::Adam { learning_rate: 0.1 }),
            &ADAM_PYTHON,
        );
    }

    const ADAM_PYTHON: [f64; 3] = [0.900000005, 0.800412238, 0.701586287];
}
