//! The backward pass of a convolution, at the pixels that have a gradient alone.
//!
//! With a pool and ReLU most gradients are zero, because at most one pixel of a window
//! receives a gradient. For each pixel with a gradient, a multiple of the patch is added to the
//! gradient of the weight, and a multiple of the kernel to the gradient of the input.

use pulp::{Arch, Simd, WithSimd};

use super::backward_inputs::BackwardInputs;
use super::checks::Gradients;
use super::geometry::Geometry;
use super::patches::Layout;
use super::pool::NO_GRADIENT;
use super::tiny;

/// The number of images whose gradients are summed in one buffer. The buffers are then added
/// in the order of the images, so the result does not depend on the number of threads.
const CHUNK: usize = 16;

/// The number of vector registers that hold sums.
const SUMS: usize = 8;

/// Computes the gradients of a convolution whose input is not doubled.
///
/// # Panics
///
/// If an image or the weight has 2^32 values or more.
pub(super) fn sparse(inputs: BackwardInputs) -> Gradients {
    let (geometry, weight) = (inputs.geometry, inputs.weight);
    let layout = Layout::of(geometry);
    let kernels = if inputs.wants_input {
        pack(geometry, weight)
    } else {
        Vec::new()
    };
    let fits = |length: usize| u32::try_from(length).is_ok();
    assert!(
        fits(kernels.len()) && fits(layout.size()),
        "an image or the weight has too many values"
    );

    let (of_input, partial) = inputs.in_chunks(CHUNK, |inputs, of_input| {
        Arch::new().dispatch(Chunk {
            layout,
            kernels: &kernels,
            inputs,
            of_input,
        })
    });

    let mut total = Sums::zero(&layout, geometry);
    for sums in &partial {
        total.add(sums);
    }
    let mut weight_gradient = vec![0.0; weight.len()];
    for filter in 0..geometry.filters {
        for tap in 0..geometry.taps() {
            let [segment, place] = [tap / layout.length, tap % layout.length];
            let row = filter * layout.segments + segment;
            weight_gradient[layout.tap(filter, tap)] = total.weight[row * layout.row + place];
        }
    }
    Gradients {
        input: of_input,
        weight: weight_gradient,
        bias: total.bias,
    }
}

/// Reorders a weight to `[filters][segments][length]` with padded lengths, for
/// [`Layout::in_place`].
fn pack(geometry: Geometry, weight: &[f32]) -> Vec<f32> {
    let layout = Layout::in_place(geometry);
    let row = layout.row;
    let mut packed = vec![0.0; geometry.filters * layout.segments * row];
    for filter in 0..geometry.filters {
        for tap in 0..geometry.taps() {
            let [segment, place] = [tap / layout.length, tap % layout.length];
            packed[(filter * layout.segments + segment) * row + place] =
                weight[layout.tap(filter, tap)];
        }
    }
    packed
}

/// The gradients of weight and bias, summed over some images.
struct Sums {
    /// The gradient of the weight: `[filters][segments][length]`, with padded lengths.
    weight: Vec<f32>,
    bias: Vec<f32>,
}

impl Sums {
    fn zero(layout: &Layout, geometry: Geometry) -> Self {
        Self {
            weight: vec![0.0; geometry.filters * layout.segments * layout.row],
            bias: vec![0.0; geometry.filters],
        }
    }

    fn add(&mut self, other: &Self) {
        let weights = self.weight.iter_mut().zip(&other.weight);
        for (sum, value) in weights.chain(self.bias.iter_mut().zip(&other.bias)) {
            *sum += value;
        }
    }
}

/// A factor and the row of values that it multiplies.
#[derive(Debug, Clone, Copy, Default)]
struct Term {
    /// The index at which the row starts.
    start: u32,
    factor: f32,
}

/// The images of one chunk. One thread computes them one after the other.
struct Chunk<'a> {
    layout: Layout,
    kernels: &'a [f32],
    inputs: BackwardInputs<'a>,
    /// The gradient of the input, which is written.
    of_input: &'a mut [f32],
}

