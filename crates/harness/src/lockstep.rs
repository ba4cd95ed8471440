//! One training on two devices, step by step, and how far they are apart.

use std::sync::Arc;

use burn::data::dataloader::DataLoader;
use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use burn_train::TrainStep;
use kindling_datasets::Images;
use kindling_formats::{LayerGap, Optimizer, ParityStep, Train, relative_difference};

use crate::parameters::{Parameter, gradients, weights, with_weights};
use crate::{ImageBatch, ImageLoader, RunError, numbers, optimizer};

/// How a training is followed on two devices.
#[derive(Debug, Clone)]
pub struct Lockstep {
    /// The two, without autodiff.
    pub devices: [Device; 2],
    /// From which first weights and batches derive, the same on both.
    pub seed: u64,
    /// Steps to take.
    pub steps: usize,
    /// Whether units are dropped out where the model drops them.
    pub dropout: bool,
    /// Whether each goes its own way from step to step. If not, the second takes
    /// over the first's weights after every step: then a difference is that step's
    /// own, while a training that is chaotic at first makes of one rounding what
    /// looks like another network.
    pub drift: bool,
}

/// What a model makes of a batch.
pub struct Step {
    /// The loss; a mean is taken over `[batch]`.
    pub loss: Tensor<1>,
    /// Of the mean loss.
    pub gradients: GradientsParams,
}

impl Lockstep {
    /// Trains the model that `build` makes on both devices, and tells of every
    /// step. `step` is asked for the next step of the model of device 0, then of
    /// device 1, by turns.
    ///
    /// # Errors
    ///
    /// If `build` or `step` has one, or a device fails.
    pub fn follow<M: Module>(
        &self,
        by: Optimizer,
        build: impl Fn(&Device) -> Result<M, RunError>,
        mut step: impl FnMut(usize, &M) -> Result<Step, RunError>,
        tell: &mut dyn FnMut(ParityStep),
    ) -> Result<(), RunError> {
        let [first, second] = self.learning().map(|device| build(&device));
        let mut models = [first?, second?];
        let mut optimizers = [optimizer(by), optimizer(by)];
        for number in 1..=self.steps {
            let mut losses = [None; 2];
            let mut before: [Vec<Parameter>; 2] = Default::default();
            let mut after: [Vec<Parameter>; 2] = Default::default();
            for side in 0..2 {
                let model = models[side].clone();
                let Step {
                    loss,
                    gradients: of,
                } = step(side, &model)?;
                let losses_of_batch = numbers(loss)?;
                let mean = losses_of_batch.iter().sum::<f64>() / losses_of_batch.len() as f64;
                losses[side] = mean.is_finite().then_some(mean);
                before[side] = gradients(&model, &of)?;
                models[side] = optimizers[side].step(by.learning_rate(), model, of);
                after[side] = weights(&models[side])?;
            }
            if !self.drift {
                models[1] = with_weights(models[1].clone(), &after[0]);
            }
            tell(ParityStep {
                step: number,
                losses,
                layers: gaps(&before, &after),
            });
        }
        Ok(())
    }

    /// [`Lockstep::follow`] for what learns from images in batches, in the order
    /// of its training. `loss` finds the losses `[batch]` in the model's output.
    ///
    /// # Errors
    ///
    /// As [`Lockstep::follow`].
    pub fn follow_on_images<M>(
        &self,
        train: &Train,
        images: Images,
        build: impl Fn(&Device) -> Result<M, RunError>,
        loss: impl Fn(&M::Output) -> Tensor<1>,
        tell: &mut dyn FnMut(ParityStep),
    ) -> Result<(), RunError>
    where
        M: Module + TrainStep<Input = ImageBatch>,
    {
        let images = Arc::new(images);
        let loaders = self.learning().map(|device| {
            ImageLoader::shuffled(images.clone(), train.batch_size, self.seed, &device)
        });
        let [first, second] = &loaders;
        let endless = |loader| std::iter::repeat_with(move || ImageLoader::iter(loader)).flatten();
        let mut batches = [endless(first), endless(second)];
        let next = |side: usize, model: &M| {
            let batch = batches[side].next();
            let batch = batch.ok_or_else(|| RunError::Other("there are no images".into()))?;
            let mut batch = batch.map_err(|error| RunError::Other(error.to_string()))?;
            if !self.dropout {
                batch.noise = None;
            }
            let output = TrainStep::step(model, batch);
            Ok(Step {
                loss: loss(&output.item),
                gradients: output.grads,
            })
        };
        self.follow(train.optimizer, build, next, tell)
    }

