//! Trains one model on two devices, and compares each step.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use kindling_formats::{Descent, LayerGap, ParityStep, relative_difference};

use crate::error::RunError;
use crate::model::{Parameter, Stepper, gradients, to_f64s, weights, with_weights};

/// How two devices are compared.
#[derive(Debug, Clone)]
pub struct Lockstep {
    /// The two devices, without autodiff.
    pub devices: [Device; 2],
    /// The seed of the first weights and the batches, the same on both devices.
    pub seed: u64,
    /// The number of training steps.
    pub steps: usize,
    /// Whether dropout is on, in models that have it.
    pub dropout: bool,
    /// Whether the two trainings stay separate.
    ///
    /// If false, the second model takes over the first model's weights after every step. Then
    /// each step shows only the differences that arise in this step. Separate trainings can
    /// drift far apart although both devices are right, because the first steps of some
    /// trainings are chaotic and enlarge every rounding error.
    pub drift: bool,
}

/// What a training step computes before the optimizer's step.
pub struct LossAndGradients {
    /// The loss, `[1]` or `[batch]`. The loss of the step is the mean of these values.
    pub loss: Tensor<1>,
    /// The gradients of the mean loss.
    pub gradients: GradientsParams,
}

impl Lockstep {
    /// Trains the model that `build` makes on both devices and reports every step.
    ///
    /// `train_step` receives the index of the device (0 or 1) and the model on this device, and
    /// computes the next loss and its gradients. It is called for device 0 and device 1 in
    /// turn. The steps are the first steps of the training that `descent` describes.
    ///
    /// # Errors
    ///
    /// If `build` or `train_step` returns an error, or a device fails.
    pub fn compare_steps<M: Module>(
        &self,
        descent: &Descent,
        build: impl Fn(&Device) -> Result<M, RunError>,
        mut train_step: impl FnMut(usize, &M) -> Result<LossAndGradients, RunError>,
        report_step: &mut dyn FnMut(ParityStep),
    ) -> Result<(), RunError> {
        let [first, second] = self.training_devices().map(|device| build(&device));
        let mut models = [first?, second?];
        let mut steppers = [descent, descent].map(|descent| Stepper::new(descent.clone()));
        for step in 1..=self.steps {
            let mut losses = [None; 2];
            let mut gradients_of: [Vec<Parameter>; 2] = Default::default();
            let mut weights_of: [Vec<Parameter>; 2] = Default::default();
            for device in 0..2 {
                let model = models[device].clone();
                let computed = train_step(device, &model)?;
                let batch = to_f64s(computed.loss)?;
                let mean = batch.iter().sum::<f64>() / batch.len() as f64;
                losses[device] = mean.is_finite().then_some(mean);
                gradients_of[device] = gradients(&model, &computed.gradients)?;
                (models[device], _) = steppers[device].step(model, computed.gradients);
                weights_of[device] = weights(&models[device])?;
            }
            if !self.drift {
                models[1] = with_weights(models[1].clone(), &weights_of[0]);
            }
            report_step(ParityStep {
                step,
                losses,
                layers: layer_gaps(&gradients_of, &weights_of),
            });
        }
        Ok(())
    }

    /// The two devices with autodiff.
    pub fn training_devices(&self) -> [Device; 2] {
        self.devices.clone().map(Device::autodiff)
    }
}

/// The relative differences between the gradients and the weights of two models, for each
/// parameter. They are `None` for a parameter that only one model has.
fn layer_gaps(gradients: &[Vec<Parameter>; 2], weights: &[Vec<Parameter>; 2]) -> Vec<LayerGap> {
    let gaps = |of: &[Vec<Parameter>; 2]| -> Vec<Option<f64>> {
        let longer = of[0].len().max(of[1].len());
        let pair = |at: usize| of[0].get(at).zip(of[1].get(at));
        (0..longer)
            .map(|at| pair(at).and_then(|(one, other)| relative_gap(one, other)))
            .collect()
    };
    let (gradient_gaps, weight_gaps) = (gaps(gradients), gaps(weights));
    let longer = if weights[0].len() < weights[1].len() {
        1
    } else {
        0
    };
    let names = weights[longer].iter().map(|weight| weight.name.clone());
    let gaps = gradient_gaps.into_iter().zip(weight_gaps);
    names
        .zip(gaps)
        .map(|(name, (gradient, weights))| LayerGap {
            name,
            gradient,
            weights,
        })
        .collect()
}

