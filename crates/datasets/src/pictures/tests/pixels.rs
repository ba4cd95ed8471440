//! Tests of the formats of pictures. The encoders of `image` cannot write the files in
//! `tests/samples`. Python and Pillow 13 made them:
//!
//! ```python
//! from PIL import Image
//! def blocks(mode, left, right):
//!     image = Image.new(mode, (16, 8), left)
//!     image.paste(right, (8, 0, 16, 8))
//!     return image
//! palette = Image.new("P", (2, 1))
//! palette.putpalette([10, 20, 30, 200, 100, 50])
//! palette.putpixel((1, 0), 1)
//! palette.save("palette.png")
//! bits = Image.new("1", (3, 1))
//! bits.putpixel((1, 0), 1)
//! bits.save("bits.png")
//! blocks("CMYK", (255, 0, 0, 0), (0, 128, 255, 64)).save("cmyk.jpg", quality=100)
//! colours = blocks("RGB", (250, 20, 30), (40, 50, 220))
//! colours.save("progressive.jpg", quality=100, subsampling=0, progressive=True)
//! exif = Image.Exif()
//! exif[0x0112] = 6  # a quarter turn clockwise makes it upright
//! colours.save("rotated.jpg", quality=100, subsampling=0, exif=exif)
//! ```

use image::{GrayImage, ImageBuffer, ImageFormat, Luma, LumaA, Rgb, Rgba};

use super::{Folder, encoded, png};
use crate::images::Images;

/// The training image that a file gives.
#[track_caller]
fn image(bytes: &[u8]) -> Images {
    let folder = Folder::twice(bytes);
    let source = folder.read(&folder.data());
    assert_eq!(source.train.images, source.test.images);
    source.train.images
}

#[track_caller]
fn check(bytes: &[u8], shape: [usize; 3], pixels: &[u8]) {
    let image = image(bytes);
    assert_eq!(<[usize; 3]>::from(image.shape()), shape);
    assert_eq!(image.pixels(0), pixels);
}

/// Checks that the first and the last pixel of a JPEG have the colours `expected`, up to the
/// rounding of decoders.
#[track_caller]
fn check_jpeg(bytes: &[u8], shape: [usize; 3], expected: [[u8; 3]; 2]) {
    let image = image(bytes);
    assert_eq!(<[usize; 3]>::from(image.shape()), shape);
    let planes: Vec<&[u8]> = image.pixels(0).chunks(shape[1] * shape[2]).collect();
    for (place, colour) in [0, shape[1] * shape[2] - 1].into_iter().zip(expected) {
        for (plane, value) in planes.iter().zip(colour) {
            assert!(
                plane[place].abs_diff(value) <= 2,
                "{} and not {value}",
                plane[place]
            );
        }
    }
}

#[test]
fn palettes_and_single_bits_are_read() {
    let palette = include_bytes!("../../../tests/samples/palette.png");
    check(palette, [3, 1, 2], &[10, 200, 20, 100, 30, 50]);
    let bits = include_bytes!("../../../tests/samples/bits.png");
    check(bits, [1, 1, 3], &[0, 255, 0]);
}

#[test]
fn sixteen_bits_become_eight() {
    // 16 bits for 8 bits v are 257 * v, and the nearest v is taken.
    let deep = |value: u16| (value, (f64::from(value) / 257.0).round() as u8);
    for (value, expected) in [0, 128, 129, 257, 32_768, 65_406, 65_535].map(deep) {
        let grey = ImageBuffer::from_pixel(1, 1, Luma([value]));
        check(&png(grey), [1, 1, 1], &[expected]);
        let grey = ImageBuffer::from_pixel(1, 1, LumaA([value, u16::MAX]));
        check(&png(grey), [1, 1, 1], &[expected]);
        let colour = ImageBuffer::from_pixel(1, 1, Rgb([value, 0, 65_535]));
        check(&png(colour), [3, 1, 1], &[expected, 0, 255]);
        let colour = ImageBuffer::from_pixel(1, 1, Rgba([value, 0, 65_535, u16::MAX]));
        check(&png(colour), [3, 1, 1], &[expected, 0, 255]);
    }
}

#[test]
fn opaque_pictures_lose_their_fourth_channel() {
    let grey = ImageBuffer::from_pixel(1, 2, LumaA([7u8, 255]));
    check(&png(grey), [1, 2, 1], &[7, 7]);
    let colour = ImageBuffer::from_pixel(1, 2, Rgba([7u8, 8, 9, 255]));
    check(&png(colour), [3, 2, 1], &[7, 7, 8, 8, 9, 9]);
}

#[test]
fn jpegs_are_read_by_their_content() {
    let grey = encoded(GrayImage::from_pixel(5, 4, Luma([100])), ImageFormat::Jpeg);
    check(&grey, [1, 4, 5], &[100; 20]);
    let colours = [[250, 20, 30], [39, 50, 220]];
    let progressive = include_bytes!("../../../tests/samples/progressive.jpg");
    check_jpeg(progressive, [3, 8, 16], colours);
    // Pillow reads these colours.
    let cmyk = include_bytes!("../../../tests/samples/cmyk.jpg");
    check_jpeg(cmyk, [3, 8, 16], [[0, 255, 255], [191, 95, 0]]);
}

#[test]
fn pictures_are_turned_upright() {
    // The left colour of the stored pixels is at the top.
    let rotated = include_bytes!("../../../tests/samples/rotated.jpg");
    check_jpeg(rotated, [3, 16, 8], [[250, 20, 30], [39, 50, 220]]);
    let image = image(rotated);
    assert!(
        image.pixels(0)[7].abs_diff(250) <= 2,
        "{}",
        image.pixels(0)[7]
    );
}
