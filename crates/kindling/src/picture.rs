//! Pictures: read, made like MNIST's digits, and written.

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use image::imageops::{FilterType, resize};
use image::{DynamicImage, GrayImage, ImageDecoder, ImageFormat, ImageReader, guess_format};
use kindling_datasets::SIDE;
use kindling_formats::{Error, write_atomic};
use kindling_harness::RunError;

use crate::ink;
use crate::output::{complain, misused, print_bytes};
use crate::plane::Plane;

/// A larger picture would take gigabytes of memory to decode.
const MOST_PIXELS: u64 = 50_000_000;
/// No PNG or JPEG of so many pixels is larger, in bytes.
const MOST_BYTES: u64 = 1 << 27;
/// Bytes that a format is known by.
const HEAD: u64 = 16;
/// How many times as large a picture is shown that a network sees.
const ENLARGED: u32 = 10;
const SMALLER: &str = "make it smaller, or cut the digit out";

/// The name of standard input, or output.
pub fn is_standard(path: &Path) -> bool {
    path == Path::new("-")
}

/// Hands each picture to `see`, as 784 bytes. One that cannot be read, or is no digit, is
/// named on standard error, and the others go on.
///
/// `debug` is where to write what the network sees of the one picture.
///
/// # Errors
///
/// If standard input is named twice, or `debug` does not fit, before a picture is read;
/// at the first error of `see`; at the end, if some pictures could not be read.
pub fn each(
    paths: &[PathBuf],
    debug: Option<&Path>,
    mut see: impl FnMut(&Path, &[u8]) -> Result<(), RunError>,
) -> Result<(), RunError> {
    if paths.iter().filter(|path| is_standard(path)).count() > 1 {
        return Err(misused(
            "-",
            "standard input can be read once; name it once",
        ));
    }
    if let Some(debug) = debug {
        check_debug(paths, debug)?;
    }
    let mut unread = 0;
    for path in paths {
        match read(path) {
            Ok(pixels) => {
                if let Some(debug) = debug {
                    let side = SIDE as u32 * ENLARGED;
                    let enlarged = resize(&grey(&pixels)?, side, side, FilterType::Nearest);
                    write_atomic(debug, &png(&enlarged)?)?;
                }
                see(path, &pixels)?;
            }
            Err(error) => {
                complain(&format!("error: {error}"));
                unread += 1;
            }
        }
    }
    if unread > 0 {
        let of = paths.len();
        return Err(RunError::Other(format!(
            "{unread} of {of} pictures could not be read"
        )));
    }
    Ok(())
}

fn check_debug(paths: &[PathBuf], debug: &Path) -> Result<(), RunError> {
    let problem = if paths.len() != 1 {
        format!(
            "it shows one picture, and {} are named; name one",
            paths.len()
        )
    } else if is_standard(debug) {
        "results go to standard output; name a file".into()
    } else if is_same(&paths[0], debug) {
        "it would overwrite the picture itself; name another file".into()
    } else {
        return Ok(());
    };
    Err(misused("--debug-image", problem))
}

