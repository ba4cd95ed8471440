//! The keys of a config that name images.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::configs::check::{Check, at_least_one};
use crate::configs::size::{SMOKE_TESTS, lower};

/// The side of an image in pixels. The models fix it.
pub const SIDE: usize = 28;

/// `[data]` of a family that learns from images: MNIST as it lies in the repository, or a
/// folder in its place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImageData {
    /// A folder of IDX files, gzipped or not. Without it, the images are MNIST.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dir: Option<PathBuf>,
    /// How many training images are used, from the first on. Without it, all are used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train: Option<usize>,
    /// How many test images are used, from the first on. Without it, all are used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<usize>,
}

impl ImageData {
    /// Refuses to use no image at all. How many there are, the files say.
    pub(crate) fn check(&self) -> Check {
        at_least_one("data.train", self.train.unwrap_or(1))?;
        at_least_one("data.test", self.test.unwrap_or(1))
    }

    /// Shortens the data to that of a smoke run, with at most `train` training images.
    pub(crate) fn shorten_to_smoke(&mut self, train: usize) {
        self.train = Some(self.train.map_or(train, |own| own.min(train)));
        self.test = Some(self.test.map_or(SMOKE_TESTS, |test| test.min(SMOKE_TESTS)));
    }
}

/// `[scatter]`: which codes are written to `codes.csv`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scatter {
    /// The codes of how many test images are written, from the first image on.
    pub images: usize,
}

impl Scatter {
    /// Refuses to write no code at all. There are no more than test images.
    pub(crate) fn check(&self) -> Check {
        at_least_one("scatter.images", self.images)
    }

    /// Shortens the codes to those of a smoke run.
    pub(crate) fn shorten_to_smoke(&mut self) {
        lower(&mut self.images, SMOKE_TESTS);
    }
}
