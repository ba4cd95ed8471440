//! The sizes of a convolution.

use crate::Conv;

/// Floats that a vector register holds at most. Rows that vectors run over are
/// padded to a multiple, so that no loop has a remainder.
pub(crate) const LANES: usize = 16;

/// `length` rounded up to whole vectors.
pub(crate) fn padded(length: usize) -> usize {
    length.next_multiple_of(LANES)
}

/// What goes in and what comes out, all of one stride.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Geometry {
    pub batch: usize,
    /// Channels of the input.
    pub channels: usize,
    /// Sides of the input before any doubling.
    pub height: usize,
    pub width: usize,
    /// Channels of the output.
    pub filters: usize,
    /// Side of the kernels.
    pub kernel: usize,
    pub conv: Conv,
}

impl Geometry {
    /// From the shapes of the input `[batch, channels, height, width]` and of
    /// the weight `[filters, channels, kernel, kernel]`.
    ///
    /// # Panics
    ///
    /// If they do not belong together, or the image is too small for the kernel
    /// or the pool.
    pub fn new(input: [usize; 4], weight: [usize; 4], conv: Conv) -> Self {
        let [batch, channels, height, width] = input;
        let [filters, inputs, kernel, columns] = weight;
        assert_eq!(inputs, channels, "the weight's channels are the input's");
        assert_eq!(kernel, columns, "kernels are square");
        let geometry = Self {
            batch,
            channels,
            height,
            width,
            filters,
            kernel,
            conv,
        };
        let (high, wide) = (geometry.bordered(height), geometry.bordered(width));
        assert!(height >= 1 && width >= 1, "the image has pixels");
        assert!(channels >= 1 && filters >= 1, "there are channels");
        assert!(kernel >= 1 && high >= kernel && wide >= kernel);
        assert!(geometry.cells() >= 1, "the pool has a window");
        geometry
    }

    fn bordered(&self, side: usize) -> usize {
        side * self.repeats() + 2 * self.conv.padding
    }

    /// How often a row and a column of the input come again.
    pub fn repeats(&self) -> usize {
        if self.conv.double { 2 } else { 1 }
    }

    /// Height and width of the input, doubled if so, with its border.
    pub fn input(&self) -> [usize; 2] {
        [self.bordered(self.height), self.bordered(self.width)]
    }

    /// Height and width behind the convolution, before any pooling.
    pub fn convolved(&self) -> [usize; 2] {
        self.input().map(|side| side + 1 - self.kernel)
    }

    /// Height and width of the output.
    pub fn output(&self) -> [usize; 2] {
        self.convolved()
            .map(|side| if self.conv.pool { side / 2 } else { side })
    }

    /// Numbers in an image of the input.
    pub fn input_size(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// Numbers in a channel of the output.
    pub fn cells(&self) -> usize {
        let [rows, columns] = self.output();
        rows * columns
    }

    /// Numbers in an image of the output.
    pub fn output_size(&self) -> usize {
        self.filters * self.cells()
    }

    /// The shapes of the input, the weight, the bias and the output.
    pub fn shapes(&self) -> [Vec<usize>; 4] {
        let Self {
            batch,
            channels,
            height,
            width,
            filters,
            kernel,
            ..
        } = *self;
        let [rows, columns] = self.output();
        [
            vec![batch, channels, height, width],
            vec![filters, channels, kernel, kernel],
            vec![filters],
            vec![batch, filters, rows, columns],
        ]
    }

    /// Numbers under a kernel.
    pub fn taps(&self) -> usize {
        self.channels * self.kernel * self.kernel
    }

    /// Row and column, before pooling, of place `which` (0 to 3, row by row) in
    /// the window of output cell `cell`; without pooling there is place 0 alone.
    pub fn pixel(&self, cell: usize, which: usize) -> [usize; 2] {
        let [_, columns] = self.output();
        let [row, column] = [cell / columns, cell % columns];
        if self.conv.pool {
            [2 * row + which / 2, 2 * column + which % 2]
        } else {
            [row, column]
        }
    }
}
