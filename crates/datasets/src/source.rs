//! A data set as its files hold it, before a run chooses its images from it.

use burn_dataset::Dataset;
use kindling_formats::{DataInfo, ImageShape, Split, hex};
use sha2::{Digest, Sha256};

use crate::error::DataError;
use crate::images::Images;
use crate::limits::MAX_CLASSES;

/// The labelled images of one split, and where they come from.
#[derive(Debug)]
pub(crate) struct Labelled {
    pub images: Images,
    /// The file or folder of the images, for errors.
    pub place: String,
    /// The file or folder of the labels, for errors.
    pub labels_place: String,
    /// The file of each image as the split was read, if each has one of its own.
    pub files: Vec<String>,
    /// The SHA-256, hexadecimal, of the images and of the labels. Permutations of the images
    /// are keyed by them.
    pub content: [String; 2],
}

impl Labelled {
    /// The labelled images of a split, whose digests are those of the pixels and the labels.
    /// Errors name `place`.
    pub(crate) fn new(images: Images, place: String) -> Self {
        let content = [images.all_pixels(), images.labels()];
        Self {
            content: content.map(|bytes| hex(&Sha256::digest(bytes))),
            images,
            labels_place: place.clone(),
            place,
            files: Vec::new(),
        }
    }

    /// The name of an image: its file, or the name of its `split` and its position from 0.
    pub(crate) fn name(&self, split: Split, position: usize) -> String {
        match self.files.get(position) {
            Some(file) => file.clone(),
            None => format!("{split} {position}"),
        }
    }
}

/// A data set as its files hold it.
#[derive(Debug)]
pub(crate) struct Source {
    /// The names of the classes, in the order of the labels from 0.
    pub classes: Vec<String>,
    pub train: Labelled,
    /// The data set's own validation images.
    pub validation: Option<Labelled>,
    pub test: Labelled,
    /// The SHA-256, hexadecimal, of the whole data set.
    pub fingerprint: String,
    /// Warnings about checks that were not made, and about things that may be mistakes.
    pub warnings: Vec<String>,
}

impl Source {
    /// Makes a data set whose fingerprint depends on the pixels, the labels and the names of the
    /// classes, but not on how files hold them.
    pub(crate) fn new(
        classes: Vec<String>,
        train: Labelled,
        validation: Option<Labelled>,
        test: Labelled,
        warnings: Vec<String>,
    ) -> Self {
        let mut source = Self {
            classes,
            train,
            validation,
            test,
            fingerprint: String::new(),
            warnings,
        };
        let mut hash = Sha256::new();
        hash.update(b"kindling images 1\0");
        for (_, split) in source.splits() {
            hash.update(format!("{} {}\n", split.images.shape(), split.images.len()));
            split.content.iter().for_each(|digest| hash.update(digest));
        }
        for class in &source.classes {
            hash.update(format!("\n{class}"));
        }
        source.fingerprint = hex(&hash.finalize());
        source
    }

    /// Checks what the splits must have in common.
    ///
    /// # Errors
    ///
    /// If a split has no images or images of another shape, a label is no class, or a class has
    /// no training image.
    pub(crate) fn check(self) -> Result<Self, DataError> {
        let shape = self.shape();
        for (_, split) in self.splits() {
            if split.images.is_empty() {
                return Err(DataError::Empty {
                    place: split.place.clone(),
                });
            }
            if split.images.shape() != shape {
                return Err(DataError::Shapes {
                    first: self.train.place.clone(),
                    shape,
                    second: split.place.clone(),
                    other: split.images.shape(),
                });
            }
            self.check_labels(split)?;
        }
        let mut has_images = [false; MAX_CLASSES];
        for &label in self.train.images.labels() {
            has_images[usize::from(label)] = true;
        }
        let absent = (0..self.classes.len()).find(|&class| !has_images[class]);
        match absent {
            None => Ok(self),
            Some(class) => Err(DataError::NoImages {
                place: self.train.labels_place.clone(),
                class: self.classes[class].clone(),
                hint: match class {
                    0 => "; if labels begin at 1, set data.first_label = 1",
                    _ => "",
                },
            }),
        }
    }

    fn check_labels(&self, split: &Labelled) -> Result<(), DataError> {
        let labels = split.images.labels();
        let is_unknown = |&label: &u8| usize::from(label) >= self.classes.len();
        match labels.iter().position(is_unknown) {
            None => Ok(()),
            Some(position) => Err(DataError::Label {
                place: split.labels_place.clone(),
                label: labels[position],
                position,
                classes: self.classes.len(),
            }),
        }
    }

    /// The shape of the images.
    pub(crate) fn shape(&self) -> ImageShape {
        self.train.images.shape()
    }

    /// The data set with rows and columns of its images exchanged.
    pub(crate) fn transposed(self) -> Self {
        let transposed = |split: Labelled| Labelled {
            images: split.images.transposed(),
            ..split
        };
        Self {
            train: transposed(self.train),
            validation: self.validation.map(transposed),
            test: transposed(self.test),
            ..self
        }
    }

    /// The splits that there are, in the order in which they are used.
    pub(crate) fn splits(&self) -> Vec<(Split, &Labelled)> {
        let mut splits = vec![(Split::Train, &self.train)];
        splits.extend(self.validation.iter().map(|own| (Split::Validation, own)));
        splits.push((Split::Test, &self.test));
        splits
    }

    /// What the data set holds.
    pub(crate) fn info(&self) -> DataInfo {
        let validation = self.validation.as_ref();
        DataInfo {
            shape: self.shape(),
            classes: self.classes.clone(),
            train: self.train.images.len(),
            validation: validation.map_or(0, |split| split.images.len()),
            test: self.test.images.len(),
            repeated: Vec::new(),
        }
    }
}
