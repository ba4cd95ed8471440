//! The error of loading images.

use std::path::{Path, PathBuf};

use kindling_formats::ImageShape;

use crate::idx::IdxError;
use crate::limits::{LONGEST_CLASS, MAX_CLASSES};

/// The error of loading images. Its text names the file and the remedy.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// A file does not exist.
    #[error(
        "{}: there is no {name} and no {name}.gz; `data.dir` must be a folder that holds the \
         four IDX files of MNIST or of a data set in the same format{hint}",
        dir.display()
    )]
    Missing {
        /// The folder.
        dir: PathBuf,
        /// The name of the file.
        name: &'static str,
        /// Similar files in the folder, each as a clause after `; `. It may be empty.
        hint: String,
    },
    /// A folder holds images in no known form.
    #[error(
        "{}: there are no images in a known form; `data.dir` must be a folder of pictures with a \
         folder for each class, of the four IDX files of a data set like MNIST, of an NPZ file, or \
         of CIFAR's binary files",
        dir.display()
    )]
    NoForm {
        /// The folder.
        dir: PathBuf,
    },
    /// A folder may hold images in several forms.
    #[error(
        "{}: the images may be those of several forms, {}; say which with `data.form`",
        dir.display(),
        forms.join(", ")
    )]
    Forms {
        /// The folder.
        dir: PathBuf,
        /// The names of the forms.
        forms: Vec<&'static str>,
    },
    /// A path is not a file, the content of the file cannot be used, or a folder does not hold
    /// the files of a data set.
    #[error("{} {why}", path.display())]
    Unusable {
        /// The path.
        path: PathBuf,
        /// What is wrong with the path, and the remedy.
        why: String,
    },
    /// An array of an NPZ file cannot be used.
    #[error("{}: array `{array}` {why}", path.display())]
    Array {
        /// The file.
        path: PathBuf,
        /// The name of the array.
        array: &'static str,
        /// What is wrong with the array, and the remedy.
        why: String,
    },
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A file is not in the format that it should have.
    #[error("{file}: {source}")]
    Format {
        /// The file.
        file: String,
        /// What is wrong with the format.
        source: IdxError,
    },
    /// The SHA-256 of a file is not the SHA-256 that it should have.
    #[error(
        "{file}: its {bytes} have SHA-256 {found}, not {expected}; \
         the file was changed; copy it again"
    )]
    Altered {
        /// The file.
        file: String,
        /// The bytes whose SHA-256 was computed: the `bytes` of the file, or its
        /// `unpacked bytes`.
        bytes: &'static str,
        /// The SHA-256 that the bytes should have.
        expected: String,
        /// The SHA-256 that the bytes have.
        found: String,
    },
    /// A line of `SHA256SUMS` cannot be read.
    #[error("{}: line {line} is not `<SHA-256 in hexadecimal>  <file name>`", path.display())]
    Checksums {
        /// The path of `SHA256SUMS`.
        path: PathBuf,
        /// The number of the line, from 1.
        line: usize,
    },
    /// A file of names does not hold a name for each class.
    #[error(
        "{}: each line must be the name of a class with at most {LONGEST_CLASS} bytes, from label \
         0 on, and there can be at most {MAX_CLASSES} classes",
        path.display()
    )]
    Classes {
        /// The path of the file.
        path: PathBuf,
    },
    /// A folder of pictures, or pictures in it, cannot be used.
    #[error("{}: {problem}", dir.display())]
    Pictures {
        /// The folder.
        dir: PathBuf,
        /// What is wrong, with the names of pictures, and the remedy.
        problem: String,
    },
    /// The number of labels is not the number of images.
    #[error(
        "{images_file} holds {images} images and {labels_file} {labels} labels; \
         both must belong to the same data set"
    )]
    Counts {
        /// The file of the images.
        images_file: String,
        /// The number of images.
        images: usize,
        /// The file of the labels.
        labels_file: String,
        /// The number of labels.
        labels: usize,
    },
    /// A split holds no image.
    #[error("{place}: there is no image; at least one is needed")]
    Empty {
        /// The file or folder of the images.
        place: String,
    },
    /// The images of two splits have different shapes.
    #[error(
        "{first} has images of {shape} pixels, and {second} has images of {other}; all images of a \
         data set must have one shape"
    )]
    Shapes {
        /// The file or folder of the training images.
        first: String,
        /// The shape of the training images.
        shape: ImageShape,
        /// The file or folder of the other split.
        second: String,
        /// The shape of its images.
        other: ImageShape,
    },
    /// A label is not the number of a class.
    #[error(
        "{place}: label {label} at position {position} is no class: there are {classes} classes, \
         with labels from 0"
    )]
    Label {
        /// The file or folder of the labels.
        place: String,
        /// The label.
        label: u8,
        /// The position of the label in its split, from 0.
        position: usize,
        /// The number of classes.
        classes: usize,
    },
    /// A class has no training image.
    #[error(
        "{place}: the class `{class}` has no training image; leave it out, or add images{hint}"
    )]
    NoImages {
        /// The file or folder of the training labels.
        place: String,
        /// The name of the class.
        class: String,
        /// A likely cause, as a clause after `; `. It may be empty.
        hint: &'static str,
    },
    /// A label lies below that of the first class.
    #[error(
        "{place}: label {label} at position {position} lies below `data.first_label`, which is \
         {first}; set it to the smallest label"
    )]
    FirstLabel {
        /// The file of the labels.
        place: String,
        /// The label.
        label: i64,
        /// The position of the label in its split, from 0.
        position: usize,
        /// The label of the first class that the config gives.
        first: u8,
    },
    /// All pixels of a channel are equal, so they have no scale.
    #[error(
        "all pixels of channel {0} of the training images are equal, so `data.normalize = \
         \"standard\"` has nothing to divide by; use \"unit\""
    )]
    Constant(usize),
    /// The config holds out so many validation images that no training image is left.
    #[error(
        "`data.validation` holds out {validation} of {train} training images, which leaves none \
         to learn from; use a number below {train}"
    )]
    AllHeldOut {
        /// The number of validation images that the config asks for.
        validation: usize,
        /// The number of training images before any is held out.
        train: usize,
    },
}

impl DataError {
    pub(crate) fn pictures(dir: &Path, problem: impl Into<String>) -> Self {
        Self::Pictures {
            dir: dir.to_path_buf(),
            problem: problem.into(),
        }
    }
}
