//! What every family declares about itself.

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::configs::check::Check;
use crate::data_info::DataInfo;

use super::images::ImageData;

/// A family: the type of its tables in a config, and the facts that other crates need.
pub(crate) trait Family: Serialize + DeserializeOwned + JsonSchema {
    /// The name of the family in configs and records.
    const NAME: &'static str;

    /// The names of the files that a trial and a final run write, except `record.json`.
    const FILES: &'static [&'static str];

    /// The names of further files, which only a final run writes: what it did on the test
    /// images.
    const TEST_FILES: &'static [&'static str] = &[];

    /// How the report's figures show the family.
    const FIGURES: Figures = Figures::PLAIN;

    /// Returns the part of the config that names the images; `None` if the family generates
    /// its data.
    const IMAGES: Option<fn(&Self) -> &ImageData> = None;

    /// Refuses values that have the right type but are not valid.
    ///
    /// # Errors
    ///
    /// The first key with such a value.
    fn check(&self) -> Check;

    /// Refuses a config that does not fit the images that it names.
    ///
    /// # Errors
    ///
    /// The first key whose value does not fit.
    fn check_data(&self, _data: &DataInfo) -> Check {
        Ok(())
    }

    /// The number of training images (or rows) that a trial holds out to be evaluated on;
    /// `None` if the run is not a trial.
    fn validation(&self) -> Option<usize> {
        Self::IMAGES.and_then(|images| images(self).validation)
    }

    /// The number of epochs that a run trains. It is the number of iterations if every step
    /// takes all rows, and 0 if the family does not train.
    fn epochs(&self) -> usize {
        0
    }

    /// Shortens a run to a smoke run: at most [`SMOKE_STEPS`](crate::SMOKE_STEPS) steps and
    /// [`SMOKE_TESTS`](crate::SMOKE_TESTS) test images.
    fn shorten_to_smoke(&mut self) {}
}

/// How the report's figures show a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    /// The label of the axis of a history: `epoch`, or `iteration`.
    pub step: &'static str,
    /// The label of the axis of losses.
    pub loss: &'static str,
    /// Whether the axis of losses is always logarithmic.
    pub is_log: bool,
    /// The value by which the report compares the cells of the family.
    pub compared: Option<Measure>,
}

impl Figures {
    /// The figures of a family that does not define them.
    pub const PLAIN: Self = Self {
        step: "epoch",
        loss: "loss",
        is_log: false,
        compared: None,
    };
}

/// A value of a record, and how a figure labels it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measure {
    /// The name of the value, as [`Record::number`](crate::Record::number) takes it.
    pub name: &'static str,
    /// The label of its axis.
    pub label: &'static str,
}

impl Measure {
    /// The accuracy on the test images.
    pub(crate) const TEST_ACCURACY: Self = Self {
        name: "test_accuracy",
        label: "test accuracy (share of images)",
    };
    /// The error between test images and rebuilt test images.
    pub(crate) const TEST_ERROR: Self = Self {
        name: "test_loss",
        label: "test error (mean squared error per pixel)",
    };
}
