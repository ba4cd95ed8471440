//! The keys of a config that name images.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::configs::check::{Check, Problem, at_least_one, within};
use crate::configs::size::{SMOKE_TESTS, lower};
use crate::data_info::DataInfo;

/// The largest height and width to which pictures are resized.
const MAX_SIDE: usize = 1024;

/// The form of the files of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// Four IDX files, gzipped or not, as MNIST has them.
    Idx,
    /// The binary version of CIFAR-10 or CIFAR-100.
    Cifar,
    /// A file of NumPy arrays, as Keras and MedMNIST have them.
    Npz,
    /// PNG and JPEG files in a folder for each class.
    Pictures,
}

impl Form {
    /// All forms.
    pub const ALL: [Self; 4] = [Self::Idx, Self::Cifar, Self::Npz, Self::Pictures];

    /// The name of the form in configs.
    pub fn name(self) -> &'static str {
        match self {
            Form::Idx => "idx",
            Form::Cifar => "cifar",
            Form::Npz => "npz",
            Form::Pictures => "pictures",
        }
    }
}

/// How the bytes of pixels become the numbers that a network sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Normalize {
    /// Numbers in [0, 1]: a byte divided by 255.
    Unit,
    /// Numbers with a mean of 0 and a standard deviation of 1 in each channel, over all images
    /// that the run learns from.
    Standard,
}

/// `[data]` of a family that learns from images: MNIST as it is in the repository, or a
/// folder with other images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImageData {
    /// A folder of images. Without it, the images are MNIST.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dir: Option<PathBuf>,
    /// The form of the files in `dir`. Without it, the form is found out by looking at them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form: Option<Form>,
    /// The label of the first class in IDX and NPZ files. Without it, labels begin at 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_label: Option<u8>,
    /// Whether rows and columns of each image are exchanged. The files of EMNIST need this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transpose: Option<bool>,
    /// The height and the width to which pictures are resized. Without it, all pictures must
    /// have the same size.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<[usize; 2]>,
    /// The number of channels of pictures: 1 makes them grey, and 3 coloured. Without it, all
    /// pictures must have the same number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channels: Option<usize>,
    /// The share of the pictures of each class that become test images, for a folder of
    /// pictures without the folders `train` and `test`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_share: Option<f64>,
    /// How the bytes of pixels become the numbers that a network sees. Without it, they are
    /// divided by 255, as with `unit`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub normalize: Option<Normalize>,
    /// The number of training images that are used. They are the first ones, or from all places
    /// if the images come class by class. Without it, all are used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train: Option<usize>,
    /// The number of test images that are used, chosen as the training images are. Without it,
    /// all are used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<usize>,
    /// The number of training images that become validation images. With this key, the run is
    /// a trial: it learns from the other training images, is evaluated on the validation
    /// images, and sees no test image. Without it, the run learns from all training images
    /// and is evaluated on the test images. If the data set has validation images of its own, a
    /// trial is evaluated on at most so many of these, and learns from all training images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation: Option<usize>,
}

impl ImageData {
    /// All images of the folder `dir`, or of MNIST.
    pub fn all(dir: Option<PathBuf>) -> Self {
        Self {
            dir,
            form: None,
            first_label: None,
            transpose: None,
            size: None,
            channels: None,
            test_share: None,
            normalize: None,
            train: None,
            test: None,
            validation: None,
        }
    }

    /// Checks that at least one image of each split is used. The upper limit is known only
    /// when the files are read.
    pub(crate) fn check(&self) -> Check {
        self.check_form()?;
        at_least_one("data.train", self.train.unwrap_or(1))?;
        at_least_one("data.test", self.test.unwrap_or(1))?;
        at_least_one("data.validation", self.validation.unwrap_or(1))
    }

    /// Checks the keys about the files of a folder.
    fn check_form(&self) -> Check {
        for (key, is_set) in [
            ("data.form", self.form.is_some()),
            ("data.first_label", self.first_label.is_some()),
            ("data.transpose", self.transpose.is_some()),
            ("data.size", self.size.is_some()),
            ("data.channels", self.channels.is_some()),
            ("data.test_share", self.test_share.is_some()),
        ] {
            if is_set && self.dir.is_none() {
                let problem = "is for a folder of images; name the folder with data.dir";
                return Err(Problem::new(key, problem));
            }
        }
        for side in self.size.into_iter().flatten() {
            within("data.size", side, 1, MAX_SIDE)?;
        }
        if let Some(channels) = self.channels.filter(|channels| ![1, 3].contains(channels)) {
            let problem = format!("must be 1 (grey) or 3 (coloured), not {channels}");
            return Err(Problem::new("data.channels", problem));
        }
        match self.test_share {
            Some(share) if !(share > 0.0 && share < 1.0) => Err(Problem::new(
                "data.test_share",
                format!("must be between 0 and 1, not {share}"),
            )),
            _ => Ok(()),
        }
    }

    /// Checks that a data set has as many images as are asked for.
    pub(crate) fn check_has_enough(&self, data: &DataInfo) -> Check {
        for (key, wanted, there) in [
            ("data.train", self.train, data.train),
            ("data.test", self.test, data.test),
        ] {
            if let Some(wanted) = wanted.filter(|&wanted| wanted > there) {
                return Err(Problem::new(
                    key,
                    format!(
                        "asks for {wanted} images, and there are {there}; ask for fewer, as with \
                         --set {key}={there}, or leave the key out for all"
                    ),
                ));
            }
        }
        Ok(())
    }

    /// Checks that a trial has images to learn from.
    pub(crate) fn check_data(&self, data: &DataInfo) -> Check {
        let train = at_most(self.train, data.train);
        match self.validation {
            Some(validation) if data.validation == 0 && validation >= train => Err(Problem::new(
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
        let train = at_most(self.train, data.train);
        match data.validation {
            0 => train.saturating_sub(self.validation.unwrap_or(0)),
            _ => train,
        }
    }

    /// The number of images of a data set that a run is evaluated on: validation images if it
    /// is a trial, or else test images.
    pub fn evaluated(&self, data: &DataInfo) -> usize {
        match self.validation {
            Some(validation) if data.validation > 0 => validation.min(data.validation),
            Some(validation) => validation,
            None => at_most(self.test, data.test),
        }
    }

    /// Refuses pixels outside of [0, 1], for a family that rebuilds images. Its errors are
    /// squared differences of pixels in [0, 1].
    pub(crate) fn check_is_unit(&self) -> Check {
        match self.normalize {
            None | Some(Normalize::Unit) => Ok(()),
            Some(Normalize::Standard) => Err(Problem::new(
                "data.normalize",
                "must be \"unit\" for a family that rebuilds images, because their pixels lie in \
                 [0, 1]",
            )),
        }
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

/// `wanted`, or all images if it is `None`, but at most as many as are `there`.
fn at_most(wanted: Option<usize>, there: usize) -> usize {
    wanted.map_or(there, |wanted| wanted.min(there))
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
