//! Tests of pictures that cannot be used.

use image::{GrayAlphaImage, ImageFormat, LumaA, Rgba, RgbaImage};
use kindling_formats::ImageData;

use super::{Folder, encoded, grey, png};

#[test]
fn all_unusable_pictures_are_named_at_once() {
    let folder = Folder::of(&[
        ("train/a/1.png", 1),
        ("test/a/1.png", 2),
        ("val/a/1.png", 3),
    ]);
    folder.write("train/a/2.png", "");
    folder.write("train/a/3.JPEG", "GIF89a not a picture");
    folder.write("val/a/4.jpg", "no picture");
    let whole = grey(1, 60, 50);
    folder.write("test/a/5.png", &whole[..whole.len() - 30]);
    folder.write("test/a/6.png", "x");
    let error = folder.error(&folder.data());
    let (start, end) = error.split_once("5.png (").expect("names it");
    assert_eq!(
        start,
        "DIR: 5 pictures cannot be used: train/a/2.png (it is empty), train/a/3.JPEG (its format \
         is Gif, and not PNG or JPEG), val/a/4.jpg (it is not a picture), test/a/"
    );
    let end = end.split_once("), ").expect("names others").1;
    assert_eq!(
        end,
        "test/a/6.png (it is not a picture); replace or remove them"
    );
}

#[test]
fn damage_behind_the_header_is_found() {
    let folder = Folder::of(&[("train/a/1.png", 1), ("test/a/1.png", 2)]);
    let whole = grey(1, 1, 1);
    let mut changed = whole.clone();
    let data = whole
        .windows(4)
        .position(|name| name == b"IDAT")
        .expect("pixels");
    changed[data + 6] ^= 1;
    folder.write("train/a/2.png", &changed);
    let jpeg = encoded(image::GrayImage::new(1, 1), ImageFormat::Jpeg);
    folder.write("test/a/3.jpg", &jpeg[..jpeg.len() - 2]);
    folder.write("test/a/4.jpg", &jpeg);
    let error = folder.error(&folder.data());
    assert!(
        error.starts_with("DIR: 2 pictures cannot be used: train/a/2.png ("),
        "{error}"
    );
    let end = ", test/a/3.jpg (its end is missing); replace or remove them";
    assert!(error.ends_with(end), "{error}");
    // Without a share, the pictures are those of one folder.
    let folder = Folder::of(&[("a/1.png", 1), ("a/2.png", 2)]);
    folder.write("a/3.png", &changed);
    let error = folder.error(&folder.shared(0.5));
    assert!(
        error.starts_with("DIR: 1 picture cannot be used: a/3.png ("),
        "{error}"
    );
}

#[test]
fn ten_pictures_are_named_and_the_others_counted() {
    let folder = Folder::of(&[("test/a/1.png", 1)]);
    for at in 10..25 {
        folder.write(&format!("train/a/{at}.png"), "");
    }
    let error = folder.error(&folder.data());
    let start = "DIR: 15 pictures cannot be used: train/a/10.png (it is empty), train/a/11.png";
    assert!(error.starts_with(start), "{error}");
    let end = "train/a/19.png (it is empty) and 5 more; replace or remove them";
    assert!(error.ends_with(end), "{error}");
}

#[test]
fn transparent_pixels_are_refused() {
    let grey_alpha = |alpha| GrayAlphaImage::from_pixel(2, 1, LumaA([9u8, alpha]));
    let rgba = |alpha| RgbaImage::from_pixel(2, 1, Rgba([1, 2, 3, alpha]));
    let deep = |alpha| image::ImageBuffer::from_pixel(2, 1, Rgba([1u16, 2, 3, alpha]));
    let deep_grey = |alpha| image::ImageBuffer::from_pixel(2, 1, LumaA([1u16, alpha]));
    for (opaque, transparent) in [
        (png(grey_alpha(255)), png(grey_alpha(254))),
        (png(rgba(255)), png(rgba(254))),
        (png(deep(65535)), png(deep(65534))),
        (png(deep_grey(65535)), png(deep_grey(0))),
    ] {
        let folder = Folder::twice(&opaque);
        folder.read(&folder.data());
        folder.write("train/a/1.png", transparent);
        let error = "DIR: 1 picture cannot be used: train/a/1.png (it has transparent pixels; put \
                     it on a background); replace or remove them";
        assert_eq!(folder.error(&folder.data()), error);
    }
}

#[test]
fn large_pictures_are_refused_by_their_header() {
    // Only the header says 10,001 rows: bytes 16 to 24 of a PNG hold width and height, and
    // bytes 29 to 33 the CRC-32 of the header.
    let mut large = grey(1, 1, 1);
    large[20..24].copy_from_slice(&10_001_u32.to_be_bytes());
    let mut sum = flate2::Crc::new();
    sum.update(&large[12..29]);
    large[29..33].copy_from_slice(&sum.sum().to_be_bytes());
    let folder = Folder::twice(&large);
    let error = folder.error(&folder.data());
    let limit = "train/a/1.png (it has 10001x1 pixels, and the limit is 10000x10000)";
    assert!(error.contains(limit), "{error}");
}

#[test]
fn too_many_pixels_are_refused() {
    let folder = Folder::of(&[("train/a/1.png", 1), ("test/a/1.png", 2)]);
    for at in 2..2002 {
        folder.write(&format!("train/a/{at}.png"), grey(1, 1, 1));
    }
    let data = ImageData {
        size: Some([1024, 1024]),
        channels: Some(3),
        ..folder.data()
    };
    let error = "DIR/train: 2001 pictures of 1024x1024x3 pixels take too much memory; make them \
                 smaller with `data.size`, or remove some";
    assert_eq!(folder.error(&data), error);
}
