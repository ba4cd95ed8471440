//! The keys of a config that name images.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::configs::check::{Check, Problem, at_least_one};
use crate::configs::size::{SMOKE_TESTS, lower};
use crate::data_info::DataInfo;

/// `[data]` of a family that learns from images: MNIST as it is in the repository, or a
/// folder with other images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImageData {
    /// A folder of IDX files, gzipped or not. Without it, the images are MNIST.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dir: Option<PathBuf>,
    /// The number of training images that are used, from the first. Without it, all are used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train: Option<usize>,
    /// The number of test images that are used, from the first. Without it, all are used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<usize>,
    /// The number of training images that become validation images. With this key, the run is
    /// a trial: it learns from the other training images, is evaluated on the validation
    /// images, and reads no test image. Without it, the run learns from all training images
    /// and is evaluated on the test images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation: Option<usize>,
}

impl ImageData {
    /// All images of the folder `dir`, or of MNIST.
    pub fn all(dir: Option<PathBuf>) -> Self {
        Self {
            dir,
            train: None,
            test: None,
            validation: None,
        }
    }

    /// Checks that at least one image of each split is used. The upper limit is known only
    /// when the files are read.
    pub(crate) fn check(&self) -> Check {
        at_least_one("data.train", self.train.unwrap_or(1))?;
        at_least_one("data.test", self.test.unwrap_or(1))?;
        at_least_one("data.validation", self.validation.unwrap_or(1))
    }

    /// Checks that a data set has as many images as are asked for, and that a trial has images
    /// to learn from.
    pub(crate) fn check_data(&self, data: &DataInfo) -> Check {
        for (key, wanted, there) in [
            ("data.train", self.train, data.train),
            ("data.test", self.test, data.test),
        ] {
            if let Some(wanted) = wanted.filter(|&wanted| wanted > there) {
                return Err(Problem::new(
                    key,
                    format!(
                        "asks for {wanted} images, and there are {there}; ask for fewer, or leave \
                         the key out for all"
                    ),
                ));
            }
        }
        let train = self.train.unwrap_or(data.train);
        match self.validation {
            Some(validation) if validation >= train => Err(Problem::new(
                "data.validation",
                format!(
                    "holds out {validation} of {train} training images, which leaves none to \
                     learn from; use a number below {train}"
                ),
            )),
            _ => Ok(()),
        }
    }

    /// The number of images of a data set that a run learns from.
    pub fn learned(&self, data: &DataInfo) -> usize {
        let train = self.train.unwrap_or(data.train);
        train.saturating_sub(self.validation.unwrap_or(0))
    }

    /// The number of images of a data set that a run is evaluated on: validation images if it
    /// is a trial, or else test images.
    pub fn evaluated(&self, data: &DataInfo) -> usize {
        self.validation
            .unwrap_or_else(|| self.test.unwrap_or(data.test))
    }

    /// Shortens the data to that of a smoke run, which learns from at most `train` images.
    pub(crate) fn shorten_to_smoke(&mut self, train: usize) {
        let validation = self.validation.map(|own| own.min(SMOKE_TESTS));
        self.validation = validation;
        let train = train + validation.unwrap_or(0);
        self.train = Some(self.train.map_or(train, |own| own.min(train)));
        self.test = Some(self.test.map_or(SMOKE_TESTS, |test| test.min(SMOKE_TESTS)));
    }
}

/// `[scatter]`: which codes are written to `codes.csv`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scatter {
    /// The number of test images whose codes are written, from the first image.
    pub images: usize,
}

impl Scatter {
    /// Checks that at least one code is written. The upper limit, the number of test images,
    /// is known only when the files are read.
    pub(crate) fn check(&self) -> Check {
        at_least_one("scatter.images", self.images)
    }

    /// Shortens the codes to those of a smoke run.
    pub(crate) fn shorten_to_smoke(&mut self) {
        lower(&mut self.images, SMOKE_TESTS);
    }
}
