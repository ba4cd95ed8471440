//! Reads a PNG or JPEG into the bytes of an image as a network learned from them.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use image::DynamicImage;
use kindling_datasets::MNIST_SHAPE;
use kindling_datasets::picture::{Undecoded, image_pixels, opaque, picture_format};
use kindling_formats::{Error, ImageShape};
use kindling_harness::RunError;

use crate::digit::prepare_digit;
use crate::output::is_standard_stream;

/// The largest number of pixels that are decoded. More would take gigabytes of memory.
const MAX_PIXELS: usize = 50_000_000;
/// The largest size of a file in bytes. No PNG or JPEG with [`MAX_PIXELS`] is larger.
const MAX_BYTES: u64 = 1 << 27;
/// The number of bytes at the start of a file that show its format.
const HEADER_BYTES: u64 = 16;
/// The remedy in the error of a picture that is too large.
const TOO_LARGE_REMEDY: &str = "make it smaller";

/// How a picture becomes an image as a network learned from them.
#[derive(Debug, Clone, Copy)]
pub enum Preparation {
    /// Like a digit of MNIST: the digit is cut out, scaled and centred; 0 is paper and 255 is ink.
    Digit,
    /// The whole picture is resized to this shape.
    Resized(ImageShape),
}

impl Preparation {
    /// The shape of the image.
    pub fn shape(self) -> ImageShape {
        match self {
            Self::Digit => MNIST_SHAPE,
            Self::Resized(shape) => shape,
        }
    }
}

/// Reads the picture in the file `path`, or on standard input if `path` is `-`. Returns the
/// bytes `[channels, height, width]` of the prepared image.
///
/// # Errors
///
/// If the file cannot be read, is not a PNG or JPEG, is too large, or shows no digit or is
/// transparent although it should not.
pub fn read_picture(path: &Path, preparation: Preparation) -> Result<Vec<u8>, RunError> {
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
    let image = decode(&bytes).and_then(|image| prepare(image, preparation));
    image.map_err(|problem| {
        let file = name.to_path_buf();
        Error::File { file, problem }.into()
    })
}

/// The bytes `[channels, height, width]` of a picture as a network learned from them.
fn prepare(image: DynamicImage, preparation: Preparation) -> Result<Vec<u8>, String> {
    match preparation {
        Preparation::Digit => prepare_digit(&image),
        Preparation::Resized(shape) => {
            let image = opaque(image).map_err(|error| error.to_string())?;
            Ok(image_pixels(image, shape))
        }
    }
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

/// Decodes a PNG or JPEG, and turns it upright.
fn decode(bytes: &[u8]) -> Result<DynamicImage, String> {
    if bytes.len() as u64 > MAX_BYTES {
        return Err(format!(
            "it is larger than {} MiB, which is too large for a picture; \
             {TOO_LARGE_REMEDY}",
            MAX_BYTES >> 20
        ));
    }
    let refused = |error| format!("{error}; use a PNG or a JPEG file that is complete");
    let picture = Undecoded::new(bytes).map_err(refused)?;
    let [height, width] = picture.size();
    if height * width > MAX_PIXELS {
        return Err(format!(
            "it has {width}x{height} pixels, and the limit is {} million pixels; \
             {TOO_LARGE_REMEDY}",
            MAX_PIXELS / 1_000_000
        ));
    }
    picture.decode().map_err(refused)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use image::{GrayAlphaImage, GrayImage, ImageBuffer, ImageFormat, Luma, LumaA, Rgb, RgbImage};

    fn digit(bytes: &[u8]) -> Result<Vec<u8>, String> {
        decode(bytes).and_then(|image| prepare(image, Preparation::Digit))
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

    #[test]
    fn a_picture_is_resized() {
        let prepare = |image, shape| prepare(image, Preparation::Resized(shape));
        let image = RgbImage::from_fn(4, 2, |x, _| Rgb([if x < 2 { 10 } else { 200 }, 60, 7]));
        let image = DynamicImage::from(image);
        let coloured = prepare(image.clone(), [3, 1, 2].into()).expect("an image");
        assert_eq!(coloured.len(), 6);
        assert_eq!(coloured[2..], [60, 60, 7, 7]);
        assert!(coloured[0] < 60 && coloured[1] > 150, "{coloured:?}");
        let grey = prepare(image, [1, 1, 2].into()).expect("an image");
        assert!(grey.len() == 2 && grey[0] < grey[1], "{grey:?}");
        // Training refuses such a picture too.
        let clear = DynamicImage::from(GrayAlphaImage::from_pixel(2, 1, LumaA([9, 0])));
        let problem = prepare(clear, [1, 1, 2].into()).expect_err("must be refused");
        assert_eq!(problem, "it has transparent pixels; put it on a background");
    }
}
