//! `family = "regression"`: a model learns a function of four numbers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::configs::check::{
    Check, Problem, at_least_one, at_most_largest, count, not_negative, range,
};
use crate::configs::size::{SMOKE_STEPS, SMOKE_TESTS, lower};

use super::family::{Family, Figures};
use super::schedule::Schedule;
use super::training::{Descent, Optimizer, check_descent};

/// The config of `family = "regression"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegressionTask {
    /// The function and its samples.
    pub data: RegressionData,
    /// The model that learns the function.
    pub model: RegressionModel,
    /// How the model is trained.
    pub train: RegressionTrain,
}

/// A toy function of x in R^4. W is a 4x4 matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ToyFunction {
    /// sum(x W), which is linear in x.
    Y0,
    /// max(x).
    Y1,
    /// log sum exp(x W).
    Y2,
}

/// `[data]` of a regression: a sample of a toy function.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegressionData {
    /// The function that is sampled.
    pub function: ToyFunction,
    /// The number of training rows.
    pub train: usize,
    /// The number of test rows.
    pub test: usize,
    /// The number of training rows that become validation rows: the last ones. With this key,
    /// the run is a trial: it learns from the other training rows, is evaluated on the
    /// validation rows, and draws no test row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation: Option<usize>,
    /// x is uniform in [-x_range, x_range]^4.
    pub x_range: f64,
    /// W is 4x4 and uniform in [-w_range, w_range].
    pub w_range: f64,
    /// y is multiplied by 1 + noise N(0, 1).
    pub noise: f64,
}

/// A model that learns a toy function of the row x.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ToyModel {
    /// A linear model: the prediction is p = w . x.
    Linear,
    /// A convnet: two kernels of width 3 with same padding, ReLU, and max-pool by 2 give m. The
    /// prediction is p = u . m.
    Convnet,
}

/// `[model]` of a regression.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegressionModel {
    /// Which model learns the function.
    pub kind: ToyModel,
}

/// `[train]` of a regression. Every step takes all rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegressionTrain {
    /// The number of steps.
    pub iterations: usize,
    /// The loss is the mean squared error + l2 times the sum of squared parameters.
    pub l2: f64,
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

impl RegressionTrain {
    /// How the training changes the weights.
    pub fn descent(&self) -> Descent {
        Descent {
            optimizer: self.optimizer,
            schedule: self.schedule.clone(),
            clip: self.clip,
            steps: self.iterations,
        }
    }
}

/// Checks that a trial has a row to learn from.
fn fewer_than_train(validation: usize, train: usize) -> Check {
    if validation < train {
        return Ok(());
    }
    Err(Problem::new(
        "data.validation",
        format!(
            "{validation} validation rows of {train} training rows leave none to learn from; \
             must be less than `data.train`"
        ),
    ))
}

impl Family for RegressionTask {
    const NAME: &'static str = "regression";
    const FILES: &'static [&'static str] = &[
        "config.toml",
        "history.csv",
        "model.bpk",
        "weights.safetensors",
    ];
    const TEST_FILES: &'static [&'static str] = &["predictions.csv"];
    const FIGURES: Figures = Figures {
        step: "iteration",
        loss: "loss (mean squared error)",
        is_log: true,
        compared: None,
    };

    fn check(&self) -> Check {
        count("data.train", self.data.train, 1)?;
        count("data.test", self.data.test, 1)?;
        if let Some(validation) = self.data.validation {
            at_least_one("data.validation", validation)?;
            fewer_than_train(validation, self.data.train)?;
        }
        range("data.x_range", self.data.x_range)?;
        range("data.w_range", self.data.w_range)?;
        not_negative("data.noise", self.data.noise)?;
        at_most_largest("data.noise", self.data.noise)?;
        count("train.iterations", self.train.iterations, 1)?;
        not_negative("train.l2", self.train.l2)?;
        check_descent(
            self.train.optimizer,
            self.train.schedule.as_ref(),
            self.train.clip,
        )
    }

    fn validation(&self) -> Option<usize> {
        self.data.validation
    }

    fn epochs(&self) -> usize {
        self.train.iterations
    }

    fn shorten_to_smoke(&mut self) {
        lower(&mut self.train.iterations, SMOKE_STEPS);
        lower(&mut self.data.test, SMOKE_TESTS);
        if let Some(validation) = &mut self.data.validation {
            lower(validation, SMOKE_TESTS);
        }
    }
}
