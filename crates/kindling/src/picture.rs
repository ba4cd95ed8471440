//! Pictures of digits, made like those of MNIST, and back.
//!
//! MNIST's digits were scaled into a box of 20x20 pixels and put into 28x28 ones with
//! their centre of mass in the middle, light on dark (LeCun et al., 1998). A network
//! that has seen no others needs them so.

use std::io::{Cursor, Read};
use std::path::Path;

use image::imageops::{FilterType, resize};
use image::{GrayAlphaImage, GrayImage, ImageFormat, ImageReader, Luma};
use kindling_datasets::{PIXELS, SIDE};
use kindling_harness::RunError;
use kindling_spec::{Error, write_atomic};

/// Side of the box that a digit fills, in pixels.
const BOX: u32 = 20;
/// What is at least so much lighter than the background is ink: a fifth of the lightest.
const INK: u8 = 255 / 5;

/// Reads a picture, or standard input where `path` is `-`. Returns its 784 bytes, 0
/// black and 255 white.
///
/// # Errors
///
/// If it cannot be read, is neither PNG nor JPEG, or is blank.
pub fn read(path: &Path) -> Result<Vec<u8>, RunError> {
    let bytes = if path == Path::new("-") {
        let mut bytes = Vec::new();
        let read = std::io::stdin().lock().read_to_end(&mut bytes);
        read.map(|_| bytes)
    } else {
        std::fs::read(path)
    };
    let bytes = bytes.map_err(Error::io("read", path))?;
    digit(&bytes).map_err(|problem| {
        let file = path.to_path_buf();
        Error::File { file, problem }.into()
    })
}

/// Writes 784 bytes as a PNG of 28x28 pixels.
///
/// # Errors
///
/// If the file cannot be written.
pub fn write(path: &Path, pixels: &[u8]) -> Result<(), RunError> {
    let side = SIDE as u32;
    let image = GrayImage::from_raw(side, side, pixels.to_vec());
    let image = image.ok_or_else(|| RunError::Other("an image has 784 pixels".into()))?;
    let mut bytes = Cursor::new(Vec::new());
    image
        .write_to(&mut bytes, ImageFormat::Png)
        .map_err(|error| RunError::Other(format!("cannot write {}: {error}", path.display())))?;
    Ok(write_atomic(path, bytes.get_ref())?)
}

fn digit(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let image = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|error| error.to_string())?
        .decode()
        .map_err(|error| format!("{error}; a PNG or a JPEG is wanted"))?;
    let mut ink = light_on_dark(&image.to_luma_alpha8());
    if ink.dimensions() == (SIDE as u32, SIDE as u32) {
        return Ok(ink.into_raw());
    }
    let background = median(&ink);
    stretch(&mut ink, background)?;
    let mut digit = scaled(&ink);
    stretch(&mut digit, 0)?;
    Ok(centred(&digit))
}

/// Over a background that what is not transparent stands out from, and inverted where
/// most of it is light.
fn light_on_dark(image: &GrayAlphaImage) -> GrayImage {
    let (sum, weight) = image.pixels().fold((0.0, 0.0), |(sum, weight), pixel| {
        let [luma, alpha] = pixel.0.map(f64::from);
        (sum + luma * alpha, weight + alpha)
    });
    let below = if sum > 127.0 * weight { 0.0 } else { 255.0 };
    let mut flat = GrayImage::from_fn(image.width(), image.height(), |x, y| {
        let [luma, alpha] = image.get_pixel(x, y).0.map(f64::from);
        Luma([((luma * alpha + below * (255.0 - alpha)) / 255.0).round() as u8])
    });
    if median(&flat) > 127 {
        image::imageops::invert(&mut flat);
    }
    flat
}

/// The brightness that half of the pixels do not exceed: that of the background.
fn median(image: &GrayImage) -> u8 {
    let mut counts = [0usize; 256];
    for pixel in image.pixels() {
        counts[usize::from(pixel.0[0])] += 1;
    }
    let half = image.pixels().len().div_ceil(2);
    let mut below = 0;
    let reached = counts.iter().position(|count| {
        below += count;
        below >= half
    });
    reached.unwrap_or_default() as u8
}

