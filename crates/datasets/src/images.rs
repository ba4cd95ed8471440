//! Images with their labels.

use burn_dataset::{Dataset, DatasetError};

use crate::error::DataError;
use crate::shape::{CLASSES, PIXELS};

/// An image with its label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageItem {
    /// The pixels `[784]`, row by row, from 0 (black) to 255 (white).
    pub pixels: Vec<u8>,
    /// The label, 0 to 9.
    pub label: u8,
}

/// Images with their labels. The pixels are stored as bytes, so the 60,000 training images of
/// MNIST take 47 MB. They become floats when a batch is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Images {
    pixels: Vec<u8>,
    labels: Vec<u8>,
}

impl Images {
    /// Makes images from their pixels `[n, 784]` and their labels `[n]`.
    ///
    /// # Panics
    ///
    /// If there are not 784 pixels for each label, or a label is above 9.
    pub fn new(pixels: Vec<u8>, labels: Vec<u8>) -> Self {
        assert_eq!(
            pixels.len(),
            labels.len() * PIXELS,
            "there must be 784 pixels for each label"
        );
        assert!(labels.iter().all(|&label| usize::from(label) < CLASSES));
        Self { pixels, labels }
    }

    /// The pixels `[784]` of the image with this index, row by row.
    ///
    /// # Panics
    ///
    /// If there is no such image.
    pub fn pixels(&self, index: usize) -> &[u8] {
        &self.pixels[index * PIXELS..(index + 1) * PIXELS]
    }

    /// The labels `[n]` of all images.
    pub fn labels(&self) -> &[u8] {
        &self.labels
    }

    /// The images at `indices`, in this order.
    ///
    /// # Panics
    ///
    /// If there is no image with one of the indices.
    pub(crate) fn select(&self, indices: &[usize]) -> Self {
        let pixels = indices.iter().flat_map(|&index| self.pixels(index));
        Self {
            pixels: pixels.copied().collect(),
            labels: indices.iter().map(|&index| self.labels[index]).collect(),
        }
    }

    /// Keeps the first `count` images, or all if `count` is `None`. `split` is the key of
    /// `[data]` that an error names.
    pub(crate) fn truncate(
        &mut self,
        split: &'static str,
        count: Option<usize>,
    ) -> Result<(), DataError> {
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
