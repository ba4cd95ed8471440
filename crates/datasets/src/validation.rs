//! The cut of the training images into those that a trial learns from, and the validation
//! images on which it is evaluated.
//!
//! The validation images are chosen by a random permutation, because the images of a folder may
//! be sorted by class. Its key is the content of the training files alone. So the validation
//! images are the same for all seeds, backends and numbers of jobs, and the test files do not
//! change them.

use burn_dataset::Dataset;
use chacha20::ChaCha8Rng;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use sha2::{Digest, Sha256};

use crate::error::DataError;
use crate::images::Images;

/// Holds out `count` of the training images. Returns the images that are left for training,
/// and the validation images, both in the order of `train`.
///
/// `content` holds the SHA-256, hexadecimal, of the two unpacked training files: the images and
/// the labels. The images that are held out depend on it and on the number of training images.
/// A smaller `count` holds out a part of those that a larger one holds out.
///
/// # Errors
///
/// If no image is left for training.
pub(crate) fn hold_out(
    train: &Images,
    count: usize,
    content: [&str; 2],
) -> Result<(Images, Images), DataError> {
    if count >= train.len() {
        return Err(DataError::AllHeldOut {
            validation: count,
            train: train.len(),
        });
    }
    let mut order: Vec<usize> = (0..train.len()).collect();
    order.shuffle(&mut ChaCha8Rng::from_seed(key(content)));
    let (validation, rest) = order.split_at_mut(count);
    validation.sort_unstable();
    rest.sort_unstable();
    Ok((train.select(rest), train.select(validation)))
}

/// The key of the permutation.
fn key([images, labels]: [&str; 2]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"kindling validation 1\0");
    hash.update(images);
    hash.update(labels);
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::PIXELS;

    /// Images of which each can be told from all others: the first two pixels hold its number.
    fn images(count: usize) -> Images {
        let mut pixels = vec![0; count * PIXELS];
        for (number, image) in pixels.chunks_mut(PIXELS).enumerate() {
            image[..2].copy_from_slice(&(number as u16).to_le_bytes());
        }
        Images::new(
            pixels,
            (0..count).map(|number| (number % 10) as u8).collect(),
        )
    }

    /// The numbers of images.
    fn numbers(images: &Images) -> Vec<u16> {
        let number = |index: usize| {
            let pixels = images.pixels(index);
            u16::from_le_bytes([pixels[0], pixels[1]])
        };
        (0..images.len()).map(number).collect()
    }

    fn held_out(count: usize, content: [&str; 2]) -> (Vec<u16>, Vec<u16>) {
        let (rest, validation) = hold_out(&images(500), count, content).expect("cuts");
        for part in [&rest, &validation] {
            let labels = numbers(part).into_iter().map(|number| (number % 10) as u8);
            assert!(labels.eq(part.labels().iter().copied()));
        }
        (numbers(&rest), numbers(&validation))
    }

    #[test]
    fn every_image_is_in_one_part_and_the_order_stays() {
        let (rest, validation) = held_out(200, ["a", "b"]);
        assert_eq!((rest.len(), validation.len()), (300, 200));
        assert!(rest.is_sorted() && validation.is_sorted());
        let mut all = [rest, validation.clone()].concat();
        all.sort_unstable();
        assert!(all.into_iter().eq(0..500));
        // The images are not taken from one place of the file: with 200 of 500 images, all
        // three thirds hold many.
        for third in [0..166, 166..333, 333..500] {
            let count = validation.iter().filter(|&number| third.contains(number));
            assert!((40..100).contains(&count.count()), "{third:?}");
        }
    }

    #[test]
    fn the_content_of_both_training_files_decides() {
        let cut = held_out(200, ["a", "b"]);
        assert_eq!(cut, held_out(200, ["a", "b"]));
        assert_ne!(cut, held_out(200, ["c", "b"]));
        assert_ne!(cut, held_out(200, ["a", "c"]));
        let (_, fewer) = held_out(50, ["a", "b"]);
        assert!(fewer.iter().all(|number| cut.1.contains(number)));
    }

    #[test]
    fn the_key_never_changes() {
        // Computed with Python: hashlib.sha256(b"kindling validation 1\0" + b"a" * 64
        //                                      + b"b" * 64).hexdigest()[:16]
        let digests = ["a".repeat(64), "b".repeat(64)];
        let key = key([&digests[0], &digests[1]]);
        assert_eq!(kindling_formats::hex(&key[..8]), "2181275b87f563cf");
    }

    #[test]
    fn an_image_is_left_to_learn_from() {
        let cut = |count| hold_out(&images(3), count, ["a", "b"]);
        assert_eq!(numbers(&cut(2).expect("cuts").0).len(), 1);
        for count in [3, 4, usize::MAX] {
            let error = cut(count).expect_err("must be refused").to_string();
            let expected = format!(
                "`data.validation` holds out {count} of 3 training images, which leaves none to \
                 learn from; use a number below 3"
            );
            assert_eq!(error, expected);
        }
    }
}
