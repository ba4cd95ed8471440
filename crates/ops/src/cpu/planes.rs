//! A layout of an image in memory in which neighbouring pixels of a row, which become neighbouring
//! outputs, are neighbours.

use super::geometry::{Geometry, LANES};

/// How an image lies in memory: each channel as one plane, or before a pool as four. These hold
/// the pixels whose row and column are even, those whose column alone is odd, those whose row
/// alone is odd, and the others. So the pixels of the same place in neighbouring windows of the
/// pool are neighbours.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Planes {
    geometry: Geometry,
    /// Rows and columns are divided among so many planes.
    parts: usize,
    height: usize,
    width: usize,
}

impl Planes {
    pub fn new(geometry: Geometry) -> Self {
        let parts = if geometry.conv.pool { 2 } else { 1 };
        let [height, width] = geometry.input().map(|side| side.div_ceil(parts));
        Self {
            geometry,
            parts,
            height,
            width,
        }
    }

    /// The width of a plane.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The index of a pixel, given by its place in the image after `double` and padding.
    pub fn start(&self, channel: usize, [row, column]: [usize; 2]) -> usize {
        let Self {
            parts,
            height,
            width,
            ..
        } = *self;
        let plane = (channel * parts + row % parts) * parts + column % parts;
        (plane * height + row / parts) * width + column / parts
    }

    /// A buffer of zeros for one image. At the end it has room for one more vector, so that a
    /// vector can begin at every pixel.
    pub fn buffer(&self) -> Vec<f32> {
        vec![0.0; self.size()]
    }

    fn size(&self) -> usize {
        self.geometry.channels * self.parts * self.parts * self.height * self.width + LANES
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
            height,
            width,
            conv,
            ..
        } = self.geometry;
        let repeats = self.geometry.repeats();
        for (channel, plane) in image.chunks_exact(height * width).enumerate() {
            for row in 0..height * repeats {
                let pixels = &plane[row / repeats * width..][..width];
                for part in 0..self.parts {
                    let corner = [row + conv.padding, part + conv.padding];
                    let cells = &mut buffer[self.start(channel, corner)..];
                    let columns = (part..width * repeats).step_by(self.parts);
                    for (cell, column) in cells.iter_mut().zip(columns) {
                        *cell = pixels[column / repeats];
                    }
                }
            }
        }
    }
}
