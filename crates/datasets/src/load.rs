//! Loads the images that a config names: MNIST as it is in the repository, or a folder.

use kindling_formats::{ChannelScale, DataInfo, ImageData, Normalize, RepeatedImages, Split};

use crate::error::DataError;
use crate::form;
use crate::images::Images;
use crate::mnist::mnist;
use crate::permutation::{hold_out, take};
use crate::repeated::repeated;
use crate::source::Source;

/// The images of a run.
#[derive(Debug, Clone)]
pub struct ImageSet {
    /// The training images.
    pub train: Images,
    /// The images on which a run is evaluated: the validation images of a trial, and the test
    /// images of a final run.
    pub evaluated: Images,
    /// The split that `evaluated` is.
    pub evaluated_split: Split,
    /// What the whole data set holds, even if only a part of it is used.
    pub info: DataInfo,
    /// The SHA-256, hexadecimal, of the whole data set.
    pub fingerprint: String,
    /// Warnings about checks that were not made, and about things that may be mistakes.
    pub warnings: Vec<String>,
}

/// The maximum number of repeated images that a record names for each two splits.
const NAMED: usize = 5;

/// Loads the images that a config names.
///
/// For a trial (`data.validation`), the validation images are those of the data set, or taken
/// from the training images, and the test images are dropped.
///
/// # Errors
///
/// If a file is missing, damaged or changed, or does not fit the others, or no training image
/// is left.
pub fn load_images(data: &ImageData) -> Result<ImageSet, DataError> {
    let source = read(data)?;
    let mut info = source.info();
    // A test makes sure that MNIST has none.
    if data.dir.is_some() {
        info.repeated = repeated(&source, NAMED);
    }
    let train = take(source.train, data.train);
    let (train, evaluated, evaluated_split) = match (data.validation, source.validation) {
        (Some(count), Some(own)) => {
            let validation = take(own, Some(count));
            (train.images, validation.images, Split::Validation)
        }
        (Some(count), None) => {
            let (rest, validation) = hold_out(&train, count)?;
            (rest, validation, Split::Validation)
        }
        (None, _) => {
            let test = take(source.test, data.test);
            (train.images, test.images, Split::Test)
        }
    };
    let scale = match data.normalize {
        None | Some(Normalize::Unit) => None,
        Some(Normalize::Standard) => Some(standard_scale(&train)?),
    };
    let mut warnings = source.warnings;
    warnings.extend(info.repeated.iter().map(ToString::to_string));
    Ok(ImageSet {
        train: train.with_scale(scale.clone()),
        evaluated: evaluated.with_scale(scale),
        evaluated_split,
        info,
        fingerprint: source.fingerprint,
        warnings,
    })
}

/// All images that stand in two splits of the data set that a config names.
///
/// # Errors
///
/// If a file is missing, damaged or changed, or does not fit the others.
pub fn repeated_images(data: &ImageData) -> Result<Vec<RepeatedImages>, DataError> {
    Ok(repeated(&read(data)?, usize::MAX))
}

/// Reads and checks the data set that a config names.
fn read(data: &ImageData) -> Result<Source, DataError> {
    let mut source = match data.dir.as_deref() {
        None => mnist()?,
        Some(dir) => form::read(data, dir)?,
    };
    if data.transpose == Some(true) {
        source = source.transposed();
    }
    source.check()
}

/// The scale of each channel of the images that a run learns from.
fn standard_scale(train: &Images) -> Result<Vec<ChannelScale>, DataError> {
    let scales = train.channel_scales();
    match scales.iter().position(|scale| scale.deviation == 0.0) {
        None => Ok(scales),
        Some(channel) => Err(DataError::Constant(channel)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn_dataset::Dataset;

    #[test]
    fn a_config_can_use_a_part_of_the_images() {
        let data = ImageData {
            train: Some(3),
            test: Some(1),
            ..ImageData::all(None)
        };
        let part = load_images(&data).expect("loads");
        assert_eq!(part.train.labels(), [5, 0, 4]);
        assert_eq!(part.evaluated.labels(), [7]);
        // Fingerprint and info do not depend on how much of the data set is used.
        let whole = load_images(&ImageData::all(None)).expect("loads");
        assert_eq!(part.fingerprint, whole.fingerprint);
        assert_eq!(part.info, whole.info);
        assert_eq!(part.evaluated.len(), 1);
        let data = ImageData {
            test: Some(10_001),
            ..ImageData::all(None)
        };
        assert_eq!(load_images(&data).expect("loads").evaluated.len(), 10_000);
    }
}