/// The norm of the difference divided by the larger norm. It is `None` if a value is NaN or
/// infinite, or if the two have different names or sizes.
fn relative_gap(one: &Parameter, other: &Parameter) -> Option<f64> {
    if one.name != other.name || one.values.len() != other.values.len() {
        return None;
    }
    let norm = |values: &mut dyn Iterator<Item = f64>| {
        values.map(|value| value * value).sum::<f64>().sqrt()
    };
    let pairs = one.values.iter().zip(&other.values);
    let gap = relative_difference(
        norm(&mut pairs.map(|(one, other)| one - other)),
        norm(&mut one.values.iter().copied()),
        norm(&mut other.values.iter().copied()),
    );
    gap.is_finite().then_some(gap)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::TensorData;
    use kindling_datasets::stream;
    use kindling_formats::Optimizer;
    use kindling_ops::{Activation, DenseLayer};

    use crate::init;

    /// Two layers, with an operation between them that a test can make wrong.
    #[derive(Module, Debug)]
    struct Net {
        first: DenseLayer,
        last: DenseLayer,
    }

    /// What the operation between the layers does wrong.
    #[derive(Clone, Copy, PartialEq)]
    enum Fault {
        Nothing,
        /// The values of the operation are too large by a thousandth.
        Forward,
        /// The values are right, and the gradient is twice as large as it should be.
        Backward,
        /// The values are NaN.
        Nan,
    }

    impl Net {
        fn new(device: &Device) -> Self {
            let mut rng = stream(0, "init", 0);
            let mut layer = |inputs, outputs, activation| {
                let (weight, bias) = init::dense(inputs, outputs, &mut rng, device);
                DenseLayer::new(weight, bias, activation)
            };
            Self {
                first: layer(6, 5, Activation::Relu),
                last: layer(5, 3, Activation::None),
            }
        }

        fn train_step(&self, x: Tensor<2>, fault: Fault) -> LossAndGradients {
            let x = self.first.forward(x);
            let x = match fault {
                Fault::Nothing => x,
                Fault::Forward => x * 1.001,
                Fault::Backward => x.clone() * 2 - x.detach(),
                Fault::Nan => x * f32::NAN,
            };
            let loss = self.last.forward(x).powi_scalar(2).mean();
            LossAndGradients {
                gradients: GradientsParams::from_grads(loss.backward(), self),
                loss,
            }
        }
    }

    /// The relative difference of the two losses of a step; infinite if one is missing.
    fn loss_gap(step: &ParityStep) -> f64 {
        match step.losses {
            [Some(one), Some(other)] => {
                relative_difference((one - other).abs(), one.abs(), other.abs())
            }
            _ => f64::INFINITY,
        }
    }

    /// The values of a step that differ by more than rounding, in the order in which the step
    /// computes them: the loss, gradients from the last layer to the first, weights.
    fn differences(step: &ParityStep) -> Vec<(String, f64)> {
        let gap = |gap: Option<f64>| gap.unwrap_or(f64::INFINITY);
        let gradients = step.layers.iter().rev().map(|layer| {
            let what = format!("the gradient of {}", layer.name);
            (what, gap(layer.gradient), 1e-3)
        });
        let weights = step.layers.iter().map(|layer| {
            let what = format!("{} after the step", layer.name);
            (what, gap(layer.weights), 1e-3)
        });
        std::iter::once(("the loss".to_string(), loss_gap(step), 1e-4))
            .chain(gradients)
            .chain(weights)
            .filter(|(_, gap, rounding)| gap > rounding)
            .map(|(what, gap, _)| (what, gap))
            .collect()
    }

    /// The first step in which the devices differ, and the values that differ.
    type Difference = (usize, Vec<(String, f64)>);

    /// Compares eight steps. From step `since`, the second device has the fault.
    fn compare(fault: Fault, since: usize, drift: bool) -> (Vec<ParityStep>, Option<Difference>) {
        let lockstep = Lockstep {
            devices: [Device::default(), Device::default()],
            seed: 0,
            steps: 8,
            dropout: false,
            drift,
        };
        let x = lockstep.training_devices().map(|device| {
            let values: Vec<f32> = (0..24).map(|at| (at * 7 % 11) as f32 / 11.0).collect();
            Tensor::<2>::from_data(TensorData::new(values, [4, 6]), &device)
        });
        let descent = Descent {
            optimizer: Optimizer::Sgd {
                learning_rate: 0.1,
                momentum: 0.9,
                nesterov: false,
                weight_decay: 0.0,
            },
            schedule: None,
            clip: None,
            steps: 8,
        };
        let mut steps = Vec::new();
        let mut taken = [0, 0];
        let train_step = |device: usize, net: &Net| {
            taken[device] += 1;
            let is_faulty = device == 1 && taken[device] >= since;
            let fault = if is_faulty { fault } else { Fault::Nothing };
            Ok(net.train_step(x[device].clone(), fault))
        };
        lockstep
            .compare_steps(
                &descent,
                |device| Ok(Net::new(device)),
                train_step,
                &mut |step| {
                    steps.push(step);
                },
            )
            .expect("steps");
        let mut found = steps.iter().map(|step| (step.step, differences(step)));
        let first = found.find(|(_, what)| !what.is_empty());
        (steps, first)
    }

    #[test]
    fn equal_trainings_are_equal_and_the_loss_falls() {
        for drift in [false, true] {
            let (steps, difference) = compare(Fault::Nothing, 1, drift);
            assert_eq!(difference, None);
            let losses: Vec<f64> = steps.iter().filter_map(|step| step.losses[1]).collect();
            assert_eq!(losses.len(), 8);
            assert!(losses[7] < 0.5 * losses[0], "{losses:?}");
            let names: Vec<&str> = steps[0]
                .layers
                .iter()
                .map(|layer| layer.name.as_str())
                .collect();
            let expected = ["first.weight", "first.bias", "last.weight", "last.bias"];
            assert_eq!(names, expected);
        }
    }

    #[test]
    fn a_wrong_operation_is_found_in_its_step_and_at_its_layer() {
        for (fault, since, first) in [
            // Everything that is computed from the wrong values differs. The loss comes first.
            (Fault::Forward, 1, "the loss"),
            (Fault::Forward, 5, "the loss"),
            (Fault::Nan, 3, "the loss"),
            // Only the layer before the operation receives the wrong gradient.
            (Fault::Backward, 1, "the gradient of first.bias"),
            (Fault::Backward, 4, "the gradient of first.bias"),
        ] {
            for drift in [false, true] {
                let (_, difference) = compare(fault, since, drift);
                let (step, what) = difference.expect("the fault is found");
                assert_eq!((step, what[0].0.as_str()), (since, first));
                if fault == Fault::Backward {
                    let mut names = what.iter().map(|(name, _)| name.as_str());
                    assert!(names.all(|name| name.contains("first")));
                    // g and 2 g differ by half of the larger.
                    assert!((what[0].1 - 0.5).abs() < 1e-6);
                }
            }
        }
    }

    #[test]
    fn parameters_that_cannot_be_compared_have_no_gap() {
        let parameter = |name: &str, values: &[f64]| Parameter {
            name: name.into(),
            shape: vec![values.len()],
            values: values.to_vec(),
        };
        let a = parameter("a", &[3.0, 4.0]);
        assert_eq!(relative_gap(&a, &a), Some(0.0));
        assert_eq!(relative_gap(&a, &parameter("a", &[3.0, 3.0])), Some(0.2));
        for other in [
            parameter("a", &[3.0]),
            parameter("a", &[3.0, 4.0, 0.0]),
            parameter("b", &[3.0, 4.0]),
            parameter("a", &[3.0, f64::NAN]),
            parameter("a", &[3.0, -f64::NAN]),
            parameter("a", &[3.0, f64::INFINITY]),
        ] {
            assert_eq!(relative_gap(&a, &other), None, "{other:?}");
            assert_eq!(relative_gap(&other, &a), None, "{other:?}");
        }
        let nan = parameter("a", &[f64::NAN, 1.0]);
        assert_eq!(relative_gap(&nan, &nan), None);
        let (one, both) = (vec![a.clone()], vec![a.clone(), parameter("b", &[1.0])]);
        for pair in [[one.clone(), both.clone()], [both, one]] {
            let gaps = layer_gaps(&pair, &pair);
            assert_eq!(gaps.len(), 2);
            assert_eq!((gaps[1].name.as_str(), gaps[1].gradient), ("b", None));
            assert_eq!((gaps[0].gradient, gaps[1].weights), (Some(0.0), None));
        }
    }

    #[test]
    fn without_drift_a_fault_in_one_step_does_not_change_the_next() {
        let gaps = |drift| {
            let (steps, _) = compare(Fault::Forward, 8, drift);
            let (faulty, _) = compare(Fault::Backward, 2, drift);
            (loss_gap(&steps[6]), loss_gap(&faulty[2]))
        };
        assert_eq!(gaps(false), (0.0, 0.0));
        let (before, after) = gaps(true);
        assert!(before == 0.0 && after > 1e-3, "{after}");
    }
}
