//! Writes images of 28x28 pixels as PNG files.

use std::io::Cursor;
use std::path::Path;

use image::{GrayImage, ImageFormat};
use kindling_datasets::SIDE;
use kindling_formats::write_atomic;
use kindling_harness::RunError;

use crate::output::{is_standard_stream, print_bytes};

/// Writes 784 bytes as a PNG of 28x28 pixels to the file `path`, or to standard output if
/// `path` is `-`.
///
/// # Errors
///
/// If there are not 784 bytes, or the file or standard output cannot be written.
pub fn write_png(path: &Path, pixels: &[u8]) -> Result<(), RunError> {
    let bytes = png_bytes(&grey_image(pixels)?)?;
    if is_standard_stream(path) {
        return print_bytes(&bytes);
    }
    Ok(write_atomic(path, &bytes)?)
}

/// An image of 28x28 pixels from 784 bytes.
///
/// # Errors
///
/// If there are not 784 bytes.
pub fn grey_image(pixels: &[u8]) -> Result<GrayImage, RunError> {
    let side = SIDE as u32;
    let image = GrayImage::from_raw(side, side, pixels.to_vec());
    image.ok_or_else(|| {
        RunError::Other(format!(
            "an image has 784 pixels, and this one has {}",
            pixels.len()
        ))
    })
}

/// The content of a PNG file that shows `image`.
///
/// # Errors
///
/// If the PNG encoder fails.
pub fn png_bytes(image: &GrayImage) -> Result<Vec<u8>, RunError> {
    let mut bytes = Cursor::new(Vec::new());
    image
        .write_to(&mut bytes, ImageFormat::Png)
        .map_err(|error| RunError::Other(format!("cannot make a PNG: {error}")))?;
    Ok(bytes.into_inner())
}
