//! Cuts the digit out of a picture, and makes it look like the digits of MNIST.

use image::DynamicImage;
use kindling_datasets::MNIST_SHAPE;

use super::brightness::brightness;
use super::ink::{BOX, Ink};
use super::pixel_grid::PixelGrid;

/// The largest side of the picture that is analysed, in pixels. Larger pictures are shrunk.
const MAX_SIDE: usize = 1024;
/// Rows and columns of MNIST's images.
const ROWS: usize = MNIST_SHAPE.height;
/// Where the centre of mass of MNIST's digits is in the image, to within half a pixel.
const CENTRE: f64 = ROWS as f64 / 2.0 + 0.5;
/// The largest number of sheets of paper that are searched for, each lying on another one.
const MAX_SHEETS: usize = 3;

/// Prepares a picture of a digit like the images of MNIST. Returns 784 bytes, 0 for
/// paper and 255 for ink.
///
/// # Errors
///
/// If there is no digit in the picture. The message says why, and what to do.
pub fn prepare_digit(image: &DynamicImage) -> Result<Vec<u8>, String> {
    prepare(brightness(image))
}

/// [`prepare_digit`] for a grid of brightness, 0 for black and 1 for white.
fn prepare(picture: PixelGrid) -> Result<Vec<u8>, String> {
    let mut picture = picture.without_repeated_pixels().shrunk_to(MAX_SIDE);
    let mut ink = Ink::of(&picture)?;
    for _ in 0..MAX_SHEETS {
        let Some(sheet) = ink.sheet() else { break };
        picture = picture.cropped(sheet);
        ink = Ink::of(&picture)?;
    }
    let digit = ink.digit()?;
    Ok(centred(
        &digit.scaled(BOX as f64 / digit.width.max(digit.height) as f64),
    ))
}

/// Places the digit in an image of 28x28 pixels, with its centre of mass in the middle, or
/// as near to the middle as it fits. Returns 784 bytes.
fn centred(digit: &PixelGrid) -> Vec<u8> {
    let (mut mass, mut centre) = (0.0, [0.0, 0.0]);
    let mut most = 0.0f32;
    for y in 0..digit.height {
        for x in 0..digit.width {
            let ink = f64::from(digit.at(x, y));
            mass += ink;
            centre[0] += ink * (x as f64 + 0.5);
            centre[1] += ink * (y as f64 + 0.5);
            most = most.max(digit.at(x, y));
        }
    }
    let offset = |axis: usize, length: usize| {
        let start = CENTRE - centre[axis] / mass;
        start.round().clamp(0.0, ROWS.saturating_sub(length) as f64) as usize
    };
    let (left, top) = (offset(0, digit.width), offset(1, digit.height));
    let mut pixels = vec![0; MNIST_SHAPE.numbers()];
    for y in 0..digit.height {
        for x in 0..digit.width {
            // Rounding to a thousandth first absorbs the rounding errors of sums that were
            // added in another order, so that they give the same byte.
            let byte = (255_000.0 * digit.at(x, y) / most).round() / 1000.0;
            pixels[(top + y) * ROWS + left + x] = byte.round() as u8;
        }
    }
    pixels
}

#[cfg(test)]
mod tests {
    use super::super::rectangle::Rectangle;
    use super::*;

    /// A 5 in the middle of a picture, 0 for paper and 1 for ink. Its upper bar is not connected
    /// to the rest.
    fn drawn_five(width: usize, height: usize) -> PixelGrid {
        let (left, top) = (width / 2 - 30, height / 2 - 50);
        PixelGrid::from_fn(width, height, |x, y| {
            let (x, y) = (x.wrapping_sub(left), y.wrapping_sub(top));
            let bar = (20..60).contains(&x) && y < 8;
            let stem = (10..18).contains(&x) && (14..50).contains(&y);
            let bow = (10..60).contains(&x) && (42..50).contains(&y);
            let back = (52..60).contains(&x) && (42..100).contains(&y);
            let foot = (5..60).contains(&x) && (92..100).contains(&y);
            f32::from(bar || stem || bow || back || foot)
        })
    }

