//! The steps of a training: the learning rate of each step, clipping, and the optimizer.
//!
//! burn-train's loop asks for the parts one by one ([`Rates`] and [`clip_gradients`]). A loop
//! of our own uses [`Stepper`], which has all of them.

use burn::lr_scheduler::{LrScheduler, LrSchedulerRecord};
use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::{GradientsParams, LearningRate, ModuleOptimizer};
use burn::tensor::Tensor;
use kindling_formats::Descent;
use kindling_ops::{ClipFactor, clip_factor};

use super::optimizer::new_optimizer;

/// Changes the weights of a model step by step.
pub struct Stepper {
    rates: Rates,
    clip: Option<f64>,
    optimizer: ModuleOptimizer,
}

impl Stepper {
    /// Starts before the first step of a training.
    pub fn new(descent: Descent) -> Self {
        Self {
            clip: descent.clip,
            optimizer: new_optimizer(descent.optimizer),
            rates: Rates::new(descent),
        }
    }

    /// Takes the next step. Returns the model with the new weights, and the learning rate of
    /// the step.
    pub fn step<M: Module>(&mut self, model: M, gradients: GradientsParams) -> (M, f64) {
        let rate = self.rates.step();
        let gradients = clip_gradients(&model, gradients, self.clip);
        (self.optimizer.step(rate, model, gradients), rate)
    }
}

/// The learning rates of a training's steps, for burn-train's loop. The record, which a
/// checkpoint holds, has the number of steps so far.
#[derive(Debug, Clone)]
pub(crate) struct Rates {
    descent: Descent,
    steps_done: usize,
}

impl Rates {
    /// Starts before the first step of a training.
    pub(crate) fn new(descent: Descent) -> Self {
        Self {
            descent,
            steps_done: 0,
        }
    }
}

/// The name of the number of steps in a record.
const STEPS_DONE: &str = "steps_done";

impl LrScheduler for Rates {
    fn step(&mut self) -> LearningRate {
        self.steps_done += 1;
        self.descent.rate(self.steps_done)
    }

    fn to_record(&self) -> LrSchedulerRecord {
        LrSchedulerRecord::new().with_scalar(STEPS_DONE, self.steps_done)
    }

    fn load_record(&mut self, record: LrSchedulerRecord) {
        self.steps_done = record.scalar(STEPS_DONE).unwrap_or(self.steps_done);
    }
}

/// Shortens the gradients of `model` so that the norm of all of them together is at most
/// `largest`; see [`clip_factor`]. Without `largest`, they stay as they are.
pub(crate) fn clip_gradients<M: Module>(
    model: &M,
    mut gradients: GradientsParams,
    largest: Option<f64>,
) -> GradientsParams {
    let Some(largest) = largest else {
        return gradients;
    };
    let mut vectors = Vectors {
        gradients: &gradients,
        found: Vec::new(),
    };
    model.visit(&mut vectors);
    let factor = clip_factor(&vectors.found, largest);
    // The vectors share the memory of the gradients, which are changed in place.
    drop(vectors);
    if !matches!(factor, ClipFactor::One) {
        model.visit(&mut Multiplier {
            gradients: &mut gradients,
            factor,
        });
    }
    gradients
}

/// Visits a model and collects its gradients as vectors, in the order of the model's fields.
struct Vectors<'a> {
    gradients: &'a GradientsParams,
    found: Vec<Tensor<1>>,
}

impl ModuleVisitor for Vectors<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.get::<D>(param.id) {
            let values = gradient.shape().num_elements();
            self.found.push(gradient.reshape([values]));
        }
    }
}

/// Visits a model and multiplies its gradients by a factor.
struct Multiplier<'a> {
    gradients: &'a mut GradientsParams,
    factor: ClipFactor,
}

