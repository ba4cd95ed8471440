//! What a running training tells the process that started it: one JSON object
//! per line on its standard output.

use serde::{Deserialize, Serialize};

/// A step forward.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// The epoch (or iteration) at work, from 1.
    pub epoch: usize,
    /// How many there will be.
    pub epochs: usize,
    /// How much of the whole run is done, in [0, 1].
    pub fraction: f64,
    /// Mean loss on the training images of the last whole epoch.
    pub train_loss: Option<f64>,
    /// Mean loss on the test images of the last whole epoch.
    pub test_loss: Option<f64>,
    /// Accuracy on the test images of the last whole epoch, in [0, 1].
    pub test_accuracy: Option<f64>,
}
