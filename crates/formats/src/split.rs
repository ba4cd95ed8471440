//! The three splits of a data set.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A part of a data set, by its use in an experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// The images (or rows) that a run learns from.
    Train,
    /// The training images that a trial does not learn from. The trial is evaluated on them,
    /// and settings are chosen by them.
    Validation,
    /// The images on which a final run is evaluated. Nothing is chosen by them.
    Test,
}

impl Split {
    /// The name of the split, in lower case. Names of columns begin with it, as in
    /// `validation_loss`.
    pub fn name(self) -> &'static str {
        match self {
            Split::Train => "train",
            Split::Validation => "validation",
            Split::Test => "test",
        }
    }
}

impl fmt::Display for Split {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
