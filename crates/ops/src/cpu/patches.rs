//! A layout of an image in memory in which each patch consists of a few long runs of values.

use super::geometry::{Geometry, LANES, padded};

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
    /// The distance from the start of a segment to the start of the next.
    pub stride: usize,
}

impl Layout {
    /// The layout in which patches are parts of the image itself.
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
            stride: 0,
            ..in_place
        }
    }

    /// Whether each patch is copied.
    pub fn is_copied(&self) -> bool {
        self.copied
    }

    /// The index at which the patch with the upper left corner `[row, column]` starts.
    pub fn start(&self, [row, column]: [usize; 2]) -> usize {
        if self.copied {
            let [_, columns] = self.geometry.convolved();
            (row * columns + column) * padded(self.length)
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
            rows * columns * padded(self.length)
        } else {
            let [rows, columns] = self.geometry.input();
            rows * columns * self.geometry.channels
        };
        size + LANES
    }

    /// Copies `image` `[channels, height, width]` into a `buffer` in this layout. The border
    /// of the buffer must be zero, and is not written.
    ///
    /// # Panics
    ///
    /// If the image or the buffer has another size.
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
        // The range of output pixels for which a tap of the kernel lies inside the image.
        let inside = |shift: usize, side: usize, outputs: usize| {
            let to = (side * repeats + conv.padding).saturating_sub(shift);
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

    /// The reverse of [`fill`](Self::fill) for gradients: adds to each pixel of `image` all
    /// values of the `buffer` that are copies of this pixel.
    ///
    /// # Panics
    ///
    /// If the image or the buffer has another size, or if the layout copies patches.
    pub fn add_to_image(&self, buffer: &[f32], image: &mut [f32]) {
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
