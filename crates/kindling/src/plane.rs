//! The brightness of a picture, and arithmetic on it.

use image::{DynamicImage, GenericImageView};

/// Rows of a picture that are converted at once.
const STRIP: u32 = 64;

/// A value for each pixel of a picture, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct Plane {
    /// Pixels of a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// `[height, width]`
    pub values: Vec<f32>,
}

/// A rectangle of pixels, its edges included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rectangle {
    /// First column.
    pub left: usize,
    /// First row.
    pub top: usize,
    /// Last column.
    pub right: usize,
    /// Last row.
    pub bottom: usize,
}

impl Rectangle {
    /// The rectangle of one pixel.
    pub fn at(x: usize, y: usize) -> Self {
        Self {
            left: x,
            top: y,
            right: x,
            bottom: y,
        }
    }

    /// The smallest rectangle around both.
    pub fn with(self, other: Self) -> Self {
        Self {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }

    /// In pixels.
    pub fn width(self) -> usize {
        self.right - self.left + 1
    }

    /// In pixels.
    pub fn height(self) -> usize {
        self.bottom - self.top + 1
    }

    /// The longer of both, in pixels.
    pub fn longer(self) -> usize {
        self.width().max(self.height())
    }

    /// Pixels in it.
    pub fn area(self) -> usize {
        self.width() * self.height()
    }

    /// Whether `other` lies in it.
    pub fn contains(self, other: Self) -> bool {
        self.with(other) == self
    }

    /// Pixels between both in the direction in which they are further apart; 0 where
    /// they overlap.
    pub fn gap(self, other: Self) -> usize {
        let apart = |from: usize, to: usize| from.saturating_sub(to);
        let x = apart(self.left, other.right).max(apart(other.left, self.right));
        x.max(apart(self.top, other.bottom).max(apart(other.top, self.bottom)))
    }
}

impl Plane {
    /// The brightness of `image`, 0 black and 1 white. Where it is transparent, it gets
    /// a background that the rest stands out from: white under dark, black under light.
    pub fn of(image: &DynamicImage) -> Self {
        let (width, height) = image.dimensions();
        let below = if image.color().has_alpha() {
            background(image)
        } else {
            0.0
        };
        let mut values = Vec::with_capacity(width as usize * height as usize);
        each_strip(image, |[luma, alpha]| {
            values.push((luma * alpha + below * (1.0 - alpha)) as f32);
        });
        Self {
            width: width as usize,
            height: height as usize,
            values,
        }
    }

    /// What `value` says of each pixel.
    pub fn from_fn(width: usize, height: usize, value: impl Fn(usize, usize) -> f32) -> Self {
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        Self {
            width,
            height,
            values: pixels.map(|(x, y)| value(x, y)).collect(),
        }
    }

    /// The pixel in column `x` of row `y`.
    pub fn at(&self, x: usize, y: usize) -> f32 {
        self.values[y * self.width + x]
    }

    /// The part inside `of`.
    pub fn cropped(&self, of: Rectangle) -> Self {
        Self::from_fn(of.width(), of.height(), |x, y| {
            self.at(of.left + x, of.top + y)
        })
    }

    /// The pixels of the four sides. A corner belongs to two of them, so that a picture
    /// whose pixels are repeated has each as often more.
    pub fn border(&self) -> impl Iterator<Item = usize> {
        let (width, height) = (self.width, self.height);
        let across = (0..width).flat_map(move |x| [x, (height - 1) * width + x]);
        across.chain((0..height).flat_map(move |y| [y * width, y * width + width - 1]))
    }

    /// One pixel for each square of equal ones, where the picture is made of such
    /// squares: the same drawing, whatever whole number it was enlarged by.
    pub fn without_repeats(self) -> Self {
        let row = |y: usize| &self.values[y * self.width..(y + 1) * self.width];
        let mut side = gcd(self.width, self.height);
        for y in 1..self.height {
            if side > 1 && y % side > 0 && row(y) != row(y - 1) {
                side = gcd(side, y);
            }
        }
        for y in 0..self.height {
            for (x, pair) in row(y).windows(2).enumerate() {
                if side > 1 && pair[0] != pair[1] {
                    side = gcd(side, x + 1);
                }
            }
        }
        if side == 1 {
            return self;
        }
        Self::from_fn(self.width / side, self.height / side, |x, y| {
            self.at(x * side, y * side)
        })
    }