/// Makes the background black and the lightest pixel white.
fn stretch(image: &mut GrayImage, background: u8) -> Result<(), String> {
    let lightest = image.pixels().map(|pixel| pixel.0[0]).max();
    let range = lightest.unwrap_or_default().saturating_sub(background);
    if range == 0 {
        return Err("there is nothing on it; a digit is wanted".into());
    }
    for pixel in image.pixels_mut() {
        let above = u32::from(pixel.0[0].saturating_sub(background));
        pixel.0[0] = (255 * above / u32::from(range)) as u8;
    }
    Ok(())
}

/// The digit alone, its longer side as long as the box.
fn scaled(ink: &GrayImage) -> GrayImage {
    let (mut left, mut top, mut right, mut bottom) = (u32::MAX, u32::MAX, 0, 0);
    for (x, y, pixel) in ink.enumerate_pixels() {
        if pixel.0[0] >= INK {
            (left, top) = (left.min(x), top.min(y));
            (right, bottom) = (right.max(x), bottom.max(y));
        }
    }
    let (width, height) = (right - left + 1, bottom - top + 1);
    let longer = width.max(height);
    let side = |of: u32| (of * BOX).div_ceil(longer).max(1);
    let digit = image::imageops::crop_imm(ink, left, top, width, height).to_image();
    resize(&digit, side(width), side(height), FilterType::Triangle)
}

/// `[784]`: the digit with its centre of mass in the middle, as far as it fits.
fn centred(digit: &GrayImage) -> Vec<u8> {
    let mut mass = 0.0;
    let mut centre = [0.0, 0.0];
    for (x, y, pixel) in digit.enumerate_pixels() {
        let ink = f64::from(pixel.0[0]);
        mass += ink;
        centre[0] += ink * (f64::from(x) + 0.5);
        centre[1] += ink * (f64::from(y) + 0.5);
    }
    let offset = |axis: usize, length: u32| {
        let wanted = SIDE as f64 / 2.0 - centre[axis] / mass;
        wanted.round().clamp(0.0, (SIDE as u32 - length) as f64) as usize
    };
    let (left, top) = (offset(0, digit.width()), offset(1, digit.height()));
    let mut pixels = vec![0; PIXELS];
    for (x, y, pixel) in digit.enumerate_pixels() {
        pixels[(top + y as usize) * SIDE + left + x as usize] = pixel.0[0];
    }
    pixels
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{DynamicImage, LumaA};

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
    fn a_digit_is_cut_out_scaled_and_centred() {
        let pixels = digit(&png(bar(250, 30))).expect("a digit");
        // 20x100 becomes 4x20, in the middle of 28x28.
        for (at, &pixel) in pixels.iter().enumerate() {
            let inside = (12..16).contains(&(at % 28)) && (4..24).contains(&(at / 28));
            assert_eq!(pixel, if inside { 255 } else { 0 }, "at {at}");
        }
    }

    #[test]
    fn light_or_dark_or_transparent_it_is_the_same() {
        let expected = digit(&png(bar(250, 30))).expect("a digit");
        assert_eq!(digit(&png(bar(0, 255))), Ok(expected.clone()));
        assert_eq!(digit(&png(bar(90, 200))), Ok(expected.clone()));
        for ink in [0, 255] {
            let image = bar(0, 255);
            let image =
                GrayAlphaImage::from_fn(300, 200, |x, y| LumaA([ink, image.get_pixel(x, y).0[0]]));
            assert_eq!(digit(&png(image)), Ok(expected.clone()), "ink {ink}");
        }
    }

    #[test]
    fn a_picture_of_the_right_size_is_taken_as_it_is() {
        let mut image = GrayImage::new(28, 28);
        image.put_pixel(3, 1, Luma([77]));
        let dark = digit(&png(image.clone())).expect("a digit");
        assert_eq!(dark, image.clone().into_raw());
        image::imageops::invert(&mut image);
        assert_eq!(digit(&png(image)), Ok(dark));
    }

    #[test]
    fn what_is_no_digit_is_refused() {
        let problem = |bytes: &[u8]| digit(bytes).expect_err("must be refused");
        assert!(problem(b"no image").contains("a PNG or a JPEG"));
        let whole = png(bar(0, 255));
        assert!(problem(&whole[..whole.len() / 2]).contains("a PNG or a JPEG"));
        assert!(problem(&png(bar(9, 9))).contains("nothing on it"));
    }
}
