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
