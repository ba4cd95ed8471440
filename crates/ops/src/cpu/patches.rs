//! An image laid out so that what lies under a kernel is a few long runs.

use super::geometry::{Geometry, LANES, padded};

/// How the numbers under a kernel lie in memory: `segments` runs of `length`
/// numbers each.
///
/// With the channels last, a row of a patch is one run of `kernel * channels`
/// numbers, so that a patch needs no copy. Where such a row is shorter than a
/// vector, patches are copied out, one run each.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout {
    geometry: Geometry,
    copied: bool,
    pub segments: usize,
    pub length: usize,
    /// From a segment to the next.
    pub stride: usize,
}

impl Layout {
    /// Patches are rows of the image itself.
    pub fn in_place(geometry: Geometry) -> Self {
        let [_, columns] = geometry.input();
        Self {
            geometry,
            copied: false,
            segments: geometry.kernel,
            length: geometry.kernel * geometry.channels,
            stride: columns * geometry.channels,
        }
    }

    /// The better of both.
    pub fn of(geometry: Geometry) -> Self {
        let in_place = Self::in_place(geometry);
        if in_place.length >= LANES {
            return in_place;
        }
        Self {
            copied: true,
            segments: 1,
            length: geometry.taps(),
            stride: 0,
            ..in_place
        }
    }

    /// Where the patch begins whose upper left corner is at `row`, `column`.
    pub fn start(&self, [row, column]: [usize; 2]) -> usize {
        if self.copied {
            let [_, columns] = self.geometry.convolved();
            (row * columns + column) * padded(self.length)
        } else {
            let [_, columns] = self.geometry.input();
            (row * columns + column) * self.geometry.channels
        }
    }

    /// A buffer for one image. Its end leaves room for whole vectors from any
    /// start.
    pub fn buffer(&self) -> Vec<f32> {
        vec![0.0; self.size()]
    }

    /// Numbers in a buffer.
    pub fn size(&self) -> usize {
        let size = if self.copied {
            let [rows, columns] = self.geometry.convolved();
            rows * columns * padded(self.length)
        } else {
            let [rows, columns] = self.geometry.input();
            rows * columns * self.geometry.channels
        };
        size + LANES
    }

    /// Lays `image` `[channels, height, width]` out in a `buffer`, whose border
    /// is zero and stays so.
    ///
    /// # Panics
    ///
    /// If one of them is of another size.
    pub fn fill(&self, image: &[f32], buffer: &mut [f32]) {
        assert_eq!(image.len(), self.geometry.input_size());
        assert_eq!(buffer.len(), self.size());
        let Geometry {
            channels,
            height,
            width,
            kernel,
            conv,
            ..
        } = self.geometry;
        let repeats = self.geometry.repeats();
        let planes = image.chunks_exact(height * width);
        if !self.copied {
            for (channel, plane) in planes.enumerate() {
                for row in 0..height * repeats {
                    let pixels = &plane[row / repeats * width..][..width];
                    for again in 0..repeats {
                        let corner = [row + conv.padding, conv.padding + again];
                        let start = self.start(corner) + channel;
                        let cells = buffer[start..].iter_mut().step_by(channels * repeats);
                        for (cell, &pixel) in cells.zip(pixels) {
                            *cell = pixel;
                        }
                    }
                }
            }
            return;
        }
        let [rows, columns] = self.geometry.convolved();
        let step = padded(self.length);
        // Output pixels whose tap lies inside the image.
        let inside = |shift: usize, side: usize, outputs: usize| {
            let to = (side * repeats + conv.padding).saturating_sub(shift);
            conv.padding.saturating_sub(shift)..to.min(outputs)
        };
        for (channel, plane) in planes.enumerate() {
            for tap in 0..kernel * kernel {
                let [down, right] = [tap / kernel, tap % kernel];
                let across = inside(right, width, columns);
                if across.is_empty() {
                    continue; // it lies in the border everywhere
                }
                for row in inside(down, height, rows) {
                    let pixels = &plane[(row + down - conv.padding) / repeats * width..][..width];
                    let start = self.start([row, across.start]) + tap * channels + channel;
                    let cells = buffer[start..].iter_mut().step_by(step);
                    for (cell, column) in cells.zip(across.clone()) {
                        *cell = pixels[(column + right - conv.padding) / repeats];
                    }
                }
            }
        }
    }

    /// The reverse of [`fill`](Self::fill) for gradients in a layout in place:
    /// adds up in each pixel of `image` what it became in the `buffer`.
    ///
    /// # Panics
    ///
    /// As [`fill`](Self::fill), and if the layout has copies.
    pub fn take(&self, buffer: &[f32], image: &mut [f32]) {
        assert!(!self.copied);
        assert_eq!(image.len(), self.geometry.input_size());
        assert_eq!(buffer.len(), self.size());
        let Geometry {
            channels,
            height,
            width,
            conv,
            ..
        } = self.geometry;
        let repeats = self.geometry.repeats();
        for (channel, plane) in image.chunks_exact_mut(height * width).enumerate() {
            for row in 0..height * repeats {
                let pixels = &mut plane[row / repeats * width..][..width];
                for again in 0..repeats {
                    let corner = [row + conv.padding, conv.padding + again];
                    let start = self.start(corner) + channel;
                    let cells = buffer[start..].iter().step_by(channels * repeats);
                    for (pixel, &cell) in pixels.iter_mut().zip(cells) {
                        *pixel += cell;
                    }
                }
            }
        }
    }

    /// The place in `[filters, channels, kernel, kernel]` of number `tap` of a
    /// patch, segments one behind the other.
    pub fn tap(&self, filter: usize, tap: usize) -> usize {
        let Geometry {
            channels, kernel, ..
        } = self.geometry;
        let square = kernel * kernel;
        filter * channels * square + tap % channels * square + tap / channels
    }
}
