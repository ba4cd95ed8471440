//! Writes images as PNG files.

use std::io::Cursor;
use std::path::Path;

use image::{DynamicImage, GrayImage, ImageFormat, RgbImage};
use kindling_formats::{ImageShape, write_atomic};
use kindling_harness::RunError;

use crate::output::{is_standard_stream, print_bytes};

/// Writes the bytes `[channels, height, width]` of an image as a PNG to the file `path`, or to
/// standard output if `path` is `-`.
///
/// # Errors
///
/// If the bytes are not those of an image of the shape `shape`, or the file or standard output
/// cannot be written.
pub fn write_png(path: &Path, bytes: &[u8], shape: ImageShape) -> Result<(), RunError> {
    let bytes = png_bytes(&picture(bytes, shape)?)?;
    if is_standard_stream(path) {
        return print_bytes(&bytes);
    }
    Ok(write_atomic(path, &bytes)?)
}

/// A picture, grey or coloured, from the bytes `[channels, height, width]` of an image.
///
/// # Errors
///
/// If the bytes are not those of an image of the shape `shape`.
pub fn picture(bytes: &[u8], shape: ImageShape) -> Result<DynamicImage, RunError> {
    let (width, height) = (shape.width as u32, shape.height as u32);
    let picture = match shape.channels {
        1 => GrayImage::from_raw(width, height, bytes.to_vec()).map(DynamicImage::from),
        channels => {
            let places = shape.height * shape.width;
            let pixels = (0..places).flat_map(|place| {
                let channels = 0..channels;
                channels.map(move |channel| bytes.get(channel * places + place).copied())
            });
            let bytes: Option<Vec<u8>> = pixels.collect();
            bytes
                .and_then(|bytes| RgbImage::from_raw(width, height, bytes))
                .map(DynamicImage::from)
        }
    };
    picture.ok_or_else(|| {
        let count = bytes.len();
        RunError::Other(format!("{count} bytes are no picture of {shape} pixels"))
    })
}

/// The content of a PNG file that shows `picture`.
///
/// # Errors
///
/// If the PNG encoder fails.
pub fn png_bytes(picture: &DynamicImage) -> Result<Vec<u8>, RunError> {
    let mut bytes = Cursor::new(Vec::new());
    picture
        .write_to(&mut bytes, ImageFormat::Png)
        .map_err(|error| RunError::Other(format!("cannot make a PNG: {error}")))?;
    Ok(bytes.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_channels_of_a_pixel_stand_together_in_a_picture() {
        // Two columns and one row, each with red, green and blue.
        let image = picture(&[1, 2, 3, 4, 5, 6], [3, 1, 2].into()).expect("a picture");
        assert_eq!(image.into_bytes(), [1, 3, 5, 2, 4, 6]);
        let image = picture(&[1, 2], [1, 2, 1].into()).expect("a picture");
        assert_eq!(image.into_bytes(), [1, 2]);
        assert!(picture(&[1, 2], [1, 2, 2].into()).is_err());
        assert!(picture(&[1, 2, 3], [3, 1, 2].into()).is_err());
    }
}