    /// With sides of at most `longest` pixels, each the mean of a square.
    pub fn at_most(self, longest: usize) -> Self {
        let side = self.width.max(self.height).div_ceil(longest);
        if side == 1 {
            return self;
        }
        let (width, height) = (self.width.div_ceil(side), self.height.div_ceil(side));
        Self::from_fn(width, height, |x, y| {
            let columns = x * side..(x * side + side).min(self.width);
            let rows = y * side..(y * side + side).min(self.height);
            let count = columns.len() * rows.len();
            let sum: f32 = rows
                .flat_map(|y| columns.clone().map(move |x| (x, y)))
                .map(|(x, y)| self.at(x, y))
                .sum();
            sum / count as f32
        })
    }

    /// Scaled by `scale`: each new pixel is the mean of the area that it covers, and
    /// beyond the edge is nothing.
    pub fn scaled(&self, scale: f64) -> Self {
        let size = |of: usize| ((of as f64 * scale - 1e-6).ceil() as usize).max(1);
        let (columns, rows) = (
            shares(self.width, size(self.width), scale),
            shares(self.height, size(self.height), scale),
        );
        Self::from_fn(columns.len(), rows.len(), |x, y| {
            let mut sum = 0.0;
            for &(from_y, height) in &rows[y] {
                for &(from_x, width) in &columns[x] {
                    sum += f64::from(self.at(from_x, from_y)) * width * height;
                }
            }
            sum as f32
        })
    }

    /// For each pixel the mean of those within `reach` of it that `counts`, or `none`
    /// where there are none.
    pub fn local_mean(&self, counts: &[bool], reach: usize, none: f32) -> Self {
        // Sums over all that is above and to the left of a pixel.
        let stride = self.width + 1;
        let mut sums = vec![(0.0f64, 0u32); stride * (self.height + 1)];
        for y in 0..self.height {
            let mut row = (0.0, 0);
            for x in 0..self.width {
                let at = y * self.width + x;
                if counts[at] {
                    row = (row.0 + f64::from(self.values[at]), row.1 + 1);
                }
                let above = sums[y * stride + x + 1];
                sums[(y + 1) * stride + x + 1] = (above.0 + row.0, above.1 + row.1);
            }
        }
        Self::from_fn(self.width, self.height, |x, y| {
            let (left, top) = (x.saturating_sub(reach), y.saturating_sub(reach));
            let right = (x + reach + 1).min(self.width);
            let bottom = (y + reach + 1).min(self.height);
            let corner = |x: usize, y: usize| sums[y * stride + x];
            let (a, b) = (corner(right, bottom), corner(left, top));
            let (c, d) = (corner(left, bottom), corner(right, top));
            match a.1 + b.1 - c.1 - d.1 {
                0 => none,
                count => ((a.0 + b.0 - c.0 - d.0) / f64::from(count)) as f32,
            }
        })
    }
}

/// For each of `to` pixels the pixels of `from` that it covers, with the part of the
/// new pixel that each takes.
fn shares(from: usize, to: usize, scale: f64) -> Vec<Vec<(usize, f64)>> {
    let share = |at: usize| {
        let (start, end) = (at as f64 / scale, (at + 1) as f64 / scale);
        let covered = start as usize..(end.ceil() as usize).min(from);
        let part = |old: usize| {
            let width = end.min((old + 1) as f64) - start.max(old as f64);
            (old, (width * scale).max(0.0))
        };
        covered.map(part).collect()
    };
    (0..to).map(share).collect()
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Black where what can be seen is light, white where it is dark.
fn background(image: &DynamicImage) -> f64 {
    let (mut sum, mut weight) = (0.0, 0.0);
    each_strip(image, |[luma, alpha]| {
        sum += luma * alpha;
        weight += alpha;
    });
    if sum > 0.5 * weight { 0.0 } else { 1.0 }
}

/// Brightness and opacity of each pixel, both in [0, 1], row by row. The picture is
/// converted in strips, so that there is no second copy of it.
fn each_strip(image: &DynamicImage, mut see: impl FnMut([f64; 2])) {
    let (width, height) = image.dimensions();
    for top in (0..height).step_by(STRIP as usize) {
        let strip = image.crop_imm(0, top, width, STRIP.min(height - top));
        for pixel in strip.to_luma_alpha16().pixels() {
            see(pixel.0.map(|value| f64::from(value) / 65535.0));
        }
    }
}
