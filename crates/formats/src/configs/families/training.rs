//! The keys of a config that say how a model is trained.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::configs::check::{Check, Problem, count, not_negative, positive, share};
use crate::configs::size::{SMOKE_BATCH, SMOKE_STEPS, lower};

use super::images::ImageData;
use super::schedule::Schedule;

/// `[train]` of a family that learns from images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Train {
    /// The number of passes over the training images.
    pub epochs: usize,
    /// The number of images in a step. The last step of an epoch may have fewer images.
    pub batch_size: usize,
    /// The optimizer and its learning rate.
    pub optimizer: Optimizer,
    /// How the learning rate changes. Without it, the rate is constant and has no warm-up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// The largest norm of the gradient of all parameters together. A longer gradient is
    /// shortened to it. Without it, no gradient is shortened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip: Option<f64>,
}

impl Train {
    /// Refuses a training without steps, and values that the optimizer cannot use.
    pub(crate) fn check(&self) -> Check {
        count("train.epochs", self.epochs, 1)?;
        count("train.batch_size", self.batch_size, 1)?;
        check_descent(self.optimizer, self.schedule.as_ref(), self.clip)
    }

    /// How a training on this number of images changes the weights.
    pub fn descent(&self, images: usize) -> Descent {
        Descent {
            optimizer: self.optimizer,
            schedule: self.schedule.clone(),
            clip: self.clip,
            steps: self.epochs * images.div_ceil(self.batch_size.max(1)),
        }
    }

    /// Shortens the training on `data` to that of a smoke run.
    pub(crate) fn shorten_to_smoke(&mut self, data: &mut ImageData) {
        self.epochs = 1;
        lower(&mut self.batch_size, SMOKE_BATCH);
        data.shorten_to_smoke(SMOKE_STEPS * self.batch_size);
    }
}

/// How a training changes the weights: the optimizer, the learning rate of every step, and
/// the largest gradient.
#[derive(Debug, Clone, PartialEq)]
pub struct Descent {
    /// The optimizer and its learning rate.
    pub optimizer: Optimizer,
    /// How the learning rate changes; `None` if it is constant and has no warm-up.
    pub schedule: Option<Schedule>,
    /// The largest norm of the gradient of all parameters together; `None` if every gradient
    /// is used as it is.
    pub clip: Option<f64>,
    /// The number of all steps of the training.
    pub steps: usize,
}

impl Descent {
    /// The learning rate of a step. The steps are counted from 1. A step after the last one
    /// has the rate of the last one.
    pub fn rate(&self, step: usize) -> f64 {
        let rate = self.optimizer.learning_rate();
        match &self.schedule {
            None => rate,
            Some(schedule) => rate * schedule.share_of_rate(step, self.steps),
        }
    }
}

/// Refuses values that a training cannot use.
pub(super) fn check_descent(
    optimizer: Optimizer,
    schedule: Option<&Schedule>,
    clip: Option<f64>,
) -> Check {
    optimizer.check()?;
    if let Some(schedule) = schedule {
        schedule.check()?;
    }
    match clip {
        Some(clip) if !(clip > 0.0 && clip.is_finite()) => Err(Problem::new(
            "train.clip",
            format!(
                "must be a finite number above 0, not {clip}; without the key, nothing is clipped"
            ),
        )),
        _ => Ok(()),
    }
}