    fn map(plane: &PixelGrid, value: impl Fn(usize, usize, f32) -> f32) -> PixelGrid {
        PixelGrid::from_fn(plane.width, plane.height, |x, y| {
            value(x, y, plane.at(x, y))
        })
    }

    fn prepared(picture: &PixelGrid) -> Vec<u8> {
        prepare(picture.clone()).expect("a digit")
    }

    /// The mean absolute difference of the bytes.
    fn mean_difference(a: &[u8], b: &[u8]) -> f64 {
        let sum: f64 = a
            .iter()
            .zip(b)
            .map(|(a, b)| f64::from(a.abs_diff(*b)))
            .sum();
        sum / a.len() as f64
    }

    /// Pseudo-random values in [-1, 1].
    fn noise(x: usize, y: usize) -> f32 {
        let mixed = ((x * 7919 + y * 104_729) as u32).wrapping_mul(2_654_435_761);
        let mixed = (mixed ^ (mixed >> 15)).wrapping_mul(2_246_822_519);
        (mixed >> 8) as f32 / (1 << 23) as f32 - 1.0
    }

    #[test]
    fn a_bar_is_cut_out_scaled_and_centred() {
        let picture = PixelGrid::from_fn(300, 200, |x, y| {
            let is_ink = (20..40).contains(&x) && (30..130).contains(&y);
            if is_ink { 0.1 } else { 0.98 }
        });
        // The bar of 20x100 pixels becomes 4x20, and its centre is at the centre of the image.
        for (at, &pixel) in prepared(&picture).iter().enumerate() {
            let is_ink = (13..17).contains(&(at % 28)) && (5..25).contains(&(at / 28));
            assert_eq!(pixel, if is_ink { 255 } else { 0 }, "at {at}");
        }
    }

    #[test]
    fn the_result_does_not_depend_on_the_brightness_of_paper_and_ink() {
        let drawn = drawn_five(200, 160);
        let expected = prepared(&drawn);
        let fractions = |paper: f32, ink: f32, white: f32| (paper / white, ink / white);
        for (paper, ink) in [
            fractions(110.0, 30.0, 255.0),
            fractions(200.0, 255.0, 255.0),
            fractions(255.0, 0.0, 255.0),
            fractions(90.0, 98.0, 255.0),
            // 16-bit values that use only 12 bits.
            fractions(200.0, 3800.0, 65535.0),
            fractions(3800.0, 200.0, 65535.0),
        ] {
            let picture = map(&drawn, |_, _, drawn| paper + drawn * (ink - paper));
            let found = prepared(&picture);
            assert!(mean_difference(&found, &expected) < 0.1, "{ink} on {paper}");
        }
    }

    #[test]
    fn a_picture_cropped_to_the_digit_is_not_inverted() {
        let drawn = drawn_five(200, 160);
        let (left, top) = (200 / 2 - 30 + 5, 160 / 2 - 50);
        let bounds = Rectangle {
            left,
            top,
            right: left + 54,
            bottom: top + 99,
        };
        let tight = drawn.cropped(bounds);
        let dark = map(&tight, |_, _, ink| 1.0 - ink);
        assert_eq!(prepared(&tight), prepared(&drawn));
        assert_eq!(prepared(&dark), prepared(&drawn));
    }

    #[test]
    fn blank_pictures_are_refused_with_noise_and_at_any_size() {
        for side in [28, 280] {
            let blank = |value: &dyn Fn(usize, usize) -> f32| {
                let problem = prepare(PixelGrid::from_fn(side, side, value));
                let problem = problem.expect_err("must be refused");
                assert!(
                    problem.contains("nothing on it") || problem.contains("too small"),
                    "{problem}"
                );
            };
            for level in [0.0, 0.5, 1.0] {
                blank(&|_, _| level);
            }
            for strength in [0.004, 0.02, 0.1, 0.4] {
                blank(&|x, y| 0.5 + strength * noise(x, y));
            }
            blank(&|x, y| (x + y) as f32 / 600.0);
            blank(&|x, y| f32::from((x, y) == (9, 9)));
        }
    }

