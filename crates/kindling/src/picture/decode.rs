//! Reads a PNG or JPEG into 784 bytes that look like a digit of MNIST.

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;

use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, guess_format};
use kindling_formats::Error;
use kindling_harness::RunError;

use crate::digit::prepare_digit;
use crate::output::is_standard_stream;

/// The largest number of pixels that are decoded. More would take gigabytes of memory.
const MAX_PIXELS: u64 = 50_000_000;
/// The largest size of a file in bytes. No PNG or JPEG with [`MAX_PIXELS`] is larger.
const MAX_BYTES: u64 = 1 << 27;
/// The number of bytes at the start of a file that show its format.
const HEADER_BYTES: u64 = 16;
/// The remedy in the error of a picture that is too large.
const TOO_LARGE_REMEDY: &str = "make it smaller, or cut the digit out";

/// Reads the picture in the file `path`, or on standard input if `path` is `-`. Returns 784
/// bytes, 0 for paper and 255 for ink.
///
/// # Errors
///
/// If the file cannot be read, is not a PNG or JPEG, is too large, or shows no digit.
pub fn read_digit(path: &Path) -> Result<Vec<u8>, RunError> {
    let (name, input): (&Path, Box<dyn Read>) = if is_standard_stream(path) {
        (
            Path::new("standard input"),
            Box::new(std::io::stdin().lock()),
        )
    } else {
        let file = File::open(path).map_err(Error::io("read", path))?;
        (path, Box::new(file))
    };
    let bytes = read_bytes(input).map_err(Error::io("read", name))?;
    let digit = decode(&bytes).and_then(|image| prepare_digit(&image));
    digit.map_err(|problem| {
        let file = name.to_path_buf();
        Error::File { file, problem }.into()
    })
}

/// Reads `input` in bounded memory. If it starts like a PNG or JPEG, this reads up to one
/// byte more than [`MAX_BYTES`], so that the caller sees that a file is too large. Of all
/// other files it reads only the first bytes.
fn read_bytes(mut input: impl Read) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.by_ref().take(HEADER_BYTES).read_to_end(&mut bytes)?;
    if picture_format(&bytes).is_ok() {
        input
            .take(MAX_BYTES + 1 - HEADER_BYTES)
            .read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

fn picture_format(bytes: &[u8]) -> Result<ImageFormat, String> {
    let wanted = "use a PNG or a JPEG file";
    if bytes.is_empty() {
        return Err(format!("it is empty; {wanted}"));
    }
    match guess_format(bytes) {
        Ok(format @ (ImageFormat::Png | ImageFormat::Jpeg)) => Ok(format),
        Ok(other) => Err(format!("its format is {other:?}; {wanted}")),
        Err(_) => Err(format!("it is not a picture; {wanted}")),
    }
}

/// Decodes a PNG or JPEG, and turns it upright.
fn decode(bytes: &[u8]) -> Result<DynamicImage, String> {
    let format = picture_format(bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(format!(
            "it is larger than {} MiB, which is too large for a picture of a digit; \
             {TOO_LARGE_REMEDY}",
            MAX_BYTES >> 20
        ));
    }
    let damaged = |error| format!("{error}; use a PNG or a JPEG file that is complete");
    let reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut decoder = reader.into_decoder().map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(format!(
            "it has {width}x{height} pixels, and the limit is {} million pixels; \
             {TOO_LARGE_REMEDY}",
            MAX_PIXELS / 1_000_000
        ));
    }
    // A camera stores the pixels in the order of its sensor, and the rotation separately.
    let orientation = decoder.orientation().map_err(damaged)?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(damaged)?;
    image.apply_orientation(orientation);
    Ok(image)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{GrayAlphaImage, GrayImage, ImageBuffer, Luma, LumaA};

    fn digit(bytes: &[u8]) -> Result<Vec<u8>, String> {
        decode(bytes).and_then(|image| prepare_digit(&image))
    }

    fn png(image: impl Into<DynamicImage>) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let image: DynamicImage = image.into();
        image.write_to(&mut bytes, ImageFormat::Png).expect("a PNG");
        bytes.into_inner()
    }

    /// A large picture with a bar near a corner.
    fn bar(paper: u8, ink: u8) -> GrayImage {
        GrayImage::from_fn(300, 200, |x, y| {
            let inside = (20..40).contains(&x) && (30..130).contains(&y);
            Luma([if inside { ink } else { paper }])
        })
    }

    #[test]
    fn light_dark_transparent_and_16_bit_pictures_give_the_same_digit() {
        let expected = digit(&png(bar(250, 30))).expect("a digit");
        assert_eq!(digit(&png(bar(0, 255))), Ok(expected.clone()));
        assert_eq!(digit(&png(bar(90, 200))), Ok(expected.clone()));
        for ink in [0, 255] {
            let image = bar(0, 255);
            let image =
                GrayAlphaImage::from_fn(300, 200, |x, y| LumaA([ink, image.get_pixel(x, y).0[0]]));
            assert_eq!(digit(&png(image)), Ok(expected.clone()), "ink {ink}");
        }
        // 16-bit values that use only 12 bits.
        let image = bar(0, 255);
        let deep = ImageBuffer::<Luma<u16>, _>::from_fn(300, 200, |x, y| {
            Luma([u16::from(image.get_pixel(x, y).0[0]) * 16])
        });
        assert_eq!(digit(&png(deep)), Ok(expected));
    }

    #[test]
    fn files_without_a_readable_digit_are_refused() {
        let problem = |bytes: &[u8]| digit(bytes).expect_err("must be refused");
        assert!(problem(b"").contains("it is empty"));
        assert!(problem(b"no image").contains("a PNG or a JPEG"));
        assert!(problem(b"GIF89a no image").contains("a PNG or a JPEG"));
        let whole = png(bar(0, 255));
        assert!(problem(&whole[..whole.len() / 2]).contains("a PNG or a JPEG"));
        assert!(problem(&png(bar(9, 9))).contains("nothing on it"));
        let mut too_long = whole;
        too_long.resize(MAX_BYTES as usize + 1, 0);
        assert!(problem(&too_long).contains("128 MiB"));
    }
}
