//! MNIST as it lies in the repository, or a folder of IDX files in its place.
//!
//! Images stay bytes: 47 MB for the 60,000 of the training split. What makes a
//! batch turns them into numbers.

use std::path::{Path, PathBuf};

use burn_dataset::{Dataset, DatasetError};
use kindling_formats::{ImageData, hex};
use sha2::{Digest, Sha256};

use crate::folder::{data_file, names, shown, text_file};
use crate::idx::{self, IdxError};
use crate::sums::Sums;

/// Pixels of an image's side.
pub const SIDE: usize = 28;
/// Pixels of an image.
pub const PIXELS: usize = SIDE * SIDE;
/// Classes of images: labels are 0 to 9.
pub const CLASSES: usize = 10;

/// Why images cannot be had. The text names the file and the remedy.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// A file is not there.
    #[error(
        "{}: no {name} and no {name}.gz; `data.dir` must be a folder that holds the four IDX \
         files of MNIST or of a data set made like it{hint}",
        dir.display()
    )]
    Missing {
        /// The folder.
        dir: PathBuf,
        /// The file's name.
        name: &'static str,
        /// What is there instead, each behind `; `; empty where there is nothing.
        hint: String,
    },
    /// What bears a file's name cannot be read as one.
    #[error("{} {why}", path.display())]
    Unusable {
        /// What bears the name.
        path: PathBuf,
        /// What it is, and the remedy.
        why: String,
    },
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's own words.
        source: std::io::Error,
    },
    /// A file holds something else.
    #[error("{file}: {source}")]
    Format {
        /// The file.
        file: String,
        /// What is wrong with it.
        source: IdxError,
    },
    /// A file is not the one it should be.
    #[error(
        "{file}: its {bytes} have SHA-256 {found}, not {expected}; \
         the file was altered, copy it again"
    )]
    Altered {
        /// The file.
        file: String,
        /// Which bytes: `bytes`, as they lie there, or `unpacked bytes`.
        bytes: &'static str,
        /// What it should be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// The checksums themselves are unreadable.
    #[error("{}: line {line} is not `<SHA-256 in hexadecimal>  <file name>`", path.display())]
    Checksums {
        /// The file of checksums.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
    },
    /// The names of the classes are none.
    #[error(
        "{}: must hold {CLASSES} lines, a name of at most {LONGEST_NAME} bytes for each label from 0 on",
        path.display()
    )]
    Classes {
        /// The file of names.
        path: PathBuf,
    },
    /// Images without labels, or labels without images.
    #[error(
        "{images_file} holds {images} images and {labels_file} {labels} labels; \
         both must belong to the same data set"
    )]
    Counts {
        /// File of the images.
        images_file: String,
        /// Number of images.
        images: usize,
        /// File of the labels.
        labels_file: String,
        /// Number of labels.
        labels: usize,
    },
    /// The config asks for more than there is.
    #[error("`data.{split}`: {wanted} images are wanted and there are {there}; ask for fewer")]
    TooFew {
        /// `train` or `test`.
        split: &'static str,
        /// Asked for.
        wanted: usize,
        /// There.
        there: usize,
    },
}

/// An image with its label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageItem {
    /// 784 bytes, row by row, 0 black and 255 white.
    pub pixels: Vec<u8>,
    /// 0 to 9.
    pub label: u8,
}

/// Images with their labels, as bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Images {
    pixels: Vec<u8>,
    labels: Vec<u8>,
}

impl Images {
    /// Joins `[n, 784]` pixels and `[n]` labels.
    ///
    /// # Panics
    ///
    /// If their numbers differ, or a label is above 9.
    pub fn new(pixels: Vec<u8>, labels: Vec<u8>) -> Self {
        assert_eq!(pixels.len(), labels.len() * PIXELS, "784 pixels a label");
        assert!(labels.iter().all(|&label| usize::from(label) < CLASSES));
        Self { pixels, labels }
    }

    /// The 784 pixels of image `index`.
    pub fn pixels(&self, index: usize) -> &[u8] {
        &self.pixels[index * PIXELS..(index + 1) * PIXELS]
    }

    /// All labels.
    pub fn labels(&self) -> &[u8] {
        &self.labels
    }

    /// Keeps the first `count` images.
    fn truncate(&mut self, split: &'static str, count: Option<usize>) -> Result<(), DataError> {
        let there = self.labels.len();
        let wanted = count.unwrap_or(there);
        if wanted > there {
            return Err(DataError::TooFew {
                split,
                wanted,
                there,
            });
        }
        self.pixels.truncate(wanted * PIXELS);
        self.labels.truncate(wanted);
        Ok(())
    }
}

impl Dataset<ImageItem> for Images {
    fn get(&self, index: usize) -> Result<ImageItem, DatasetError> {
        Ok(ImageItem {
            pixels: self.pixels(index).to_vec(),
            label: self.labels[index],
        })
    }

    fn len(&self) -> usize {
        self.labels.len()
    }
}

/// A file of a data set: its name, and for MNIST itself the archive in the
/// repository and the SHA-256 of the bytes in it.
struct Part {
    name: &'static str,
    archive: &'static [u8],
    sha256: &'static str,
}

/// In the order training images, training labels, test images, test labels.
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

/// A file as read: what to call it in errors, its plain bytes, their SHA-256.
struct Loaded {
    file: String,
    plain: Vec<u8>,
    sha256: String,
}