impl ModuleVisitor for Multiplier<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.remove::<D>(param.id) {
            let clipped = self.factor.multiply(gradient);
            self.gradients.register(param.id, clipped);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, TensorData};
    use kindling_formats::{Optimizer, Schedule};

    /// Two parameters, so that the norm of both together differs from the norm of each.
    #[derive(Module, Debug)]
    struct Pair {
        a: Param<Tensor<1>>,
        b: Param<Tensor<2>>,
    }

    const START: [f32; 5] = [0.5, -0.25, 0.0, 0.125, -1.0];
    const STEPS: usize = 50;

    impl Pair {
        fn new(device: &Device) -> Self {
            let parts = tensors(&START, device);
            Self {
                a: Param::from_tensor(parts.0),
                b: Param::from_tensor(parts.1),
            }
        }

        fn values(&self) -> Vec<f64> {
            let mut values: Vec<f64> = floats(self.a.val());
            values.extend(floats(self.b.val()));
            values
        }

        fn gradients(&self, values: &[f32; 5], device: &Device) -> GradientsParams {
            let parts = tensors(values, device);
            let mut gradients = GradientsParams::new();
            gradients.register(self.a.id, parts.0);
            gradients.register(self.b.id, parts.1);
            gradients
        }
    }

    fn tensors(values: &[f32; 5], device: &Device) -> (Tensor<1>, Tensor<2>) {
        (
            Tensor::from_data(TensorData::new(values[..3].to_vec(), [3]), device),
            Tensor::from_data(TensorData::new(values[3..].to_vec(), [1, 2]), device),
        )
    }

    fn floats<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
        crate::to_f64s(tensor.inner()).expect("values")
    }

    /// The gradients of step `time`. 32-bit numbers hold them exactly.
    fn gradient(time: usize, scale: f32) -> [f32; 5] {
        std::array::from_fn(|at| ((37 * at + 61 * time) % 101) as f32 - 40.0)
            .map(|number| number / 64.0 * scale)
    }

    struct Case {
        name: &'static str,
        optimizer: Optimizer,
        schedule: Option<Schedule>,
        clip: Option<f64>,
        /// The factor of all gradients.
        scale: f32,
    }

    /// A factor, 2^-23, by which gradients are as small as the epsilon of Adam.
    const NEAR_EPSILON: f32 = f32::EPSILON;

    /// What `reference/stepper.py` prints: the weights after steps 1, 10 and 50 of each case,
    /// computed with Optax 0.2.8 in double precision.
    const EXPECTED: &str = include_str!("../../reference/stepper.txt");

    /// The expected weights of a case after the step `time`; `None` if there are none.
    fn expected(name: &str, time: usize) -> Option<Vec<f64>> {
        let head = format!("{name} {time}: ");
        let line = EXPECTED.lines().find_map(|line| line.strip_prefix(&head))?;
        let numbers = line.split(", ").map(|number| number.parse());
        Some(numbers.collect::<Result<_, _>>().expect("numbers"))
    }

    fn cases() -> Vec<Case> {
        vec![
            Case {
                name: "sgd",
                optimizer: Optimizer::Sgd {
                    learning_rate: 0.05,
                    momentum: 0.9,
                    nesterov: false,
                    weight_decay: 0.0,
                },
                schedule: None,
                clip: None,
                scale: 1.0,
            },
            Case {
                name: "nesterov",
                optimizer: Optimizer::Sgd {
                    learning_rate: 0.05,
                    momentum: 0.9,
                    nesterov: true,
                    weight_decay: 0.01,
                },
                schedule: Some(Schedule::Cosine {
                    warmup: 0.1,
                    end: 0.1,
                }),
                clip: Some(0.75),
                scale: 1.0,
            },
            Case {
                name: "adam",
                optimizer: Optimizer::Adam {
                    learning_rate: 0.01,
                    beta_1: 0.9,
                    beta_2: 0.999,
                    epsilon: 1e-7,
                },
                schedule: Some(Schedule::Constant { warmup: 0.2 }),
                clip: None,
                scale: 1.0,
            },
            Case {
                name: "adam near epsilon",
                optimizer: Optimizer::Adam {
                    learning_rate: 0.01,
                    beta_1: 0.9,
                    beta_2: 0.999,
                    epsilon: 1e-7,
                },
                schedule: None,
                clip: None,
                scale: NEAR_EPSILON,
            },
            Case {
                name: "adam steps",
                optimizer: Optimizer::Adam {
                    learning_rate: 0.01,
                    beta_1: 0.8,
                    beta_2: 0.9999,
                    epsilon: 1e-8,
                },
                schedule: Some(Schedule::Step {
                    warmup: 0.0,
                    at: vec![0.5, 0.8],
                    factor: 0.1,
                }),
                clip: Some(0.5),
                scale: 1.0,
            },
            Case {
                name: "adamw",
                optimizer: Optimizer::AdamW {
                    learning_rate: 0.02,
                    beta_1: 0.9,
                    beta_2: 0.999,
                    epsilon: 1e-7,
                    weight_decay: 0.1,
                },
                schedule: Some(Schedule::Cosine {
                    warmup: 0.0,
                    end: 0.0,
                }),
                clip: Some(1.0),
                scale: 1.0,
            },
            Case {
                name: "adamw near epsilon",
                optimizer: Optimizer::AdamW {
                    learning_rate: 0.02,
                    beta_1: 0.9,
                    beta_2: 0.999,
                    epsilon: 1e-7,
                    weight_decay: 0.5,
                },
                schedule: Some(Schedule::Cosine {
                    warmup: 0.2,
                    end: 0.2,
                }),
                clip: Some(1e-7),
                scale: NEAR_EPSILON,
            },
        ]
    }

    #[test]
    fn fifty_steps_agree_with_optax_in_double_precision() {
        let device = Device::default();
        for case in cases() {
            let mut stepper = Stepper::new(Descent {
                optimizer: case.optimizer,
                schedule: case.schedule,
                clip: case.clip,
                steps: STEPS,
            });
            let mut model = Pair::new(&device.clone().autodiff());
            let mut compared = 0;
            for time in 1..=STEPS {
                let gradients = model.gradients(&gradient(time, case.scale), &device);
                (model, _) = stepper.step(model, gradients);
                let Some(expected) = expected(case.name, time) else {
                    continue;
                };
                let weights = model.values().into_iter().zip(expected);
                for ((found, expected), start) in weights.zip(START) {
                    // A weight that comes close to 0 is as exact as the way to it.
                    let size = expected.abs().max((expected - f64::from(start)).abs());
                    assert!(
                        (found - expected).abs() <= 1e-5 * size,
                        "{}, step {time}: {found}, expected {expected}",
                        case.name
                    );
                    compared += 1;
                }
            }
            assert_eq!(compared, 15);
        }
    }

    #[test]
    fn a_loaded_record_continues_the_rates_where_they_were() {
        let descent = Descent {
            optimizer: Optimizer::Sgd {
                learning_rate: 0.1,
                momentum: 0.0,
                nesterov: false,
                weight_decay: 0.0,
            },
            schedule: Some(Schedule::Cosine {
                warmup: 0.2,
                end: 0.0,
            }),
            clip: None,
            steps: 10,
        };
        let mut whole = Rates::new(descent.clone());
        let all: Vec<f64> = (0..10).map(|_| whole.step()).collect();
        assert_eq!(all[..2], [0.05, 0.1]);
        assert_eq!(all[9], 0.0);
        for done in 0..=10 {
            let mut first = Rates::new(descent.clone());
            assert_eq!((0..done).map(|_| first.step()).count(), done);
            let bytes = first.to_record().into_bytes().expect("bytes");
            let mut second = Rates::new(descent.clone());
            second.load_record(LrSchedulerRecord::from_bytes(bytes).expect("a record"));
            let rest: Vec<f64> = (done..10).map(|_| second.step()).collect();
            assert_eq!(rest, all[done..]);
        }
    }

    #[test]
    fn clipping_shortens_all_gradients_by_one_factor_and_keeps_nan() {
        let device = Device::default();
        let model = Pair::new(&device.clone().autodiff());
        let clipped = |values: [f32; 5], largest| {
            let gradients = model.gradients(&values, &device);
            let clipped = clip_gradients(&model, gradients, largest);
            let mut found = floats(clipped.get::<1>(model.a.id).expect("a gradient"));
            found.extend(floats(clipped.get::<2>(model.b.id).expect("a gradient")));
            found
        };
        // By hand: the norm of (2, 4, 4, 0, 8) is 10.
        let long = [2.0, 4.0, 4.0, 0.0, 8.0];
        assert_eq!(clipped(long, Some(5.0)), [1.0, 2.0, 2.0, 0.0, 4.0]);
        for unchanged in [None, Some(10.0), Some(11.0)] {
            assert_eq!(clipped(long, unchanged), [2.0, 4.0, 4.0, 0.0, 8.0]);
        }
        assert_eq!(clipped([0.0; 5], Some(1.0)), [0.0; 5]);
        let found = clipped([1.0, f32::NAN, 1.0, 1.0, 1.0], Some(1.0));
        assert!(found[1].is_nan(), "{found:?}");
        let found = clipped([1.0, 1.0, 1.0, f32::INFINITY, 1.0], Some(1.0));
        assert!(found[3].is_nan(), "{found:?}");
        let found = clipped([f32::MAX; 5], Some(1.0));
        for value in found {
            assert!((value - 0.2f64.sqrt()).abs() < 1e-6, "{value}");
        }
    }
}
