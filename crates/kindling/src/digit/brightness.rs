//! The brightness of a picture's pixels.

use image::{DynamicImage, GenericImageView};

use super::pixel_grid::PixelGrid;

/// The number of rows that are converted at once.
const STRIP: u32 = 64;

/// The brightness of each pixel, 0 for black and 1 for white. Transparent pixels get a
/// background that the visible pixels stand out from: white if these are dark, and black if
/// they are light.
pub fn brightness(image: &DynamicImage) -> PixelGrid {
    let (width, height) = image.dimensions();
    let background = if image.color().has_alpha() {
        background(image)
    } else {
        0.0
    };
    let mut values = Vec::with_capacity(width as usize * height as usize);
    for_each_pixel(image, |[luma, alpha]| {
        values.push((luma * alpha + background * (1.0 - alpha)) as f32);
    });
    PixelGrid {
        width: width as usize,
        height: height as usize,
        values,
    }
}

/// Black (0) if the visible pixels are light, and white (1) if they are dark.
fn background(image: &DynamicImage) -> f64 {
    let (mut sum, mut weight) = (0.0, 0.0);
    for_each_pixel(image, |[luma, alpha]| {
        sum += luma * alpha;
        weight += alpha;
    });
    if sum > 0.5 * weight { 0.0 } else { 1.0 }
}

/// Calls `process` with brightness and opacity of each pixel, both in [0, 1], row by row.
/// The picture is converted in strips, so that memory never holds a second copy of it.
fn for_each_pixel(image: &DynamicImage, mut process: impl FnMut([f64; 2])) {
    let (width, height) = image.dimensions();
    for top in (0..height).step_by(STRIP as usize) {
        let strip = image.crop_imm(0, top, width, STRIP.min(height - top));
        for pixel in strip.to_luma_alpha16().pixels() {
            process(pixel.0.map(|value| f64::from(value) / 65535.0));
        }
    }
}