/// Whether both are one file that is there.
pub fn is_same(a: &Path, b: &Path) -> bool {
    a == b || matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// Writes 784 bytes as a PNG of 28x28 pixels; to standard output where `path` is `-`.
///
/// # Errors
///
/// If it cannot be written.
pub fn write(path: &Path, pixels: &[u8]) -> Result<(), RunError> {
    let bytes = png(&grey(pixels)?)?;
    if is_standard(path) {
        return print_bytes(&bytes);
    }
    Ok(write_atomic(path, &bytes)?)
}

fn grey(pixels: &[u8]) -> Result<GrayImage, RunError> {
    let side = SIDE as u32;
    let image = GrayImage::from_raw(side, side, pixels.to_vec());
    image.ok_or_else(|| RunError::Other("an image has 784 pixels".into()))
}

fn png(image: &GrayImage) -> Result<Vec<u8>, RunError> {
    let mut bytes = Cursor::new(Vec::new());
    image
        .write_to(&mut bytes, ImageFormat::Png)
        .map_err(|error| RunError::Other(format!("cannot make a PNG: {error}")))?;
    Ok(bytes.into_inner())
}

/// Reads a picture, or standard input where `path` is `-`. Returns its 784 bytes, 0 paper
/// and 255 ink.
fn read(path: &Path) -> Result<Vec<u8>, RunError> {
    let (name, input): (&Path, Box<dyn Read>) = if is_standard(path) {
        (
            Path::new("standard input"),
            Box::new(std::io::stdin().lock()),
        )
    } else {
        let file = File::open(path).map_err(Error::io("read", path))?;
        (path, Box::new(file))
    };
    let bytes = bytes(input).map_err(Error::io("read", name))?;
    let digit = decode(&bytes).and_then(|image| ink::digit(Plane::of(&image)));
    digit.map_err(|problem| {
        let file = name.to_path_buf();
        Error::File { file, problem }.into()
    })
}

/// What `input` holds, as far as it may be a picture: of anything else the head alone,
/// of too large a file a byte too much.
fn bytes(mut input: impl Read) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.by_ref().take(HEAD).read_to_end(&mut bytes)?;
    if format(&bytes).is_ok() {
        input.take(MOST_BYTES + 1 - HEAD).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

fn format(bytes: &[u8]) -> Result<ImageFormat, String> {
    let wanted = "a PNG or a JPEG is wanted";
    if bytes.is_empty() {
        return Err(format!("it is empty; {wanted}"));
    }
    match guess_format(bytes) {
        Ok(format @ (ImageFormat::Png | ImageFormat::Jpeg)) => Ok(format),
        Ok(other) => Err(format!("it is a {other:?}; {wanted}")),
        Err(_) => Err(format!("it is no picture; {wanted}")),
    }
}

/// The picture in `bytes`, upright.
fn decode(bytes: &[u8]) -> Result<DynamicImage, String> {
    let format = format(bytes)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(format!(
            "it has more than {} MiB, too many for a picture of a digit; {SMALLER}",
            MOST_BYTES >> 20
        ));
    }
    let damaged = |error| format!("{error}; a PNG or a JPEG is wanted that is whole");
    let reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut decoder = reader.into_decoder().map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MOST_PIXELS {
        return Err(format!(
            "it has {width}x{height} pixels, and at most {} million are read; {SMALLER}",
            MOST_PIXELS / 1_000_000
        ));
    }
    // A camera turns no pixels, but says how they are to be turned.
    let orientation = decoder.orientation().map_err(damaged)?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(damaged)?;
    image.apply_orientation(orientation);
    Ok(image)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{GrayAlphaImage, ImageBuffer, Luma, LumaA};

    fn digit(bytes: &[u8]) -> Result<Vec<u8>, String> {
        decode(bytes).and_then(|image| ink::digit(Plane::of(&image)))
    }

    fn png(image: impl Into<DynamicImage>) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let image: DynamicImage = image.into();
        image.write_to(&mut bytes, ImageFormat::Png).expect("a PNG");
        bytes.into_inner()
    }

    /// A bar in a corner of a large sheet.
    fn bar(paper: u8, ink: u8) -> GrayImage {
        GrayImage::from_fn(300, 200, |x, y| {
            let inside = (20..40).contains(&x) && (30..130).contains(&y);
            Luma([if inside { ink } else { paper }])
        })
    }

    #[test]
    fn light_or_dark_or_transparent_or_deep_it_is_the_same() {
        let expected = digit(&png(bar(250, 30))).expect("a digit");
        assert_eq!(digit(&png(bar(0, 255))), Ok(expected.clone()));
        assert_eq!(digit(&png(bar(90, 200))), Ok(expected.clone()));
        for ink in [0, 255] {
            let image = bar(0, 255);
            let image =
                GrayAlphaImage::from_fn(300, 200, |x, y| LumaA([ink, image.get_pixel(x, y).0[0]]));
            assert_eq!(digit(&png(image)), Ok(expected.clone()), "ink {ink}");
        }
        // Twelve bits in sixteen.
        let image = bar(0, 255);
        let deep = ImageBuffer::<Luma<u16>, _>::from_fn(300, 200, |x, y| {
            Luma([u16::from(image.get_pixel(x, y).0[0]) * 16])
        });
        assert_eq!(digit(&png(deep)), Ok(expected));
    }

    #[test]
    fn what_is_no_digit_is_refused() {
        let problem = |bytes: &[u8]| digit(bytes).expect_err("must be refused");
        assert!(problem(b"").contains("it is empty"));
        assert!(problem(b"no image").contains("a PNG or a JPEG"));
        assert!(problem(b"GIF89a no image").contains("a PNG or a JPEG"));
        let whole = png(bar(0, 255));
        assert!(problem(&whole[..whole.len() / 2]).contains("a PNG or a JPEG"));
        assert!(problem(&png(bar(9, 9))).contains("nothing on it"));
        let mut long = whole;
        long.resize(MOST_BYTES as usize + 1, 0);
        assert!(problem(&long).contains("128 MiB"));
    }
}
