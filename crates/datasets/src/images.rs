//! Images with their labels.

use burn_dataset::{Dataset, DatasetError};
use kindling_formats::{ChannelScale, ImageShape};

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
#[derive(Debug, Clone, PartialEq)]
pub struct Images {
    shape: ImageShape,
    pixels: Vec<u8>,
    labels: Vec<u8>,
    scale: Option<Vec<ChannelScale>>,
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
            scale: None,
        }
    }

    /// The images with the scale `scale` of their channels.
    pub fn with_scale(self, scale: Option<Vec<ChannelScale>>) -> Self {
        Self { scale, ..self }
    }

    /// The images with each label replaced by `label` of it.
    pub fn with_labels(mut self, label: impl Fn(u8) -> u8) -> Self {
        for own in &mut self.labels {
            *own = label(*own);
        }
        self
    }

    /// The scale of each channel, from which a network's input is computed; `None` if this is
    /// in [0, 1].
    pub fn scale(&self) -> Option<&[ChannelScale]> {
        self.scale.as_deref()
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
            scale: self.scale.clone(),
        }
    }

    /// The images with rows and columns exchanged.
    pub(crate) fn transposed(mut self) -> Self {
        let ImageShape { height, width, .. } = self.shape;
        let mut channel = vec![0; height * width];
        for pixels in self.pixels.chunks_exact_mut((height * width).max(1)) {
            for (place, &pixel) in pixels.iter().enumerate() {
                channel[place % width * height + place / width] = pixel;
            }
            pixels.copy_from_slice(&channel);
        }
        self.shape.height = width;
        self.shape.width = height;
        self
    }

    /// The mean and the standard deviation of each channel, over the pixels of all images. The
    /// sums are of whole numbers, so they are exact.
    pub(crate) fn channel_scales(&self) -> Vec<ChannelScale> {
        let area = self.shape.height * self.shape.width;
        let mut sums = vec![(0u64, 0u64); self.shape.channels];
        for image in self.pixels.chunks_exact(self.shape.numbers().max(1)) {
            for (channel, (sum, squares)) in image.chunks_exact(area).zip(&mut sums) {
                for &pixel in channel {
                    *sum += u64::from(pixel);
                    *squares += u64::from(pixel) * u64::from(pixel);
                }
            }
        }
        let count = (area * self.labels.len()) as f64;
        let scales = sums.into_iter().map(|(sum, squares)| {
            let mean = sum as f64 / count;
            let variance = (squares as f64 / count - mean * mean).max(0.0);
            ChannelScale {
                mean: mean / 255.0,
                deviation: variance.sqrt() / 255.0,
            }
        });
        scales.collect()
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
    fn rows_and_columns_are_exchanged_in_each_channel() {
        let images = Images::new([2, 2, 3].into(), (0..24).collect(), vec![7, 8]).transposed();
        assert_eq!(<[usize; 3]>::from(images.shape()), [2, 3, 2]);
        assert_eq!(images.pixels(0), [0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11]);
        assert_eq!(images.pixels(1)[..6], [12, 15, 13, 16, 14, 17]);
        assert_eq!(images.transposed().pixels(1), (12..24).collect::<Vec<u8>>());
    }

    #[test]
    fn the_scale_of_each_channel_is_that_of_numpy() {
        // (numpy.array([[0, 255, 10, 20], [30, 200, 5, 250]]) / 255) has, for the first two and
        // for the last two columns, these means and standard deviations.
        let pixels = vec![0, 255, 10, 20, 30, 200, 5, 250];
        let images = Images::new([2, 1, 2].into(), pixels, vec![0, 1]);
        let expected = [
            (0.475_490_196_078_431_35, 0.425_624_583_458_039_05),
            (0.279_411_764_705_882_36, 0.405_264_994_163_128_7),
        ];
        for (found, (mean, deviation)) in images.channel_scales().iter().zip(expected) {
            assert!((found.mean - mean).abs() < 1e-15, "{found:?}");
            assert!((found.deviation - deviation).abs() < 1e-15, "{found:?}");
        }
    }

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
