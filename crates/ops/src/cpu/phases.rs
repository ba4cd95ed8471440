//! The phases of a convolution whose input is doubled.
//!
//! After doubling, neighbouring rows are equal, and so are neighbouring columns. So an output in
//! an even row is a sum over fewer rows of the small image, with sums of the kernel's rows as
//! factors, and an output in an odd row is another such sum. With 3x3 kernels each of these four
//! phases (even or odd row, even or odd column) has a 2x2 kernel: four ninths of the work.
//!
//! A convolution without doubling has one phase.

use super::geometry::Geometry;

/// The rows of a phase, or its columns.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Axis {
    /// The first row of the output, and the distance to the next one.
    first: usize,
    step: usize,
    /// The number of rows of the output.
    pub outputs: usize,
    /// The row of the image with its border that tap 0 of the first output reads. That of the
    /// second output is one more.
    pub start: usize,
    /// For each row of the kernel, the tap that it belongs to.
    pub tap_of: Vec<usize>,
}

impl Axis {
    /// The number of taps.
    pub fn taps(&self) -> usize {
        self.tap_of.last().map_or(0, |last| last + 1)
    }

    /// The row in the whole output of an output of this phase.
    pub fn output(&self, number: usize) -> usize {
        self.first + number * self.step
    }
}

/// A phase: some of the outputs, which are computed in the same way.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Phase {
    pub rows: Axis,
    pub columns: Axis,
}

/// The number of rows and columns of zeros on each side of the image before doubling.
pub(super) fn border(geometry: Geometry) -> usize {
    geometry.conv.padding.div_ceil(geometry.repeats())
}

/// All phases.
pub(super) fn phases(geometry: Geometry) -> Vec<Phase> {
    let [rows, columns] = geometry.convolved().map(|outputs| axes(geometry, outputs));
    let pairs = rows.iter().flat_map(|rows| {
        columns.iter().map(|columns| Phase {
            rows: rows.clone(),
            columns: columns.clone(),
        })
    });
    pairs.collect()
}

/// The axes of all phases, in a direction with so many outputs.
fn axes(geometry: Geometry, outputs: usize) -> Vec<Axis> {
    let step = geometry.repeats();
    let border = border(geometry);
    let axis = |first: usize| {
        // The row before doubling that each row of the kernel reads for the first output, in the
        // image with its border.
        let read = |row: usize| (first + row + border * step - geometry.conv.padding) / step;
        Axis {
            first,
            step,
            outputs: outputs.saturating_sub(first).div_ceil(step),
            start: read(0),
            tap_of: (0..geometry.kernel)
                .map(|row| read(row) - read(0))
                .collect(),
        }
    };
    (0..step).map(axis).collect()
}

impl Phase {
    /// The weight `[filters, taps, channels]` of this phase, from the `weight` `[filters, channels,
    /// kernel, kernel]`. Its taps are in the order of rows, then columns.
    pub fn weight(&self, geometry: Geometry, weight: &[f32]) -> Vec<f32> {
        let mut sums = vec![0.0; geometry.filters * self.taps() * geometry.channels];
        self.for_each_pair(geometry, |of_phase, of_kernel| {
            sums[of_phase] += weight[of_kernel]
        });
        sums
    }

    /// Adds a gradient of [`Phase::weight`] to the gradient of the weight.
    pub fn add_gradient(&self, geometry: Geometry, of_phase: &[f32], of_weight: &mut [f32]) {
        self.for_each_pair(geometry, |phase, kernel| {
            of_weight[kernel] += of_phase[phase]
        });
    }

    /// The number of taps.
    pub fn taps(&self) -> usize {
        self.rows.taps() * self.columns.taps()
    }

    /// Calls `with` for each index in the weight, with the index in [`Phase::weight`] that it
    /// belongs to before it.
    fn for_each_pair(&self, geometry: Geometry, mut with: impl FnMut(usize, usize)) {
        let Geometry {
            filters, channels, ..
        } = geometry;
        let mut of_kernel = 0;
        for filter in 0..filters {
            for channel in 0..channels {
                for row in &self.rows.tap_of {
                    for column in &self.columns.tap_of {
                        let tap = row * self.columns.taps() + column;
                        with((filter * self.taps() + tap) * channels + channel, of_kernel);
                        of_kernel += 1;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Conv;

    fn rows(side: usize, kernel: usize, double: bool, padding: usize) -> Vec<Axis> {
        let conv = Conv {
            double,
            padding,
            ..Conv::default()
        };
        let geometry = Geometry::new([1, 1, side, side], [1, 1, kernel, kernel], conv);
        axes(geometry, geometry.convolved()[0])
    }

    fn axis(first: usize, step: usize, outputs: usize, start: usize, taps: &[usize]) -> Axis {
        Axis {
            first,
            step,
            outputs,
            start,
            tap_of: taps.to_vec(),
        }
    }

    #[test]
    fn the_rows_that_an_output_reads_are_those_counted_by_hand() {
        assert_eq!(rows(5, 3, false, 1), [axis(0, 1, 5, 0, &[0, 1, 2])]);
        // The small image a b c has a border: 0 a b c 0. Doubled with one row of padding it is
        // 0 a a b b c c 0. Output 0 reads 0 a a, output 1 reads a a b.
        let expected = [axis(0, 2, 3, 0, &[0, 1, 1]), axis(1, 2, 3, 1, &[0, 0, 1])];
        assert_eq!(rows(3, 3, true, 1), expected);
        // a a b b: output 0 reads a a, output 1 reads a b, output 2 reads b b.
        let expected = [axis(0, 2, 2, 0, &[0, 0]), axis(1, 2, 1, 0, &[0, 1])];
        assert_eq!(rows(2, 2, true, 0), expected);
        // a a with two rows of zeros on each side: 0 0 a a 0 0.
        let expected = [axis(0, 2, 3, 0, &[0, 0]), axis(1, 2, 2, 0, &[0, 1])];
        assert_eq!(rows(1, 2, true, 2), expected);
    }
}
