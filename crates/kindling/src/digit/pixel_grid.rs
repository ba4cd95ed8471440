//! A value for each pixel of a picture, and arithmetic on these values.

use super::rectangle::Rectangle;

/// A value for each pixel of a picture, such as its brightness.
#[derive(Debug, Clone, PartialEq)]
pub struct PixelGrid {
    /// The number of columns.
    pub width: usize,
    /// The number of rows.
    pub height: usize,
    /// The values, `[height, width]` in row-major order.
    pub values: Vec<f32>,
}

impl PixelGrid {
    /// A grid whose value in column `x` and row `y` is `value(x, y)`.
    pub fn from_fn(width: usize, height: usize, value: impl Fn(usize, usize) -> f32) -> Self {
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        Self {
            width,
            height,
            values: pixels.map(|(x, y)| value(x, y)).collect(),
        }
    }

    /// The value in column `x` and row `y`.
    pub fn at(&self, x: usize, y: usize) -> f32 {
        self.values[y * self.width + x]
    }

    /// The part of the grid inside `area`.
    pub fn cropped(&self, area: Rectangle) -> Self {
        Self::from_fn(area.width(), area.height(), |x, y| {
            self.at(area.left + x, area.top + y)
        })
    }

    /// The indices of the pixels on the four sides. A corner counts twice, because it
    /// belongs to two sides. So an enlarged picture has each border pixel of the original
    /// equally often.
    pub fn border(&self) -> impl Iterator<Item = usize> {
        let (width, height) = (self.width, self.height);
        let across = (0..width).flat_map(move |x| [x, (height - 1) * width + x]);
        across.chain((0..height).flat_map(move |y| [y * width, y * width + width - 1]))
    }

    /// Undoes an enlargement by a whole number. If the picture consists of equal squares of
    /// equal pixels, the result has one pixel for each square.
    pub fn without_repeated_pixels(self) -> Self {
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

    /// Shrinks the grid so that no side has more than `max_side` pixels. Each new pixel is the
    /// mean of a square.
    pub fn shrunk_to(self, max_side: usize) -> Self {
        let side = self.width.max(self.height).div_ceil(max_side);
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

    /// The grid scaled by the factor `scale`. Each new pixel is the mean of the area that it
    /// covers. Pixels beyond the edge count as 0.
    pub fn scaled(&self, scale: f64) -> Self {
        let size = |old: usize| ((old as f64 * scale - 1e-6).ceil() as usize).max(1);
        let (columns, rows) = (
            coverage(self.width, size(self.width), scale),
            coverage(self.height, size(self.height), scale),
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

    /// For each pixel, the mean over the pixels of `mask` in a square around it. The square
    /// extends `reach` pixels in each direction. Where it holds no pixel of `mask`, the value
    /// is `default`.
    pub fn local_mean(&self, mask: &[bool], reach: usize, default: f32) -> Self {
        // Sum and number of the masked pixels above and to the left of each pixel.
        let stride = self.width + 1;
        let mut sums = vec![(0.0f64, 0u32); stride * (self.height + 1)];
        for y in 0..self.height {
            let mut row = (0.0, 0);
            for x in 0..self.width {
                let at = y * self.width + x;
                if mask[at] {
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
                0 => default,
                count => ((a.0 + b.0 - c.0 - d.0) / f64::from(count)) as f32,
            }
        })
    }
}

/// How a row of `from` pixels is scaled to `to` pixels: for each new pixel, the old pixels
/// that it covers, with the part of the new pixel that each of them fills.
fn coverage(from: usize, to: usize, scale: f64) -> Vec<Vec<(usize, f64)>> {
    let cover = |at: usize| {
        let (start, end) = (at as f64 / scale, (at + 1) as f64 / scale);
        let covered = start as usize..(end.ceil() as usize).min(from);
        let part = |old: usize| {
            let width = end.min((old + 1) as f64) - start.max(old as f64);
            (old, (width * scale).max(0.0))
        };
        covered.map(part).collect()
    };
    (0..to).map(cover).collect()
}

/// The greatest common divisor.
fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}
