//! What is known about a data set before anything is trained on it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::split::Split;

/// The shape of every image of a data set. Files hold it as `[channels, height, width]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "[usize; 3]", into = "[usize; 3]")]
pub struct ImageShape {
    /// The number of channels: 1 for grey images, 3 for red, green and blue.
    pub channels: usize,
    /// The number of rows.
    pub height: usize,
    /// The number of columns.
    pub width: usize,
}

impl ImageShape {
    /// How many numbers an image has: those of all channels together.
    pub const fn numbers(self) -> usize {
        self.channels * self.height * self.width
    }
}

impl From<[usize; 3]> for ImageShape {
    fn from([channels, height, width]: [usize; 3]) -> Self {
        Self {
            channels,
            height,
            width,
        }
    }
}

impl From<ImageShape> for [usize; 3] {
    fn from(shape: ImageShape) -> Self {
        [shape.channels, shape.height, shape.width]
    }
}

/// Height and width, as in `28x28`; with several channels their number follows, as in
/// `32x32x3`.
impl fmt::Display for ImageShape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}x{}", self.height, self.width)?;
        match self.channels {
            1 => Ok(()),
            channels => write!(formatter, "x{channels}"),
        }
    }
}

/// What a data set of images holds. It comes from the data, before anything is written. Models
/// are built for it, and records hold it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataInfo {
    /// The shape of every image.
    pub shape: ImageShape,
    /// The names of the classes, in the order of the labels from 0.
    pub classes: Vec<String>,
    /// The number of training images.
    pub train: usize,
    /// The number of validation images that the data set itself has. Without its own, a trial
    /// takes some of the training images.
    pub validation: usize,
    /// The number of test images.
    pub test: usize,
    /// The images that stand in two splits. A network may know them by heart.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub repeated: Vec<RepeatedImages>,
}

/// The images of one split whose pixels also stand in another split.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RepeatedImages {
    /// The split that is searched.
    pub first: Split,
    /// The split whose images are looked for.
    pub second: Split,
    /// The number of images of `second` that stand in `first`.
    pub count: usize,
    /// The names of the first ones: the image in `first`, where it stands for the first time,
    /// and the image in `second`. A picture is named by its file, and other images by their
    /// position from 0, as in `test 17`.
    pub pairs: Vec<[String; 2]>,
}

/// A phrase that counts the images and names the first ones.
impl fmt::Display for RepeatedImages {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, second, count) = (self.first, self.second, self.count);
        let (images, are) = match count {
            1 => ("image", "is a"),
            _ => ("images", "are also"),
        };
        let also = match count {
            1 => format!("{first} image, too"),
            _ => format!("{first} images"),
        };
        write!(formatter, "{count} {second} {images} {are} {also}:")?;
        for (index, [known, found]) in self.pairs.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(formatter, "{comma} {found} is {known}")?;
        }
        match count > self.pairs.len() {
            true => write!(formatter, " and so on"),
            false => Ok(()),
        }
    }
}

/// The mean and the standard deviation of a channel's pixels, over the images that a run learned
/// from. The network sees each pixel less the mean, divided by the deviation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelScale {
    /// The mean of the channel's pixels, where a byte of 255 is 1.
    pub mean: f64,
    /// Their standard deviation.
    pub deviation: f64,
}

/// The data that a run learns from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunData {
    /// The SHA-256, hexadecimal, of the data. For generated data it is
    /// [`GENERATED`](crate::GENERATED).
    pub fingerprint: String,
    /// What the data set holds; `None` if the run generates its data.
    pub info: Option<DataInfo>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_is_three_numbers_in_files_and_short_in_messages() {
        let shape = ImageShape::from([3, 32, 48]);
        assert_eq!(shape.numbers(), 4608);
        assert_eq!(serde_json::to_string(&shape).expect("JSON"), "[3,32,48]");
        assert_eq!(shape.to_string(), "32x48x3");
        assert_eq!(ImageShape::from([1, 8, 8]).to_string(), "8x8");
    }

    #[test]
    fn repeated_images_are_counted_and_named() {
        let repeated = |count, pairs: &[[&str; 2]]| RepeatedImages {
            first: Split::Train,
            second: Split::Test,
            count,
            pairs: pairs.iter().map(|pair| pair.map(str::to_string)).collect(),
        };
        assert_eq!(
            repeated(1, &[["train 4", "test 7"]]).to_string(),
            "1 test image is a train image, too: test 7 is train 4"
        );
        assert_eq!(
            repeated(
                9,
                &[["train/a.png", "test/b.png"], ["train/a.png", "test/c.png"]]
            )
            .to_string(),
            "9 test images are also train images: test/b.png is train/a.png, test/c.png is \
             train/a.png and so on"
        );
    }
}
