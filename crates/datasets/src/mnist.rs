//! MNIST as it is in the repository. No other file of this crate knows its size.

use kindling_formats::{ImageShape, hex};
use sha2::{Digest, Sha256};

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

/// The SHA-256 of each gzipped file, and of the file in it.
const SUMS: [[&str; 2]; 4] = [
    [
        "0b367032e93c5d0cea0925647cfdb18614af8ee15f83e6f2fc2ad904a6835971",
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    ],
    [
        "1787548bbe0bff1ec2ecdc0ef292b02df999e2d1a6002d27500982c652b17203",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    ],
    [
        "1a1a05eab793c14bb050b398624a11b0ffd1a2953baed553b1b9bd079e2a20be",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    ],
    [
        "b91679a0acfe4ba0e50a2437a903084cba1f5f92592b016a25a7dfd00455798b",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ],
];

/// Checks the SHA-256 of the gzipped files, and unpacks them. The unpacked files are larger, so
/// checking those would take longer.
///
/// # Errors
///
/// If a file was changed.
pub(crate) fn mnist() -> Result<Source, DataError> {
    let mut unpacked = Vec::with_capacity(FILES.len());
    for ((name, archive), [packed, plain]) in FILES.into_iter().zip(ARCHIVES).zip(SUMS) {
        let place = format!("{name}.gz in the repository");
        let found = hex(&Sha256::digest(archive));
        if found != packed {
            return Err(DataError::Altered {
                file: place,
                bytes: "bytes",
                expected: packed.to_string(),
                found,
            });
        }
        unpacked.push(Unpacked::with_known_sum(place, archive, plain)?);
    }
    join(unpacked, None, 0, Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::images::Images;
    use burn_dataset::Dataset;

    #[test]
    fn the_sums_of_the_unpacked_files_are_right() {
        for (archive, [_, plain]) in ARCHIVES.into_iter().zip(SUMS) {
            let file = Unpacked::new(String::new(), archive).expect("unpacks");
            assert_eq!(file.sha256, plain);
        }
    }

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
