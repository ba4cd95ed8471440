//! Images of digits that look as if people had drawn them on a computer.

use image::{GrayImage, Luma};

/// The corners of a line that is drawn without lifting the pen, as (x, y).
type Line = &'static [(f64, f64)];

/// The lines of the digits 0 to 9.
const DIGITS: [&[Line]; 10] = [
    &[&[
        (5., 2.),
        (3., 3.),
        (2., 6.),
        (2., 10.),
        (4., 13.),
        (6., 13.),
        (8., 10.),
        (8., 6.),
        (7., 3.),
        (5., 2.),
    ]],
    &[&[(5., 2.), (5., 13.)]],
    &[&[
        (2., 4.),
        (4., 2.),
        (7., 2.),
        (8., 5.),
        (6., 8.),
        (2., 13.),
        (9., 13.),
    ]],
    &[&[
        (2., 3.),
        (5., 2.),
        (8., 4.),
        (7., 7.),
        (4., 7.),
        (7., 7.),
        (9., 10.),
        (7., 13.),
        (4., 13.),
        (2., 12.),
    ]],
    &[&[(3., 2.), (2., 8.), (8., 8.)], &[(7., 2.), (7., 14.)]],
    &[&[
        (8., 2.),
        (3., 2.),
        (3., 7.),
        (6., 6.),
        (8., 9.),
        (7., 12.),
        (5., 13.),
        (2., 12.),
    ]],
    &[&[
        (7., 2.),
        (4., 5.),
        (2., 9.),
        (3., 12.),
        (5., 13.),
        (8., 11.),
        (7., 9.),
        (4., 8.),
        (2., 10.),
    ]],
    &[&[(2., 2.), (9., 2.), (6., 7.), (4., 14.)]],
    &[&[
        (5., 7.),
        (3., 5.),
        (4., 2.),
        (7., 2.),
        (8., 5.),
        (5., 7.),
        (2., 10.),
        (3., 13.),
        (7., 13.),
        (8., 10.),
        (5., 7.),
    ]],
    &[&[
        (8., 4.),
        (6., 2.),
        (3., 3.),
        (2., 6.),
        (4., 8.),
        (7., 7.),
        (8., 4.),
        (7., 9.),
        (6., 14.),
    ]],
];

/// An image of 28x28 pixels with the digit `digit`, light on dark. It is `size` times as large
/// as in [`DIGITS`], starts at (`left`, `top`), and is drawn with a square pen whose side has
/// `pen` pixels.
pub fn drawn_digit(digit: usize, left: f64, top: f64, size: f64, pen: u32) -> GrayImage {
    let mut image = GrayImage::new(28, 28);
    for pair in DIGITS[digit].iter().flat_map(|line| line.windows(2)) {
        let [(from_x, from_y), (to_x, to_y)] = [pair[0], pair[1]];
        for step in 0..=60 {
            let fraction = f64::from(step) / 60.0;
            let x = left + size * (from_x + (to_x - from_x) * fraction);
            let y = top + size * (from_y + (to_y - from_y) * fraction);
            for (right, down) in (0..pen * pen).map(|at| (at % pen, at / pen)) {
                let (x, y) = (x as u32 + right, y as u32 + down);
                if let Some(pixel) = image.get_pixel_mut_checked(x, y) {
                    *pixel = Luma([255]);
                }
            }
        }
    }
    image
}

/// An image of 28x28 pixels with a small 5.
pub fn drawn_five() -> GrayImage {
    drawn_digit(5, 1.0, 10.0, 1.0, 1)
}