/// The optimizer. On a weight w with the gradient g, all parameters alike, biases too.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Optimizer {
    /// Stochastic gradient descent with momentum, as in PyTorch without dampening:
    /// g <- g + weight_decay w, v <- momentum v + g, w <- w - learning_rate v.
    Sgd {
        /// The learning rate.
        learning_rate: f64,
        /// The share of the last v that is kept. At 0, there is no momentum.
        momentum: f64,
        /// Whether the momentum is Nesterov's: w <- w - learning_rate (g + momentum v).
        nesterov: bool,
        /// The share of w that is added to the gradient (L2). At 0, there is none.
        weight_decay: f64,
    },
    /// Adam (Kingma and Ba, 2015, algorithm 1).
    Adam {
        /// The learning rate.
        learning_rate: f64,
        /// The share of the last moving average of g that is kept.
        beta_1: f64,
        /// The share of the last moving average of g^2 that is kept.
        beta_2: f64,
        /// The number that is added to the denominator of a step.
        epsilon: f64,
    },
    /// Adam with decoupled weight decay (Loshchilov and Hutter, 2019), as in PyTorch: a step
    /// also subtracts learning_rate weight_decay w, with the w before the step and the rate
    /// that the schedule gives.
    AdamW {
        /// The learning rate.
        learning_rate: f64,
        /// The share of the last moving average of g that is kept.
        beta_1: f64,
        /// The share of the last moving average of g^2 that is kept.
        beta_2: f64,
        /// The number that is added to the denominator of a step.
        epsilon: f64,
        /// The share of w that a step subtracts, times the learning rate.
        weight_decay: f64,
    },
}

/// The smallest epsilon. A smaller one could become 0 in 32 bits. The step of a weight whose
/// gradient is 0 would then be 0/0.
const SMALLEST_EPSILON: f64 = 1e-30;

impl Optimizer {
    /// The learning rate of the optimizer, before a schedule changes it.
    pub fn learning_rate(self) -> f64 {
        match self {
            Optimizer::Sgd { learning_rate, .. }
            | Optimizer::Adam { learning_rate, .. }
            | Optimizer::AdamW { learning_rate, .. } => learning_rate,
        }
    }

    /// Refuses values that the optimizer cannot use.
    fn check(self) -> Check {
        match self {
            Optimizer::Sgd {
                learning_rate,
                momentum,
                nesterov,
                weight_decay,
            } => {
                positive("train.optimizer.sgd.learning_rate", learning_rate)?;
                share(
                    "train.optimizer.sgd.momentum",
                    momentum,
                    "the last step that momentum keeps",
                )?;
                if nesterov && momentum == 0.0 {
                    return Err(Problem::new(
                        "train.optimizer.sgd.nesterov",
                        "needs a momentum above 0; give one, or set it to false",
                    ));
                }
                not_negative("train.optimizer.sgd.weight_decay", weight_decay)
            }
            Optimizer::Adam {
                learning_rate,
                beta_1,
                beta_2,
                epsilon,
            } => {
                positive("train.optimizer.adam.learning_rate", learning_rate)?;
                share("train.optimizer.adam.beta_1", beta_1, OF_MEAN)?;
                share("train.optimizer.adam.beta_2", beta_2, OF_SQUARES)?;
                check_epsilon("train.optimizer.adam.epsilon", epsilon)
            }
            Optimizer::AdamW {
                learning_rate,
                beta_1,
                beta_2,
                epsilon,
                weight_decay,
            } => {
                positive("train.optimizer.adamw.learning_rate", learning_rate)?;
                share("train.optimizer.adamw.beta_1", beta_1, OF_MEAN)?;
                share("train.optimizer.adamw.beta_2", beta_2, OF_SQUARES)?;
                check_epsilon("train.optimizer.adamw.epsilon", epsilon)?;
                not_negative("train.optimizer.adamw.weight_decay", weight_decay)
            }
        }
    }
}

const OF_MEAN: &str = "the last mean gradient that is kept";
const OF_SQUARES: &str = "the last mean squared gradient that is kept";

fn check_epsilon(key: &'static str, epsilon: f64) -> Check {
    if epsilon >= SMALLEST_EPSILON && epsilon.is_finite() {
        return Ok(());
    }
    Err(Problem::new(
        key,
        format!(
            "must be a finite number of at least {SMALLEST_EPSILON:e}, not {epsilon}; smaller \
             numbers are 0 in 32 bits"
        ),
    ))
}
