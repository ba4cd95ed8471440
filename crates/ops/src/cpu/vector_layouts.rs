//! How images lie in vectors for a convolution and its gradients.

use super::geometry::Geometry;
use super::image_vectors::Places;
use super::phases::{Axis, Phase, border};

/// How the input of a convolution lies in vectors: `[row][column][channel]`, with a border.
#[derive(Debug, Clone, Copy)]
pub(super) struct InputLayout {
    geometry: Geometry,
    border: usize,
    columns: usize,
}

impl InputLayout {
    pub fn new(geometry: Geometry) -> Self {
        let border = border(geometry);
        Self {
            geometry,
            border,
            columns: geometry.width + 2 * border,
        }
    }

    /// The vector of a pixel, given by its place in the image with the border.
    pub fn start(&self, [row, column]: [usize; 2]) -> usize {
        (row * self.columns + column) * self.geometry.channels
    }

    /// For each row of taps of a phase, its distance from the pixel with the number of the output.
    /// The taps of a row are neighbours, each with all channels.
    pub fn runs(&self, phase: &Phase) -> Vec<usize> {
        let rows = phase.rows.start..phase.rows.start + phase.rows.taps();
        rows.map(|row| self.start([row, phase.columns.start]))
            .collect()
    }

    /// The number of vectors in a row of taps.
    pub fn run_length(&self, phase: &Phase) -> usize {
        phase.columns.taps() * self.geometry.channels
    }

    /// The places of the image's values.
    pub fn places(&self) -> Places {
        let Geometry {
            channels,
            height,
            width,
            ..
        } = self.geometry;
        let place = |value: usize| {
            let [channel, row, column] = [
                value / (height * width),
                value / width % height,
                value % width,
            ];
            (self.start([row + self.border, column + self.border]) + channel) as u32
        };
        Places {
            of_values: (0..channels * height * width).map(place).collect(),
            vectors: self.start([height + 2 * self.border, 0]),
        }
    }
}

/// How the gradient of a convolution's output lies in vectors: `[row][column][phase][filter]`, with a
/// border. A row holds the outputs of all phases that have the same number.
#[derive(Debug, Clone, Copy)]
pub(super) struct GradientLayout {
    geometry: Geometry,
    /// The number of values at each row and column.
    depth: usize,
    /// The rows and columns of zeros before the first output.
    before: [usize; 2],
    rows: usize,
    columns: usize,
}

impl GradientLayout {
    pub fn new(geometry: Geometry, phases: &[Phase]) -> Self {
        let border = border(geometry);
        let direction = |axes: Vec<&Axis>, side: usize| {
            let furthest = axes.iter().map(|axis| axis.start + axis.taps() - 1).max();
            let nearest = axes.iter().map(|axis| axis.start).min().unwrap_or(0);
            let outputs = axes.iter().map(|axis| axis.outputs).max().unwrap_or(0);
            let before = furthest.unwrap_or(0).saturating_sub(border);
            (before, before + outputs.max(side + border - nearest))
        };
        let rows = phases.iter().map(|phase| &phase.rows).collect();
        let columns = phases.iter().map(|phase| &phase.columns).collect();
        let (above, rows) = direction(rows, geometry.height);
        let (left, columns) = direction(columns, geometry.width);
        Self {
            geometry,
            depth: phases.len() * geometry.filters,
            before: [above, left],
            rows,
            columns,
        }
    }

    /// The vector of an output of a phase, given by its number in the phase. The values of its other
    /// filters follow.
    pub fn start(&self, phase: usize, [row, column]: [usize; 2]) -> usize {
        let [above, left] = self.before;
        let pixel = (row + above) * self.columns + column + left;
        pixel * self.depth + phase * self.geometry.filters
    }

    /// The vector of a pixel of the input, from which [`GradientLayout::run`] counts.
    pub fn pixel(&self, [row, column]: [usize; 2]) -> usize {
        (row * self.columns + column) * self.depth
    }

    /// The distance from a pixel of the input to the output that this pixel reaches as `tap` of
    /// a phase. All filters of the output are there.
    pub fn run(&self, number: usize, phase: &Phase, tap: usize) -> usize {
        let border = border(self.geometry);
        let [row, column] = [tap / phase.columns.taps(), tap % phase.columns.taps()];
        let [above, left] = self.before;
        let row = above + border - phase.rows.start - row;
        let column = left + border - phase.columns.start - column;
        self.pixel([row, column]) + number * self.geometry.filters
    }

    /// The places of the values of an output image.
    pub fn places(&self) -> Places {
        let [rows, columns] = self.geometry.convolved();
        let repeats = self.geometry.repeats();
        let place = |value: usize| {
            let [filter, row, column] = [
                value / (rows * columns),
                value / columns % rows,
                value % columns,
            ];
            let phase = row % repeats * repeats + column % repeats;
            (self.start(phase, [row / repeats, column / repeats]) + filter) as u32
        };
        Places {
            of_values: (0..self.geometry.filters * rows * columns)
                .map(place)
                .collect(),
            vectors: self.rows * self.columns * self.depth,
        }
    }
}
