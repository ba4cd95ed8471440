//! The cut of all pictures into training and test images.

use std::path::Path;

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::decode::{bytes, named, unusable};
use super::tree::{File, Listed};
use crate::error::DataError;

/// The SHA-256 of a file.
type Sum = [u8; 32];

/// Takes `share` of the pictures of each class, rounded, as test images; at least one, and not
/// all. Returns the training pictures and the test pictures, both in their order. Each class has
/// at least two pictures.
///
/// Of each class, the files with the smallest SHA-256 are taken. So the cut depends neither on
/// names, nor on how pictures are decoded and resized, and a larger share takes the same
/// pictures and others.
///
/// # Errors
///
/// If a file cannot be read.
pub(super) fn cut(dir: &Path, all: Listed, share: f64) -> Result<(Listed, Listed), DataError> {
    let files = all.files;
    let sums: Vec<Result<Sum, String>> = files.par_iter().map(sum).collect();
    let problem = |(file, sum): (&File, &Result<Sum, String>)| {
        let problem = sum.as_ref().err()?;
        Some(named(dir, file, problem))
    };
    let problems: Vec<String> = files.iter().zip(&sums).filter_map(problem).collect();
    if !problems.is_empty() {
        return Err(unusable(dir, &problems));
    }
    let sums: Vec<Sum> = sums.into_iter().flatten().collect();
    let mut is_test = vec![false; files.len()];
    let mut start = 0;
    for class in files.chunk_by(|a, b| a.label == b.label) {
        let end = start + class.len();
        let mut order: Vec<usize> = (start..end).collect();
        order.sort_unstable_by_key(|&at| (sums[at], at));
        let wanted = (class.len() as f64 * share).round() as usize;
        let most = class.len().saturating_sub(1);
        for &at in &order[..wanted.max(1).min(most)] {
            is_test[at] = true;
        }
        start = end;
    }
    let (mut train, mut test) = (Vec::new(), Vec::new());
    for (file, is_test) in files.into_iter().zip(is_test) {
        let split = if is_test { &mut test } else { &mut train };
        split.push(file);
    }
    let listed = |files| Listed {
        dir: all.dir.clone(),
        files,
    };
    Ok((listed(train), listed(test)))
}

fn sum(file: &File) -> Result<Sum, String> {
    Ok(Sha256::digest(bytes(&file.path)?).into())
}
