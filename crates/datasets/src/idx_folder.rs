//! A data set as four IDX files, gzipped or not: the form of MNIST.

use std::path::Path;

use kindling_formats::{ImageData, hex};
use sha2::{Digest, Sha256};

use crate::classes::{numbered, read_classes};
use crate::error::DataError;
use crate::folder::{data_file, names};
use crate::idx;
use crate::images::Images;
use crate::source::{Labelled, Source};
use crate::sums::Sums;

/// The names of the files: training images, training labels, test images, test labels.
pub(crate) const FILES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

/// An unpacked file.
pub(crate) struct Unpacked {
    /// The name of the file in errors.
    pub place: String,
    plain: Vec<u8>,
    /// The SHA-256 of the unpacked bytes.
    pub sha256: String,
}

impl Unpacked {
    /// Unpacks the bytes of a file, gzipped or not.
    pub(crate) fn new(place: String, bytes: &[u8]) -> Result<Self, DataError> {
        let plain = unpack(&place, bytes)?;
        Ok(Self {
            sha256: hex(&Sha256::digest(&plain)),
            place,
            plain,
        })
    }

    /// Unpacks the bytes of a file. The caller knows the SHA-256 of the unpacked bytes.
    pub(crate) fn with_known_sum(
        place: String,
        bytes: &[u8],
        sha256: &str,
    ) -> Result<Self, DataError> {
        Ok(Self {
            plain: unpack(&place, bytes)?,
            sha256: sha256.to_string(),
            place,
        })
    }
}

/// Unpacks the bytes of a file. Errors name `place`.
fn unpack(place: &str, bytes: &[u8]) -> Result<Vec<u8>, DataError> {
    idx::unpack(bytes).map_err(|source| DataError::Format {
        file: place.to_string(),
        source,
    })
}

/// Whether a folder holds IDX files, by the names of its entries. An error about a missing file
/// names a similar one, so similar names count, too.
pub(crate) fn is_there(dir: &Path) -> bool {
    let is_idx = |name: &String| {
        let name = name.to_lowercase();
        name.contains("ubyte") || name.contains("idx")
    };
    names(dir).iter().any(is_idx)
}

/// Reads and checks the files of a folder. `labels.txt` may name the classes, and `SHA256SUMS`
/// may hold the sums of the files.
///
/// # Errors
///
/// If a file is missing, damaged or changed, or does not fit the others.
pub(crate) fn read(data: &ImageData, dir: &Path) -> Result<Source, DataError> {
    let mut warnings = Vec::new();
    let mut sums = Sums::read(dir, &mut warnings)?;
    let mut unpacked = Vec::with_capacity(FILES.len());
    for name in FILES {
        let found = data_file(dir, name, &mut warnings)?;
        let file = Unpacked::new(found.path.display().to_string(), &found.bytes)?;
        if let Some(sums) = &mut sums {
            sums.check(name, &found, &file.sha256)?;
        }
        unpacked.push(file);
    }
    let class_names = read_classes(dir, &mut sums, &mut warnings)?;
    if let Some(sums) = sums {
        warnings.extend(sums.warnings());
    }
    join(
        unpacked,
        class_names,
        data.first_label.unwrap_or(0),
        warnings,
    )
}

/// Makes a data set from its four unpacked files, in the order of [`FILES`]. If the classes have
/// no `names`, they are numbers. `first_label` is the label of the first class.
pub(crate) fn join(
    files: Vec<Unpacked>,
    names: Option<Vec<String>>,
    first_label: u8,
    warnings: Vec<String>,
) -> Result<Source, DataError> {
    let mut hash = Sha256::new();
    for file in &files {
        hash.update(&file.sha256);
    }
    for name in names.iter().flatten() {
        hash.update(name);
        hash.update("\n");
    }
    let mut files = files.into_iter();
    let mut split = || -> Result<Labelled, DataError> {
        let (Some(images), Some(labels)) = (files.next(), files.next()) else {
            return Err(DataError::Empty {
                place: "the data set".into(),
            });
        };
        labelled(images, labels, first_label)
    };
    let (train, test) = (split()?, split()?);
    Ok(Source {
        classes: names.unwrap_or_else(|| numbered(train.images.labels(), first_label)),
        train,
        validation: None,
        test,
        fingerprint: hex(&hash.finalize()),
        warnings,
    })
}

/// Makes images from a file of pixels and a file of labels.
fn labelled(images: Unpacked, labels: Unpacked, first: u8) -> Result<Labelled, DataError> {
    let format = |file: &str| {
        let file = file.to_string();
        |source| DataError::Format { file, source }
    };
    let (shape, pixels) = idx::images(images.plain).map_err(format(&images.place))?;
    let mut numbers = idx::labels(labels.plain).map_err(format(&labels.place))?;
    for (position, number) in numbers.iter_mut().enumerate() {
        let label = i64::from(*number);
        *number = number
            .checked_sub(first)
            .ok_or_else(|| DataError::FirstLabel {
                place: labels.place.clone(),
                label,
                position,
                first,
            })?;
    }
    if pixels.len() != numbers.len() * shape.numbers() {
        return Err(DataError::Counts {
            images_file: images.place,
            images: pixels.len() / shape.numbers(),
            labels_file: labels.place,
            labels: numbers.len(),
        });
    }
    Ok(Labelled {
        images: Images::new(shape, pixels, numbers),
        place: images.place,
        labels_place: labels.place,
        files: Vec::new(),
        content: [images.sha256, labels.sha256],
    })
}
