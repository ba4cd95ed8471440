//! Which images a run uses: a part of a split, and the cut of the training images into those
//! that a trial learns from and the validation images on which it is evaluated.
//!
//! Images are chosen by a random permutation, because they may be sorted by class. Its key is
//! the content of the split alone. So the choice is the same for all seeds, backends and numbers
//! of jobs, and the test images do not change it. Only a part of a split whose classes are mixed
//! is its first images.

use burn_dataset::Dataset;
use chacha20::ChaCha8Rng;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use sha2::{Digest, Sha256};

use crate::error::DataError;
use crate::images::Images;
use crate::source::Labelled;

/// Keeps at most `count` images of a split, or all if `count` is `None`. These are the first
/// images, or if the split is sorted by class, images from all places, in their order.
pub(crate) fn take(split: Labelled, count: Option<usize>) -> Labelled {
    let there = split.images.len();
    let wanted = count.unwrap_or(there).min(there);
    let mut images = split.images;
    if wanted < there && images.are_sorted_by_class() {
        let (mut chosen, _) = cut("part", there, wanted, &split.content);
        chosen.sort_unstable();
        images = images.select(&chosen);
    } else {
        images.truncate(wanted);
    }
    Labelled { images, ..split }
}

/// Holds out `count` of the training images. Returns the images that are left for training,
/// and the validation images, both in the order of `train`.
///
/// The images that are held out depend on the content of the training files and on the number
/// of training images. A smaller `count` holds out a part of those that a larger one holds out.
///
/// # Errors
///
/// If no image is left for training.
pub(crate) fn hold_out(train: &Labelled, count: usize) -> Result<(Images, Images), DataError> {
    let images = &train.images;
    if count >= images.len() {
        return Err(DataError::AllHeldOut {
            validation: count,
            train: images.len(),
        });
    }
    let (mut validation, mut rest) = cut("validation", images.len(), count, &train.content);
    validation.sort_unstable();
    rest.sort_unstable();
    Ok((images.select(&rest), images.select(&validation)))
}

/// The first `count` of the numbers from 0 to `total` in a random order, and the others. The
/// order depends on `purpose` and `content`, the SHA-256 of the images and of the labels.
fn cut(
    purpose: &str,
    total: usize,
    count: usize,
    content: &[String; 2],
) -> (Vec<usize>, Vec<usize>) {
    let mut order: Vec<usize> = (0..total).collect();
    order.shuffle(&mut ChaCha8Rng::from_seed(key(purpose, content)));
    let rest = order.split_off(count);
    (order, rest)
}

/// The key of a permutation.
fn key(purpose: &str, [images, labels]: &[String; 2]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(format!("kindling {purpose} 1\0"));
    hash.update(images);
    hash.update(labels);
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Images of which each can be told from all others: its two pixels hold its number. The
    /// labels repeat after `classes`, or come class by class.
    fn split(count: usize, content: [&str; 2], label: impl Fn(usize) -> usize) -> Labelled {
        let pixels = (0..count).flat_map(|number| (number as u16).to_le_bytes());
        let labels = (0..count).map(|number| label(number) as u8);
        Labelled {
            images: Images::new([1, 2, 1].into(), pixels.collect(), labels.collect()),
            place: "images".into(),
            labels_place: "labels".into(),
            content: content.map(str::to_string),
            files: Vec::new(),
        }
    }

    fn mixed(count: usize, content: [&str; 2]) -> Labelled {
        split(count, content, |number| number % 10)
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
        let (rest, validation) = hold_out(&mixed(500, content), count).expect("cuts");
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
    fn a_part_is_the_first_images_unless_these_are_of_few_classes() {
        let part = |split: Labelled| take(split, Some(60)).images;
        assert!(numbers(&part(mixed(300, ["a", "b"]))).into_iter().eq(0..60));
        let sorted = |content| part(split(300, content, |number| number / 30));
        let images = sorted(["a", "b"]);
        assert!(numbers(&images).is_sorted());
        let classes: std::collections::BTreeSet<&u8> = images.labels().iter().collect();
        assert_eq!((images.len(), classes.len()), (60, 10));
        assert_eq!(images, sorted(["a", "b"]));
        assert_ne!(images, sorted(["c", "b"]));
        let all = take(mixed(300, ["a", "b"]), None);
        assert_eq!(all.images.len(), 300);
    }

    #[test]
    fn the_key_never_changes() {
        // Computed with Python: hashlib.sha256(b"kindling validation 1\0" + b"a" * 64
        //                                      + b"b" * 64).hexdigest()[:16]
        let digests = ["a".repeat(64), "b".repeat(64)];
        let key = key("validation", &digests);
        assert_eq!(kindling_formats::hex(&key[..8]), "2181275b87f563cf");
    }

    #[test]
    fn an_image_is_left_to_learn_from() {
        let cut = |count| hold_out(&mixed(3, ["a", "b"]), count);
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
