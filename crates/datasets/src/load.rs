//! Loads the images that a config names: MNIST as it is in the repository, or a folder.

use kindling_formats::{DataInfo, Form, ImageData, Split};

use crate::cifar;
use crate::error::DataError;
use crate::idx_folder;
use crate::images::Images;
use crate::mnist::mnist;
use crate::npz;
use crate::permutation::{hold_out, take};

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

/// Loads the images that a config names.
///
/// For a trial (`data.validation`), the validation images are taken from the training images,
/// and the test images are dropped.
///
/// # Errors
///
/// If a file is missing, damaged or changed, or does not fit the others, or the config asks
/// for more images than there are.
pub fn load_images(data: &ImageData) -> Result<ImageSet, DataError> {
    let source = match data.dir.as_deref() {
        None => mnist()?,
        Some(dir) => match data.form {
            Some(Form::Cifar) => cifar::read(dir)?,
            Some(Form::Npz) => npz::read(data, dir)?,
            None if cifar::is_there(dir) => cifar::read(dir)?,
            None if npz::is_there(dir) => npz::read(data, dir)?,
            _ => idx_folder::read(dir)?,
        },
    };
    let source = source.check()?;
    let info = source.info();
    let train = take(source.train, "train", data.train)?;
    let (train, evaluated, evaluated_split) = match data.validation {
        Some(count) => {
            let (rest, validation) = hold_out(&train, count)?;
            (rest, validation, Split::Validation)
        }
        None => {
            let test = take(source.test, "test", data.test)?;
            (train.images, test.images, Split::Test)
        }
    };
    Ok(ImageSet {
        train,
        evaluated,
        evaluated_split,
        info,
        fingerprint: source.fingerprint,
        warnings: source.warnings,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn_dataset::Dataset;

    #[test]
    fn a_config_can_use_fewer_images_but_not_more() {
        let data = ImageData {
            train: Some(3),
            test: Some(10_001),
            ..ImageData::all(None)
        };
        let error = load_images(&data).expect_err("must be refused").to_string();
        assert!(
            error.starts_with("`data.test` asks for 10001 images"),
            "{error}"
        );
        let data = ImageData {
            test: Some(1),
            ..data
        };
        let part = load_images(&data).expect("loads");
        assert_eq!(part.train.labels(), [5, 0, 4]);
        assert_eq!(part.evaluated.labels(), [7]);
        // Fingerprint and info do not depend on how much of the data set is used.
        let whole = load_images(&ImageData::all(None)).expect("loads");
        assert_eq!(part.fingerprint, whole.fingerprint);
        assert_eq!(part.info, whole.info);
        assert_eq!(part.evaluated.len(), 1);
    }
}