    /// The devices with autodiff.
    pub fn learning(&self) -> [Device; 2] {
        self.devices.clone().map(Device::autodiff)
    }
}

/// How far gradients and weights of two models are apart. A parameter that one has
/// and the other not is apart.
fn gaps(gradients: &[Vec<Parameter>; 2], weights: &[Vec<Parameter>; 2]) -> Vec<LayerGap> {
    let pairs = |of: &[Vec<Parameter>; 2]| -> Vec<Option<f64>> {
        let longer = of[0].len().max(of[1].len());
        let pair = |at: usize| of[0].get(at).zip(of[1].get(at));
        (0..longer)
            .map(|at| pair(at).and_then(|(one, other)| gap(one, other)))
            .collect()
    };
    let (gradients_apart, weights_apart) = (pairs(gradients), pairs(weights));
    let longer = if weights[0].len() < weights[1].len() {
        1
    } else {
        0
    };
    let names = weights[longer].iter().map(|weight| weight.name.clone());
    let apart = gradients_apart.into_iter().zip(weights_apart);
    names
        .zip(apart)
        .map(|(name, (gradient, weights))| LayerGap {
            name,
            gradient,
            weights,
        })
        .collect()
}

/// The norm of the difference over the larger norm; `None` where a number is none, or
/// they are not the same parameter.
fn gap(one: &Parameter, other: &Parameter) -> Option<f64> {
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
    use kindling_formats::{Parting, Tolerance, parting};
    use kindling_ops::{Activation, DenseLayer};

    use crate::init;

    /// Two layers, between which an operation can be made wrong.
    #[derive(Module, Debug)]
    struct Net {
        first: DenseLayer,
        last: DenseLayer,
    }

    /// What is wrong between the layers.
    #[derive(Clone, Copy, PartialEq)]
    enum Wrong {
        Nothing,
        /// Values a thousandth too large.
        Forward,
        /// The right values, and twice their gradient.
        Backward,
        /// No number.
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

        fn step(&self, x: Tensor<2>, wrong: Wrong) -> Step {
            let x = self.first.forward(x);
            let x = match wrong {
                Wrong::Nothing => x,
                Wrong::Forward => x * 1.001,
                Wrong::Backward => x.clone() * 2 - x.detach(),
                Wrong::Nan => x * f32::NAN,
            };
            let loss = self.last.forward(x).powi_scalar(2).mean();
            Step {
                gradients: GradientsParams::from_grads(loss.backward(), self),
                loss,
            }
        }
    }

    const TOLERANCE: Tolerance = Tolerance {
        loss: 1e-4,
        layers: 1e-3,
    };

    /// Follows the net for eight steps; from `since` on the second device is wrong.
    fn follow(wrong: Wrong, since: usize, drift: bool) -> (Vec<ParityStep>, Option<Parting>) {
        let lockstep = Lockstep {
            devices: [Device::default(), Device::default()],
            seed: 0,
            steps: 8,
            dropout: false,
            drift,
        };
        let x = lockstep.learning().map(|device| {
            let values: Vec<f32> = (0..24).map(|at| (at * 7 % 11) as f32 / 11.0).collect();
            Tensor::<2>::from_data(TensorData::new(values, [4, 6]), &device)
        });
        let sgd = Optimizer::Sgd {
            learning_rate: 0.1,
            momentum: 0.9,
        };
        let mut steps = Vec::new();
        let mut taken = [0, 0];
        let step = |side: usize, net: &Net| {
            taken[side] += 1;
            let is_wrong = side == 1 && taken[side] >= since;
            let wrong = if is_wrong { wrong } else { Wrong::Nothing };
            Ok(net.step(x[side].clone(), wrong))
        };
        lockstep
            .follow(sgd, |device| Ok(Net::new(device)), step, &mut |step| {
                steps.push(step);
            })
            .expect("steps");
        let parting = parting(&steps, TOLERANCE);
        (steps, parting)
    }

    #[test]
    fn equal_trainings_are_equal_and_do_train() {
        for drift in [false, true] {
            let (steps, parting) = follow(Wrong::Nothing, 1, drift);
            assert_eq!(parting, None);
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
    fn a_wrong_operation_is_caught_in_its_step_and_at_its_layer() {
        for (wrong, since, first) in [
            // Everything behind it is wrong, the loss before all.
            (Wrong::Forward, 1, "the loss"),
            (Wrong::Forward, 5, "the loss"),
            (Wrong::Nan, 3, "the loss"),
            // The layer in front of it is, and no other.
            (Wrong::Backward, 1, "the gradient of first.bias"),
            (Wrong::Backward, 4, "the gradient of first.bias"),
        ] {
            for drift in [false, true] {
                let (_, parting) = follow(wrong, since, drift);
                let parting = parting.expect("it is caught");
                assert_eq!((parting.step, parting.what[0].0.as_str()), (since, first));
                if wrong == Wrong::Backward {
                    let what = parting.what.iter().map(|(what, _)| what.as_str());
                    assert!(what.clone().all(|what| what.contains("first")));
                    // A gradient twice as large is apart by half of the larger.
                    assert!((parting.what[0].1 - 0.5).abs() < 1e-6);
                }
            }
        }
    }

    #[test]
    fn parameters_that_cannot_be_compared_are_apart() {
        let parameter = |name: &str, values: &[f64]| Parameter {
            name: name.into(),
            shape: vec![values.len()],
            values: values.to_vec(),
        };
        let a = parameter("a", &[3.0, 4.0]);
        assert_eq!(gap(&a, &a), Some(0.0));
        assert_eq!(gap(&a, &parameter("a", &[3.0, 3.0])), Some(0.2));
        for other in [
            parameter("a", &[3.0]),
            parameter("a", &[3.0, 4.0, 0.0]),
            parameter("b", &[3.0, 4.0]),
            parameter("a", &[3.0, f64::NAN]),
            parameter("a", &[3.0, -f64::NAN]),
            parameter("a", &[3.0, f64::INFINITY]),
        ] {
            assert_eq!(gap(&a, &other), None, "{other:?}");
            assert_eq!(gap(&other, &a), None, "{other:?}");
        }
        let nan = parameter("a", &[f64::NAN, 1.0]);
        assert_eq!(gap(&nan, &nan), None);
        let (one, both) = (vec![a.clone()], vec![a.clone(), parameter("b", &[1.0])]);
        for pair in [[one.clone(), both.clone()], [both, one]] {
            let gaps = gaps(&pair, &pair);
            assert_eq!(gaps.len(), 2);
            assert_eq!((gaps[1].name.as_str(), gaps[1].gradient), ("b", None));
            assert_eq!((gaps[0].gradient, gaps[1].weights), (Some(0.0), None));
        }
    }

    #[test]
    fn without_drift_a_fault_of_one_step_does_not_reach_the_next() {
        let gaps = |drift| {
            let (steps, _) = follow(Wrong::Forward, 8, drift);
            let (faulty, _) = follow(Wrong::Backward, 2, drift);
            (steps[6].loss_gap(), faulty[2].loss_gap())
        };
        assert_eq!(gaps(false), (0.0, 0.0));
        let (before, after) = gaps(true);
        assert!(before == 0.0 && after > 1e-3, "{after}");
    }
}