impl WithSimd for Chunk<'_> {
    type Output = Sums;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Sums {
        let Self { layout, inputs, .. } = self;
        let geometry = inputs.geometry;
        let [rows, columns] = geometry.convolved();
        let cells = geometry.cells();
        let size = geometry.output_size();
        let in_place = Layout::in_place(geometry);
        let row = layout.row;
        let kernel = in_place.segments * in_place.row;
        let (of_row, of_kernel) = (piece::<S>(row), piece::<S>(in_place.row));

        let mut sums = Sums::zero(&layout, geometry);
        let mut patches = layout.buffer();
        let mut border = in_place.buffer();
        let mut terms: Vec<Term> = Vec::with_capacity(cells);
        // For each pixel, the kernels of the filters that have a gradient there.
        let filters = geometry.filters;
        let reaching = if self.of_input.is_empty() {
            0
        } else {
            rows * columns
        };
        let mut reached = vec![0usize; reaching];
        let mut by_pixel = vec![Term::default(); reaching * filters];

        let (of_layout, of_border) = (layout.pixels(simd), in_place.pixels(simd));
        // For each cell, the pixels of its window. For each pixel, where its patch starts.
        let pixels: Vec<[usize; 4]> = (0..cells)
            .map(|cell| {
                [0, 1, 2, 3].map(|which| {
                    let [row, column] = geometry.pixel(cell, which);
                    row * columns + column
                })
            })
            .collect();
        let starts_in = |layout: &Layout| -> Vec<usize> {
            let pixels = 0..rows * columns;
            pixels
                .map(|pixel| layout.start([pixel / columns, pixel % columns]))
                .collect()
        };
        let (starts, border_starts) = (starts_in(&layout), starts_in(&in_place));
        let mut input_gradients = self.of_input.chunks_exact_mut(geometry.input_size());
        for (index, image) in inputs.input.chunks_exact(geometry.input_size()).enumerate() {
            layout.fill(simd, image, &mut patches, of_layout.as_deref());
            let outputs = index * size..(index + 1) * size;
            let gradients = inputs.gradient[outputs.clone()].chunks_exact(cells);
            reached.fill(0);
            for (filter, gradients) in gradients.enumerate() {
                terms.clear();
                let receivers = if inputs.receivers.is_empty() {
                    &[]
                } else {
                    &inputs.receivers[outputs.start + filter * cells..][..cells]
                };
                let mut bias = 0.0;
                for (cell, &factor) in gradients.iter().enumerate() {
                    let receiver = receivers.get(cell).copied().unwrap_or(0);
                    if receiver == NO_GRADIENT || tiny::gradient(factor) == 0.0 {
                        continue;
                    }
                    let pixel = pixels[cell][usize::from(receiver)];
                    bias += factor;
                    terms.push(Term {
                        start: starts[pixel] as u32,
                        factor,
                    });
                    if reaching > 0 {
                        by_pixel[pixel * filters + reached[pixel]] = Term {
                            start: (filter * kernel) as u32,
                            factor,
                        };
                        reached[pixel] += 1;
                    }
                }
                sums.bias[filter] += bias;
                for segment in 0..layout.segments {
                    let at = (filter * layout.segments + segment) * row;
                    add_rows(
                        simd,
                        &terms,
                        &patches[segment * layout.stride..],
                        &mut sums.weight[at..at + row],
                        of_row,
                    );
                }
            }
            if let Some(gradient) = input_gradients.next() {
                border.fill(0.0);
                for (pixel, &count) in reached.iter().enumerate() {
                    if count == 0 {
                        continue;
                    }
                    let terms = &by_pixel[pixel * filters..][..count];
                    let start = border_starts[pixel];
                    let row = in_place.row;
                    for segment in 0..in_place.segments {
                        add_rows(
                            simd,
                            terms,
                            &self.kernels[segment * row..],
                            &mut border[start + segment * in_place.stride..][..row],
                            of_kernel,
                        );
                    }
                }
                in_place.copy_to_image(simd, &border, gradient, of_border.as_deref());
            }
        }
        sums
    }
}

/// The number of vectors that are computed together, if a row has so many values.
fn piece<S: Simd>(row: usize) -> usize {
    let vectors = row.div_ceil(S::F32_LANES);
    vectors.div_ceil(vectors.div_ceil(SUMS))
}

/// For each term, adds its factor times its row of `rows` to `sums`, `piece` vectors at a time. The
/// length of `sums` is a multiple of the length of a vector.
#[inline(always)]
fn add_rows<S: Simd>(simd: S, terms: &[Term], rows: &[f32], sums: &mut [f32], piece: usize) {
    let (sums, _) = S::as_mut_simd_f32s(sums);
    for (index, sums) in sums.chunks_mut(piece).enumerate() {
        let rows = &rows[index * piece * S::F32_LANES..];
        match sums.len() {
            1 => add::<S, 1>(simd, terms, rows, sums),
            2 => add::<S, 2>(simd, terms, rows, sums),
            3 => add::<S, 3>(simd, terms, rows, sums),
            4 => add::<S, 4>(simd, terms, rows, sums),
            5 => add::<S, 5>(simd, terms, rows, sums),
            6 => add::<S, 6>(simd, terms, rows, sums),
            7 => add::<S, 7>(simd, terms, rows, sums),
            _ => add::<S, SUMS>(simd, terms, rows, sums),
        }
    }
}

/// [`add_rows`] for sums of `V` vectors.
#[inline(always)]
fn add<S: Simd, const V: usize>(simd: S, terms: &[Term], rows: &[f32], out: &mut [S::f32s]) {
    let mut sums = [simd.splat_f32s(0.0); V];
    sums.copy_from_slice(out);
    for term in terms {
        let (row, _) = S::as_simd_f32s(&rows[term.start as usize..]);
        let factor = simd.splat_f32s(term.factor);
        for (sum, &value) in sums.iter_mut().zip(&row[..V]) {
            *sum = simd.mul_add_e_f32s(factor, value, *sum);
        }
    }
    out.copy_from_slice(&sums);
}