/// A data set.
#[derive(Debug, Clone)]
pub struct ImageSet {
    /// To learn from.
    pub train: Images,
    /// To be tested on.
    pub test: Images,
    /// What the labels mean, from 0 on; `None` where they are digits.
    pub classes: Option<Vec<String>>,
    /// SHA-256 of all of it, whatever part of it is used.
    pub fingerprint: String,
    /// What was not as it should be and stopped nothing, a sentence each: checks that
    /// did not take place, and what bears a file's name and is no file.
    pub warnings: Vec<String>,
}

/// The images of a config.
///
/// # Errors
///
/// If a file is missing, damaged, altered, or does not fit the others; nothing
/// is ever guessed or padded.
pub fn load(data: &ImageData) -> Result<ImageSet, DataError> {
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
    let mut test = join(&test_images, &test_labels)?;
    train.truncate("train", data.train)?;
    test.truncate("test", data.test)?;
    Ok(ImageSet {
        train,
        test,
        classes,
        fingerprint: hex(&hash.finalize()),
        warnings,
    })
}

/// MNIST itself.
fn repository() -> Result<[Loaded; 4], DataError> {
    let [a, b, c, d] = &PARTS;
    let load = |part: &Part| {
        let file = format!("{}.gz in the repository", part.name);
        let loaded = unpack(file, part.archive)?;
        if loaded.sha256 != part.sha256 {
            return Err(DataError::Altered {
                file: loaded.file,
                bytes: "unpacked bytes",
                expected: part.sha256.to_string(),
                found: loaded.sha256,
            });
        }
        Ok(loaded)
    };
    Ok([load(a)?, load(b)?, load(c)?, load(d)?])
}

type Folder = ([Loaded; 4], Option<Vec<String>>, Vec<String>);

/// What a folder holds: the files, the names of the classes, and warnings.
fn folder(dir: &Path) -> Result<Folder, DataError> {
    let mut warnings = Vec::new();
    let mut sums = Sums::read(dir, &mut warnings)?;
    let mut load = |part: &Part| {
        let found = data_file(dir, part.name, &mut warnings)?;
        let loaded = unpack(found.path.display().to_string(), &found.bytes)?;
        if let Some(sums) = &mut sums {
            sums.check(part.name, &found, &loaded.sha256)?;
        }
        Ok(loaded)
    };
    let [a, b, c, d] = &PARTS;
    let parts = [load(a)?, load(b)?, load(c)?, load(d)?];
    let classes = classes(dir, &mut sums, &mut warnings)?;
    if let Some(sums) = sums {
        warnings.extend(sums.warnings());
    }
    Ok((parts, classes, warnings))
}

fn unpack(file: String, bytes: &[u8]) -> Result<Loaded, DataError> {
    match idx::unpack(bytes) {
        Ok(plain) => Ok(Loaded {
            sha256: hex(&Sha256::digest(&plain)),
            file,
            plain,
        }),
        Err(source) => Err(DataError::Format { file, source }),
    }
}

/// The file of the names of the classes.
const LABELS: &str = "labels.txt";
/// Bytes of a class's name at most: it stands beside a figure.
const LONGEST_NAME: usize = 40;

/// `labels.txt` in `dir`, where there is one: the name of each class on a line.
fn classes(
    dir: &Path,
    sums: &mut Option<Sums>,
    warnings: &mut Vec<String>,
) -> Result<Option<Vec<String>>, DataError> {
    let Some((found, text)) = text_file(dir, LABELS)? else {
        let like = |name: &String| {
            let name = name.to_lowercase();
            ["labels.txt", "labels.txt.txt", "label.txt", "labels"].contains(&name.as_str())
        };
        warnings.extend(names(dir).into_iter().find(like).map(|name| {
            format!(
                "{}: `{}` is not read; the names of the classes are read from `{LABELS}`",
                dir.display(),
                shown(&name)
            )
        }));
        return Ok(None);
    };
    if let Some(sums) = sums {
        let sum = hex(&Sha256::digest(&found.bytes));
        sums.check(LABELS, &found, &sum)?;
    }
    let names: Vec<String> = text
        .trim_end()
        .lines()
        .map(|line| line.trim().to_string())
        .collect();
    let fits = |name: &String| !name.is_empty() && name.len() <= LONGEST_NAME;
    if names.len() == CLASSES && names.iter().all(fits) {
        return Ok(Some(names));
    }
    Err(DataError::Classes { path: found.path })
}

fn join(images: &Loaded, labels: &Loaded) -> Result<Images, DataError> {
    let format = |part: &Loaded| {
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

    fn mnist() -> ImageData {
        ImageData {
            dir: None,
            train: None,
            test: None,
        }
    }

    #[test]
    fn mnist_is_what_it_should_be() {
        let set = load(&mnist()).expect("loads");
        assert_eq!(set.fingerprint, kindling_formats::MNIST);
        let ImageSet { train, test, .. } = set;
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
        // The mean pixel of the training images, 33.3184 by NumPy.
        let sum: u64 = train.pixels.iter().map(|&pixel| u64::from(pixel)).sum();
        assert_eq!(sum, 1_567_298_545);
    }

    #[test]
    fn a_slice_keeps_the_first_and_no_more_than_there_are() {
        let data = ImageData {
            train: Some(3),
            test: Some(10_001),
            ..mnist()
        };
        let error = load(&data).expect_err("must be refused").to_string();
        assert!(error.starts_with("`data.test`: 10001 images"), "{error}");
        let data = ImageData {
            test: Some(1),
            ..data
        };
        let part = load(&data).expect("loads");
        assert_eq!(part.train.labels(), [5, 0, 4]);
        assert_eq!(part.test.labels(), [7]);
        // The data set is the same, however much of it is used.
        let whole = load(&mnist()).expect("loads");
        assert_eq!(part.fingerprint, whole.fingerprint);
    }
}
