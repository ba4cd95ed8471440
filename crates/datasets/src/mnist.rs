//! MNIST as it is in the repository. No other file of this crate knows its size.

use kindling_formats::ImageShape;

use crate::error::DataError;
use crate::idx_folder::{FILES, Unpacked, join};
use crate::source::Source;

/// The shape of MNIST's images.
pub const MNIST_SHAPE: ImageShape = ImageShape {
    channels: 1,
    height: 28,
    width: 28,
};

/// The four files, gzipped, in the order of [`FILES`].
const ARCHIVES: [&[u8]; 4] = [
    include_bytes!("../mnist/train-images-idx3-ubyte.gz"),
    include_bytes!("../mnist/train-labels-idx1-ubyte.gz"),
    include_bytes!("../mnist/t10k-images-idx3-ubyte.gz"),
    include_bytes!("../mnist/t10k-labels-idx1-ubyte.gz"),
];

/// The SHA-256 of the unpacked files.
const SHA256: [&str; 4] = [
    "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
];

/// Unpacks MNIST, and checks its SHA-256.
///
/// # Errors
///
/// If a file was changed.
pub(crate) fn mnist() -> Result<Source, DataError> {
    let mut unpacked = Vec::with_capacity(FILES.len());
    for ((name, archive), sha256) in FILES.into_iter().zip(ARCHIVES).zip(SHA256) {
        let file = Unpacked::new(format!("{name}.gz in the repository"), archive)?;
        if file.sha256 != sha256 {
            return Err(DataError::Altered {
                file: file.place,
                bytes: "unpacked bytes",
                expected: sha256.to_string(),
                found: file.sha256,
            });
        }
        unpacked.push(file);
    }
    join(unpacked, None, 0, Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::images::Images;
    use burn_dataset::Dataset;

    #[test]
    fn mnist_has_the_known_counts_and_pixels() {
        let set = mnist().expect("loads");
        assert_eq!(set.fingerprint, kindling_formats::MNIST);
        let info = set.info();
        assert_eq!(info.shape, MNIST_SHAPE);
        assert_eq!(
            (info.train, info.validation, info.test),
            (60_000, 0, 10_000)
        );
        assert!(
            info.classes
                .iter()
                .map(String::as_str)
                .eq(["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"])
        );
        let (train, test) = (&set.train.images, &set.test.images);
        assert!(!train.are_sorted_by_class() && !test.are_sorted_by_class());
        // Counted with Python over the unpacked label files.
        let count = |images: &Images, digit| {
            images
                .labels()
                .iter()
                .filter(|&&label| label == digit)
                .count()
        };
        assert_eq!(count(train, 1), 6742);
        assert_eq!(count(test, 5), 892);
        assert_eq!(train.get(0).expect("an item").label, 5);
        // The sum of all training pixels. NumPy gives their mean as 33.3184.
        let pixels = (0..train.len()).flat_map(|index| train.pixels(index));
        let sum: u64 = pixels.map(|&pixel| u64::from(pixel)).sum();
        assert_eq!(sum, 1_567_298_545);
    }
}
