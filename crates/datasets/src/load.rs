//! Loads a data set: MNIST as it is in the repository, or a folder of IDX files.

use std::path::Path;

use kindling_formats::{ImageData, Split, hex};
use sha2::{Digest, Sha256};

use crate::classes::read_classes;
use crate::error::DataError;
use crate::folder::data_file;
use crate::idx;
use crate::images::Images;
use crate::shape::PIXELS;
use crate::sums::Sums;
use crate::validation::hold_out;

/// One of the four files of a data set.
struct Part {
    /// The name of the file in a folder.
    name: &'static str,
    /// The file of MNIST in the repository, gzipped.
    archive: &'static [u8],
    /// The SHA-256 of the unpacked file of MNIST.
    sha256: &'static str,
}

/// The files of a data set, in this order: training images, training labels, test images,
/// test labels.
const PARTS: [Part; 4] = [
    Part {
        name: "train-images-idx3-ubyte",
        archive: include_bytes!("../mnist/train-images-idx3-ubyte.gz"),
        sha256: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    },
    Part {
        name: "train-labels-idx1-ubyte",
        archive: include_bytes!("../mnist/train-labels-idx1-ubyte.gz"),
        sha256: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    },
    Part {
        name: "t10k-images-idx3-ubyte",
        archive: include_bytes!("../mnist/t10k-images-idx3-ubyte.gz"),
        sha256: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    },
    Part {
        name: "t10k-labels-idx1-ubyte",
        archive: include_bytes!("../mnist/t10k-labels-idx1-ubyte.gz"),
        sha256: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
];

/// An unpacked file.
struct Unpacked {
    /// The name of the file in errors.
    file: String,
    plain: Vec<u8>,
    /// The SHA-256 of `plain`.
    sha256: String,
}

/// A data set.
#[derive(Debug, Clone)]
pub struct ImageSet {
    /// The training images.
    pub train: Images,
    /// The images on which a run is evaluated: the validation images of a trial, and the test
    /// images of a final run.
    pub evaluated: Images,
    /// The split that `evaluated` is.
    pub evaluated_split: Split,
    /// The names of the classes, in the order of the labels from 0; `None` if they are digits.
    pub classes: Option<Vec<String>>,
    /// The SHA-256, hexadecimal, of the whole data set, even if only a part of it is used.
    pub fingerprint: String,
    /// Warnings about checks that were not made, and about paths that should be files but are
    /// not.
    pub warnings: Vec<String>,
}

/// Loads the images that a config names: MNIST as it is in the repository, or a folder of IDX
/// files.
///
/// For a trial (`data.validation`), the validation images are taken from the training images.
/// The test files are then read for the fingerprint of the data, but no test image is made
/// from them.
///
/// # Errors
///
/// If a file is missing, damaged or changed, or does not fit the others, or the config asks
/// for more images than there are.
pub fn load_images(data: &ImageData) -> Result<ImageSet, DataError> {
    let (parts, classes, warnings) = match data.dir.as_deref() {
        None => (repository()?, None, Vec::new()),
        Some(dir) => folder(dir)?,
    };
    let mut hash = Sha256::new();
    for part in &parts {
        hash.update(&part.sha256);
    }
    for class in classes.iter().flatten() {
        hash.update(class);
        hash.update("\n");
    }
    let [train_images, train_labels, test_images, test_labels] = parts;
    let mut train = join(&train_images, &train_labels)?;
    train.truncate("train", data.train)?;
    let (evaluated, evaluated_split) = match data.validation {
        Some(count) => {
            let content = [&train_images, &train_labels].map(|part| part.sha256.as_str());
            let (rest, validation) = hold_out(&train, count, content)?;
            train = rest;
            (validation, Split::Validation)
        }
        None => {
            let mut test = join(&test_images, &test_labels)?;
            test.truncate("test", data.test)?;
            (test, Split::Test)
        }
    };
    Ok(ImageSet {
        train,
        evaluated,
        evaluated_split,
        classes,
        fingerprint: hex(&hash.finalize()),
        warnings,
    })
}

/// Unpacks MNIST, and checks its SHA-256.
fn repository() -> Result<[Unpacked; 4], DataError> {
    let [a, b, c, d] = &PARTS;
    let unpacked = |part: &Part| {
        let file = format!("{}.gz in the repository", part.name);
        let unpacked = unpack(file, part.archive)?;
        if unpacked.sha256 != part.sha256 {
            return Err(DataError::Altered {
                file: unpacked.file,
                bytes: "unpacked bytes",
                expected: part.sha256.to_string(),
                found: unpacked.sha256,
            });
        }
        Ok(unpacked)
    };
    Ok([unpacked(a)?, unpacked(b)?, unpacked(c)?, unpacked(d)?])
}

/// The files of a folder, the names of its classes, and the warnings.
type Folder = ([Unpacked; 4], Option<Vec<String>>, Vec<String>);

/// Reads and checks the files of a folder.
fn folder(dir: &Path) -> Result<Folder, DataError> {
    let mut warnings = Vec::new();
    let mut sums = Sums::read(dir, &mut warnings)?;
    let mut read = |part: &Part| {
        let found = data_file(dir, part.name, &mut warnings)?;
        let unpacked = unpack(found.path.display().to_string(), &found.bytes)?;
        if let Some(sums) = &mut sums {
            sums.check(part.name, &found, &unpacked.sha256)?;
        }
        Ok(unpacked)
    };
    let [a, b, c, d] = &PARTS;
    let parts = [read(a)?, read(b)?, read(c)?, read(d)?];
    let classes = read_classes(dir, &mut sums, &mut warnings)?;
    if let Some(sums) = sums {
        warnings.extend(sums.warnings());
    }
    Ok((parts, classes, warnings))
}

/// Unpacks the bytes of a file, gzipped or not.
fn unpack(file: String, bytes: &[u8]) -> Result<Unpacked, DataError> {
    match idx::unpack(bytes) {
        Ok(plain) => Ok(Unpacked {
            sha256: hex(&Sha256::digest(&plain)),
            file,
            plain,
        }),
        Err(source) => Err(DataError::Format { file, source }),
    }
}

/// Makes images from a file of pixels and a file of labels.
fn join(images: &Unpacked, labels: &Unpacked) -> Result<Images, DataError> {
    let format = |part: &Unpacked| {
        let file = part.file.clone();
        |source| DataError::Format { file, source }
    };
    let pixels = idx::images(&images.plain).map_err(format(images))?;
    let digits = idx::labels(&labels.plain).map_err(format(labels))?;
    if pixels.len() != digits.len() * PIXELS {
        return Err(DataError::Counts {
            images_file: images.file.clone(),
            images: pixels.len() / PIXELS,
            labels_file: labels.file.clone(),
            labels: digits.len(),
        });
    }
    Ok(Images::new(pixels.to_vec(), digits.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn_dataset::Dataset;

    fn mnist() -> ImageData {
        ImageData {
            dir: None,
            train: None,
            test: None,
            validation: None,
        }
    }

    #[test]
    fn mnist_has_the_known_counts_and_pixels() {
        let set = load_images(&mnist()).expect("loads");
        assert_eq!(set.fingerprint, kindling_formats::MNIST);
        let ImageSet {
            train,
            evaluated: test,
            ..
        } = set;
        assert_eq!((train.len(), test.len()), (60_000, 10_000));
        // Counted with Python over the unpacked label files.
        let count = |images: &Images, digit| {
            images
                .labels()
                .iter()
                .filter(|&&label| label == digit)
                .count()
        };
        assert_eq!(count(&train, 1), 6742);
        assert_eq!(count(&test, 5), 892);
        assert_eq!(train.get(0).expect("an item").label, 5);
        // The sum of all training pixels. NumPy gives their mean as 33.3184.
        let pixels = (0..train.len()).flat_map(|index| train.pixels(index));
        let sum: u64 = pixels.map(|&pixel| u64::from(pixel)).sum();
        assert_eq!(sum, 1_567_298_545);
    }

    #[test]
    fn a_config_can_use_fewer_images_but_not_more() {
        let data = ImageData {
            train: Some(3),
            test: Some(10_001),
            ..mnist()
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
        // The fingerprint does not depend on how much of the data set is used.
        let whole = load_images(&mnist()).expect("loads");
        assert_eq!(part.fingerprint, whole.fingerprint);
    }
}
