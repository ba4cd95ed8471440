//! The keys of a config that say how a model is trained.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::configs::check::{Check, count, positive, share};
use crate::configs::size::{SMOKE_BATCH, SMOKE_STEPS, lower};

use super::images::ImageData;

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
}

impl Train {
    /// Refuses a training without steps, and values that the optimizer cannot use.
    pub(crate) fn check(&self) -> Check {
        count("train.epochs", self.epochs, 1)?;
        count("train.batch_size", self.batch_size, 1)?;
        self.optimizer.check()
    }

    /// Shortens the training on `data` to that of a smoke run.
    pub(crate) fn shorten_to_smoke(&mut self, data: &mut ImageData) {
        self.epochs = 1;
        lower(&mut self.batch_size, SMOKE_BATCH);
        data.shorten_to_smoke(SMOKE_STEPS * self.batch_size);
    }
}

/// The optimizer. Its learning rate is constant.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Optimizer {
    /// Stochastic gradient descent with momentum, on a weight w with the gradient g:
    /// v <- momentum v + g, w <- w - learning_rate v.
    Sgd {
        /// The learning rate.
        learning_rate: f64,
        /// The share of the last v that is kept. At 0, there is no momentum.
        momentum: f64,
    },
    /// Adam (Kingma and Ba, 2015) with beta 0.9 and 0.999, and epsilon 1e-7.
    Adam {
        /// The learning rate.
        learning_rate: f64,
    },
}

impl Optimizer {
    /// The learning rate of the optimizer.
    pub fn learning_rate(self) -> f64 {
        match self {
            Optimizer::Sgd { learning_rate, .. } | Optimizer::Adam { learning_rate } => {
                learning_rate
            }
        }
    }

    /// Refuses values that the optimizer cannot use.
    pub(crate) fn check(self) -> Check {
        match self {
            Optimizer::Sgd {
                learning_rate,
                momentum,
            } => {
                positive("train.optimizer.sgd.learning_rate", learning_rate)?;
                share(
                    "train.optimizer.sgd.momentum",
                    momentum,
                    "the last step that momentum keeps",
                )
            }
            Optimizer::Adam { learning_rate } => {
                positive("train.optimizer.adam.learning_rate", learning_rate)
            }
        }
    }
}
