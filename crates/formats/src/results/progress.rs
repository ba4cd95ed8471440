//! How a training reports its progress to the process that started it: one JSON object per
//! line on its standard output.

use serde::{Deserialize, Serialize};

/// The progress of a training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// The current epoch (or iteration), from 1.
    pub epoch: usize,
    /// The number of epochs of the whole training.
    pub epochs: usize,
    /// The share of the whole training that is done, in [0, 1].
    pub fraction: f64,
    /// The mean loss on the training images in the last finished epoch.
    pub train_loss: Option<f64>,
    /// The mean loss on the evaluated split after the last finished epoch: on the validation
    /// images for a trial, and on the test images for a final run.
    pub evaluated_loss: Option<f64>,
    /// The accuracy on the evaluated split after the last finished epoch, in [0, 1].
    pub evaluated_accuracy: Option<f64>,
}
