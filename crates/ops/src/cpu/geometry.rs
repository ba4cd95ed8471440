//! The sizes of a convolution.

use pulp::{Arch, Simd, WithSimd};

use crate::options::Conv;

/// The largest number of floats in a vector register.
pub(crate) const LANES: usize = 16;

/// The number of floats in a vector register of this processor.
pub(super) fn lanes() -> usize {
    struct Lanes;

    impl WithSimd for Lanes {
        type Output = usize;

        fn with_simd<S: Simd>(self, _: S) -> usize {
            S::F32_LANES
        }
    }
    Arch::new().dispatch(Lanes)
}

/// The sizes of the input and the output of a convolution of stride 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Geometry {
    pub batch: usize,
    /// The number of channels of the input.
    pub channels: usize,
    /// The height of the input before `double`.
    pub height: usize,
    /// The width of the input before `double`.
    pub width: usize,
    /// The number of channels of the output.
    pub filters: usize,
    /// The height and width of the kernels.
    pub kernel: usize,
    pub conv: Conv,
}

impl Geometry {
    /// Computes the sizes from the shapes of the input `[batch, channels, height, width]` and of the weight
    /// `[filters, channels, kernel, kernel]`.
    ///
    /// # Panics
    ///
    /// If the two shapes do not fit together, or the image is smaller than the kernel or the pool's
    /// window.
    pub fn new(input: [usize; 4], weight: [usize; 4], conv: Conv) -> Self {
        let [batch, channels, height, width] = input;
        let [filters, inputs, kernel, columns] = weight;
        assert_eq!(
            inputs, channels,
            "the weight and the input must have the same number of channels"
        );
        assert_eq!(kernel, columns, "kernels must be square");
        assert!(
            !(conv.double && conv.pool),
            "a doubled image cannot have a pool"
        );
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
        assert!(height >= 1 && width >= 1, "the image must have pixels");
        assert!(
            channels >= 1 && filters >= 1,
            "there must be channels and filters"
        );
        assert!(kernel >= 1 && high >= kernel && wide >= kernel);
        assert!(
            geometry.cells() >= 1,
            "the image must not be smaller than a window of the pool"
        );
        geometry
    }

    /// The height or width of the input after `double` and padding. `side` is the height or
    /// width before.
    fn bordered(&self, side: usize) -> usize {
        side * self.repeats() + 2 * self.conv.padding
    }

    /// The number of copies of each row and column of the input after `double`.
    pub fn repeats(&self) -> usize {
        if self.conv.double { 2 } else { 1 }
    }

    /// The height and width of the input after `double` and padding.
    pub fn input(&self) -> [usize; 2] {
        [self.bordered(self.height), self.bordered(self.width)]
    }

    /// The height and width after the convolution, before the pool.
    pub fn convolved(&self) -> [usize; 2] {
        self.input().map(|side| side + 1 - self.kernel)
    }

    /// The height and width of the output.
    pub fn output(&self) -> [usize; 2] {
        self.convolved()
            .map(|side| if self.conv.pool { side / 2 } else { side })
    }

    /// The number of values in an image of the input.
    pub fn input_size(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// The number of values in a channel of an output image.
    pub fn cells(&self) -> usize {
        let [rows, columns] = self.output();
        rows * columns
    }

    /// The number of values in an image of the output.
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

    /// The number of values that a kernel covers.
    pub fn taps(&self) -> usize {
        self.channels * self.kernel * self.kernel
    }

    /// The row and column, before the pool, of place `which` (0 to 3, row by row) in the
    /// window of output value `cell`. Without a pool only place 0 exists.
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
