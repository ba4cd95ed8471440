//! Pictures as pixels of one shape.

use std::path::Path;

use image::DynamicImage;
use kindling_formats::ImageShape;
use rayon::prelude::*;

use super::text::{below, counted};
use super::tree::{File, Listed};
use crate::error::DataError;
use crate::folder::{Entry, entry, read, shown, some};
use crate::images::Images;
use crate::picture::{Undecoded, image_pixels, opaque};
use crate::source::Labelled;

/// The maximum size of a file in bytes. A larger file could fill the memory.
const MAX_BYTES: u64 = 1 << 27;
/// The maximum height and width of a picture before it is resized.
const MAX_SIDE: usize = 10_000;
/// The maximum number of numbers of a split: 91 times MNIST.
const MAX_NUMBERS: usize = 1 << 32;
/// The maximum number of pictures that an error names.
const NAMED: usize = 10;

/// Reads the bytes of a picture.
///
/// # Errors
///
/// If there is no file, or it cannot be read or is too large.
pub(super) fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    let what = match entry(path) {
        Ok(Entry::File) => return read(path, MAX_BYTES).map_err(reason),
        Ok(Entry::Other(what)) => format!("it is {what}"),
        Ok(Entry::Absent) => "it is gone".into(),
        Err(error) => reason(error),
    };
    Err(what)
}

/// The text of an error without the path.
fn reason(error: DataError) -> String {
    match error {
        DataError::Read { source, .. } => source.to_string(),
        DataError::Unusable { why, .. } => format!("it {why}"),
        other => other.to_string(),
    }
}

/// Decodes the header of a picture.
///
/// # Errors
///
/// If it is no PNG and no JPEG, is damaged or too large.
pub(super) fn open(bytes: &[u8]) -> Result<Undecoded<'_>, String> {
    let picture = Undecoded::new(bytes).map_err(|error| shown(&error.to_string()))?;
    let [height, width] = picture.size();
    if height.max(width) > MAX_SIDE {
        return Err(format!(
            "it has {height}x{width} pixels, and the limit is {MAX_SIDE}x{MAX_SIDE}"
        ));
    }
    Ok(picture)
}

/// Decodes a picture.
///
/// # Errors
///
/// If it cannot be read or decoded, or is transparent anywhere.
fn load(path: &Path) -> Result<DynamicImage, String> {
    let bytes = bytes(path)?;
    let decoded = open(&bytes)?.decode();
    let opaque = decoded.and_then(opaque);
    opaque.map_err(|error| shown(&error.to_string()))
}

/// Why each of some pictures cannot be used, in their order. Those that can be used are left
/// out. `dir` is left out of their names.
pub(super) fn problems(dir: &Path, files: &[&File]) -> Vec<String> {
    let problem = |file: &&File| Some(named(dir, file, &load(&file.path).err()?));
    files.par_iter().filter_map(problem).collect()
}

/// The name of a picture and what is wrong with it.
pub(super) fn named(dir: &Path, file: &File, problem: &str) -> String {
    format!("{} ({problem})", below(dir, &file.path))
}

/// The error of a folder with pictures that cannot be used.
pub(super) fn unusable(dir: &Path, problems: &[String]) -> DataError {
    let problem = format!(
        "{} cannot be used: {}; replace or remove them",
        counted(problems.len()),
        some(problems, NAMED)
    );
    DataError::pictures(dir, problem)
}

/// Decodes the pictures of a split and gives them one shape. Adds to `problems` those that cannot
/// be used, and leaves them black. `dir` is left out of their names.
///
/// # Errors
///
/// If they take too much memory.
pub(super) fn labelled(
    dir: &Path,
    split: Listed,
    shape: ImageShape,
    problems: &mut Vec<String>,
) -> Result<Labelled, DataError> {
    let mut pixels = black(&split, shape)?;
    // The threads are those of rayon's pool, so a run that computes on one thread decodes on
    // one thread.
    let found: Vec<String> = split
        .files
        .par_iter()
        .zip(pixels.par_chunks_exact_mut(shape.numbers()))
        .filter_map(|(file, pixels)| {
            let image = match load(&file.path) {
                Ok(image) => image,
                Err(problem) => return Some(named(dir, file, &problem)),
            };
            pixels.copy_from_slice(&image_pixels(image, shape));
            None
        })
        .collect();
    problems.extend(found);
    let labels = split.files.iter().map(|file| file.label).collect();
    let images = Images::new(shape, pixels, labels);
    let name = |file: &File| below(dir, &file.path);
    Ok(Labelled {
        files: split.files.iter().map(name).collect(),
        ..Labelled::new(images, split.dir.display().to_string())
    })
}

/// Black pixels for all pictures of a split.
fn black(split: &Listed, shape: ImageShape) -> Result<Vec<u8>, DataError> {
    let count = split.files.len();
    let numbers = count.checked_mul(shape.numbers());
    let mut pixels = Vec::new();
    let fits =
        |&numbers: &usize| numbers <= MAX_NUMBERS && pixels.try_reserve_exact(numbers).is_ok();
    let Some(numbers) = numbers.filter(fits) else {
        let problem = format!(
            "{} of {shape} pixels take too much memory; make them smaller with `data.size`, \
             or remove some",
            counted(count)
        );
        return Err(DataError::pictures(&split.dir, problem));
    };
    pixels.resize(numbers, 0);
    Ok(pixels)
}
