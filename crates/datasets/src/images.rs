//! Images with their labels.

use burn_dataset::{Dataset, DatasetError};
use kindling_formats::ImageShape;

/// An image with its label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageItem {
    /// The pixels `[channels, height, width]`, from 0 (dark) to 255 (light).
    pub pixels: Vec<u8>,
    /// The label, from 0.
    pub label: u8,
}

/// Images of one shape with their labels. The pixels are stored as bytes, so the 60,000
/// training images of MNIST take 47 MB. They become floats when a batch is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Images {
    shape: ImageShape,
    pixels: Vec<u8>,
    labels: Vec<u8>,
}

impl Images {
    /// Makes images from their pixels `[n, channels, height, width]` and their labels `[n]`.
    ///
    /// # Panics
    ///
    /// If the number of pixels is not that of `n` images of the shape `shape`.
    pub fn new(shape: ImageShape, pixels: Vec<u8>, labels: Vec<u8>) -> Self {
        assert_eq!(
            pixels.len(),
            labels.len() * shape.numbers(),
            "each label must have an image of {shape} pixels"
        );
        Self {
            shape,
            pixels,
            labels,
        }
    }

    /// The shape of every image.
    pub fn shape(&self) -> ImageShape {
        self.shape
    }

    /// The pixels `[channels, height, width]` of the image with this index.
    ///
    /// # Panics
    ///
    /// If there is no such image.
    pub fn pixels(&self, index: usize) -> &[u8] {
        let numbers = self.shape.numbers();
        &self.pixels[index * numbers..(index + 1) * numbers]
    }

    /// The pixels `[n, channels, height, width]` of all images.
    pub(crate) fn all_pixels(&self) -> &[u8] {
        &self.pixels
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
            shape: self.shape,
            pixels: pixels.copied().collect(),
            labels: indices.iter().map(|&index| self.labels[index]).collect(),
        }
    }

    /// Keeps the first `count` images, of at least as many.
    pub(crate) fn truncate(&mut self, count: usize) {
        self.pixels.truncate(count * self.shape.numbers());
        self.labels.truncate(count);
    }

    /// Whether the images of each class stand together, as in files that were written class by
    /// class. Then the first images are not a sample of all of them.
    pub(crate) fn are_sorted_by_class(&self) -> bool {
        let mut finished = [false; 256];
        let starts = self.labels.chunk_by(|a, b| a == b);
        let mut classes = starts.map(|same| usize::from(same[0]));
        self.labels.len() > 1 && classes.all(|class| !std::mem::replace(&mut finished[class], true))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_come_class_by_class_are_recognised() {
        let sorted = |labels: &[u8]| {
            let shape = ImageShape::from([1, 1, 1]);
            Images::new(shape, labels.to_vec(), labels.to_vec()).are_sorted_by_class()
        };
        for labels in [&[0, 0, 1, 1, 2][..], &[2, 2, 0, 1, 1], &[1, 1]] {
            assert!(sorted(labels), "{labels:?}");
        }
        for labels in [&[0, 1, 0][..], &[2, 0, 0, 1, 2], &[], &[5]] {
            assert!(!sorted(labels), "{labels:?}");
        }
    }
}
