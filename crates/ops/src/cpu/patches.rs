//! A layout of an image in memory in which each patch consists of a few long runs of values.

use pulp::Simd;

use super::geometry::{Geometry, LANES, lanes};
use super::image_vectors::{gather, lanes_are_in_order, scatter};

/// How a patch (the values under a kernel) lies in memory: as `segments` runs of `length`
/// values each.
///
/// If the channels come last, a row of a patch is one run of `kernel * channels` values, so
/// the patches need no copies. If such a row is shorter than a vector register, each patch is
/// copied into one run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout {
    geometry: Geometry,
    copied: bool,
    pub segments: usize,
    pub length: usize,
    /// The length rounded up to whole vectors, so that no loop has a remainder.
    pub row: usize,
    /// The distance from the start of a segment to the start of the next.
    pub stride: usize,
}

impl Layout {
    /// The layout in which patches are parts of the image itself.
    pub fn in_place(geometry: Geometry) -> Self {
        let [_, columns] = geometry.input();
        let length = geometry.kernel * geometry.channels;
        Self {
            geometry,
            copied: false,
            segments: geometry.kernel,
            length,
            row: length.next_multiple_of(lanes()),
            stride: columns * geometry.channels,
        }
    }

    /// The faster layout for `geometry`.
    pub fn of(geometry: Geometry) -> Self {
        let in_place = Self::in_place(geometry);
        if in_place.length >= LANES {
            return in_place;
        }
        Self {
            copied: true,
            segments: 1,
            length: geometry.taps(),
            row: geometry.taps().next_multiple_of(lanes()),
            stride: 0,
            ..in_place
        }
    }

    /// The index at which the patch with the upper left corner `[row, column]` starts.
    pub fn start(&self, [row, column]: [usize; 2]) -> usize {
        if self.copied {
            let [_, columns] = self.geometry.convolved();
            (row * columns + column) * self.row
        } else {
            let [_, columns] = self.geometry.input();
            (row * columns + column) * self.geometry.channels
        }
    }

    /// A buffer of zeros for one image. At the end it has room for one more vector, so that
    /// every patch can be read as vectors.
    pub fn buffer(&self) -> Vec<f32> {
        vec![0.0; self.size()]
    }

    /// The number of values in a buffer.
    pub fn size(&self) -> usize {
        let size = if self.copied {
            let [rows, columns] = self.geometry.convolved();
            rows * columns * self.row
        } else {
            let [rows, columns] = self.geometry.input();
            rows * columns * self.geometry.channels
        };
        size + LANES
    }

    /// Copies `image` `[channels, height, width]` into a `buffer` in this layout. The border
    /// of the buffer must be zero, and is not written. `pixels` are those of [`Layout::pixels`].
    ///
    /// # Panics
    ///
    /// If the image or the buffer has another size.
    #[inline(always)]
    pub fn fill<S: Simd>(
        &self,
        simd: S,
        image: &[f32],
        buffer: &mut [f32],
        pixels: Option<&[u32]>,
    ) {
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
        let planes = image.chunks_exact(height * width);
        if let Some(places) = pixels {
            let (vectors, _) = S::as_mut_simd_f32s(buffer);
            let channels = image.chunks_exact(S::F32_LANES * height * width);
            for (from, channels) in channels.enumerate() {
                gather(simd, channels, places, &mut vectors[from..]);
            }
            return;
        }
        if !self.copied {
            for (channel, plane) in planes.enumerate() {
                for (row, pixels) in plane.chunks_exact(width).enumerate() {
                    let start = self.start([row + conv.padding, conv.padding]) + channel;
                    let cells = buffer[start..].iter_mut().step_by(channels);
                    for (cell, &pixel) in cells.zip(pixels) {
                        *cell = pixel;
                    }
                }
            }
            return;
        }
        let [rows, columns] = self.geometry.convolved();
        let step = self.row;
        // The range of output pixels for which a tap of the kernel lies inside the image.
        let inside = |shift: usize, side: usize, outputs: usize| {
            let to = (side + conv.padding).saturating_sub(shift);
            conv.padding.saturating_sub(shift)..to.min(outputs)
        };
        for (channel, plane) in planes.enumerate() {
            for tap in 0..kernel * kernel {
                let [down, right] = [tap / kernel, tap % kernel];
                let across = inside(right, width, columns);
                if across.is_empty() {
                    continue; // This tap lies in the border for all output pixels.
                }
                for row in inside(down, height, rows) {
                    let pixels = &plane[(row + down - conv.padding) * width..][..width];
                    let start = self.start([row, across.start]) + tap * channels + channel;
                    let cells = buffer[start..].iter_mut().step_by(step);
                    for (cell, column) in cells.zip(across.clone()) {
                        *cell = pixels[column + right - conv.padding];
                    }
                }
            }
        }
    }

    /// The reverse of [`fill`](Self::fill): copies a `buffer` without its border to `image`.
    /// `pixels` are those of [`Layout::pixels`].
    ///
    /// # Panics
    ///
    /// If the image or the buffer has another size, or if the layout copies patches.
    #[inline(always)]
    pub fn copy_to_image<S: Simd>(
        &self,
        simd: S,
        buffer: &[f32],
        image: &mut [f32],
        pixels: Option<&[u32]>,
    ) {
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
        if let Some(places) = pixels {
            let (vectors, _) = S::as_simd_f32s(buffer);
            let mut moved = vec![simd.splat_f32s(0.0); places.len()];
            let channels = image.chunks_exact_mut(S::F32_LANES * height * width);
            for (from, channels) in channels.enumerate() {
                for (moved, &place) in moved.iter_mut().zip(places) {
                    *moved = vectors[place as usize + from];
                }
                scatter(simd, &moved, channels);
            }
            return;
        }
        for (channel, plane) in image.chunks_exact_mut(height * width).enumerate() {
            for (row, pixels) in plane.chunks_exact_mut(width).enumerate() {
                let start = self.start([row + conv.padding, conv.padding]) + channel;
                let cells = buffer[start..].iter().step_by(channels);
                for (pixel, &cell) in pixels.iter_mut().zip(cells) {
                    *pixel = cell;
                }
            }
        }
    }

    /// The index of the vector with the first channels of each pixel, if the channels of a pixel are
    /// whole vectors. Neighbouring channels can then be moved together.
    #[inline(always)]
    pub fn pixels<S: Simd>(&self, simd: S) -> Option<Vec<u32>> {
        let Geometry {
            channels,
            height,
            width,
            conv,
            ..
        } = self.geometry;
        if self.copied || !channels.is_multiple_of(S::F32_LANES) || !lanes_are_in_order(simd) {
            return None;
        }
        let place = |pixel: usize| {
            let corner = [pixel / width + conv.padding, pixel % width + conv.padding];
            (self.start(corner) / S::F32_LANES) as u32
        };
        Some((0..height * width).map(place).collect())
    }

    /// The index in a weight `[filters, channels, kernel, kernel]` of the factor for value
    /// `tap` of a patch. `tap` counts the values of all segments.
    pub fn tap(&self, filter: usize, tap: usize) -> usize {
        let Geometry {
            channels, kernel, ..
        } = self.geometry;
        let square = kernel * kernel;
        filter * channels * square + tap % channels * square + tap / channels
    }
}