    #[test]
    fn frames_specks_lines_and_shadows_hardly_change_the_digit() {
        let drawn = map(&drawn_five(200, 160), |_, _, ink| 0.9 - 0.8 * ink);
        let expected = prepared(&drawn);
        type Change = dyn Fn(usize, usize, f32) -> f32;
        let changed: [(&str, &Change); 9] = [
            ("frame at the border", &|x, y, value| {
                if x < 3 || y < 3 || x >= 197 || y >= 157 {
                    0.1
                } else {
                    value
                }
            }),
            ("thick frame", &|x, y, value| {
                if x < 15 || y < 12 || x >= 185 || y >= 148 {
                    0.1
                } else {
                    value
                }
            }),
            ("frame within", &|x, y, value| {
                let edge = |at: usize, from, to| at == from || at == to;
                let inside = (8..=192).contains(&x) && (8..=152).contains(&y);
                if inside && (edge(x, 8, 192) || edge(y, 8, 152)) {
                    0.1
                } else {
                    value
                }
            }),
            ("line along the border", &|_, y, value| {
                if y < 4 { 0.1 } else { value }
            }),
            ("table beside the sheet", &|x, _, value| {
                if x < 12 { 0.1 } else { value }
            }),
            ("speck", &|x, y, value| {
                if (20..23).contains(&x) && (130..133).contains(&y) {
                    0.0
                } else {
                    value
                }
            }),
            ("speck near", &|x, y, value| {
                if (66..68).contains(&x) && (100..102).contains(&y) {
                    0.0
                } else {
                    value
                }
            }),
            ("light from one side", &|x, _, value| {
                value * (1.0 - x as f32 / 400.0)
            }),
            ("soft shadow", &|x, y, value| {
                let (x, y) = (x as f32 - 40.0, y as f32 - 100.0);
                value * (1.0 - 0.3 * (-(x * x + y * y) / 3000.0).exp())
            }),
        ];
        for (name, change) in changed {
            let found = prepared(&map(&drawn, change));
            let difference = mean_difference(&found, &expected);
            assert!(difference < 4.0, "{name}: {difference}");
        }
    }

    #[test]
    fn a_light_sheet_on_a_dark_table_is_taken_for_the_paper() {
        let drawn = drawn_five(200, 160);
        let picture = PixelGrid::from_fn(320, 260, |x, y| {
            let is_sheet = (60..260).contains(&x) && (50..210).contains(&y);
            if is_sheet {
                0.9 - 0.8 * drawn.at(x - 60, y - 50)
            } else {
                0.2
            }
        });
        assert_eq!(prepared(&picture), prepared(&drawn));
    }

    #[test]
    fn the_noise_of_a_photo_hardly_changes_the_digit() {
        let drawn = map(&drawn_five(400, 320), |x, y, ink| {
            0.8 - 0.5 * ink + 0.05 * noise(x, y)
        });
        let difference = mean_difference(&prepared(&drawn), &prepared(&drawn_five(400, 320)));
        assert!(difference < 6.0, "{difference}");
    }

    #[test]
    fn enlargement_by_a_whole_number_changes_nothing_and_scaling_little() {
        let drawn = drawn_five(200, 160);
        let expected = prepared(&drawn);
        for side in [2, 3, 7] {
            let large =
                PixelGrid::from_fn(200 * side, 160 * side, |x, y| drawn.at(x / side, y / side));
            assert_eq!(prepared(&large), expected, "{side}");
        }
        for scale in [0.7, 1.3, 2.45] {
            let difference = mean_difference(&prepared(&drawn.scaled(scale)), &expected);
            assert!(difference < 6.0, "{scale}: {difference}");
        }
    }
}
