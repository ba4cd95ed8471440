//! The forward pass of a convolution. Bias, ReLU and pool are applied while the sums are still
//! in registers.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::checks::check_length;
use super::geometry::{Geometry, LANES, padded};
use super::patches::Layout;

/// The receiver of a value where ReLU is zero: no input receives a gradient.
pub(crate) const NO_GRADIENT: u8 = 4;

/// The number of images in a chunk. One thread computes a chunk.
const CHUNK: usize = 4;

/// The number of pixels that are computed together. It is the size of a pool's window.
const TILE: usize = 4;

/// The result of the forward pass.
pub(crate) struct Output {
    /// The output, `[batch, filters, rows, columns]`.
    pub values: Vec<f32>,
    /// For each value, the place in its pool window (0 to 3) that receives the gradient, or
    /// [`NO_GRADIENT`]. The list is empty without ReLU and pool, because then every pixel
    /// receives its gradient.
    pub receivers: Vec<u8>,
}

/// Computes the convolution of `input` `[batch, channels, height, width]` with `weight`
/// `[filters, channels, kernel, kernel]` and `bias` `[filters]`.
///
/// # Panics
///
/// If a slice does not have the size that `geometry` says.
pub(crate) fn forward(geometry: Geometry, input: &[f32], weight: &[f32], bias: &[f32]) -> Output {
    let [of_input, of_weight, of_bias, _] = geometry.shapes();
    check_length("the input", input.len(), &of_input);
    check_length("the weight", weight.len(), &of_weight);
    check_length("the bias", bias.len(), &of_bias);
    let size = geometry.output_size();
    let mut values = vec![0.0; geometry.batch * size];
    let kept = geometry.conv.relu || geometry.conv.pool;
    let mut receivers = vec![NO_GRADIENT; if kept { values.len() } else { 0 }];
    let layout = Layout::of(geometry);
    let (weight, group) = pack(&layout, geometry, weight);
    let mut padded_bias = vec![0.0; weight.len() / geometry.taps()];
    padded_bias[..geometry.filters].copy_from_slice(bias);

    let run = |index: usize, values: &mut [f32], receivers: &mut [u8]| {
        let from = index * CHUNK * geometry.input_size();
        Arch::new().dispatch(Chunk {
            geometry,
            layout,
            group,
            input: &input[from..],
            weight: &weight,
            bias: &padded_bias,
            values,
            receivers,
        });
    };
    let values_in_chunks = values.par_chunks_mut((CHUNK * size).max(1)).enumerate();
    if kept {
        values_in_chunks
            .zip(receivers.par_chunks_mut((CHUNK * size).max(1)))
            .for_each(|((index, values), receivers)| run(index, values, receivers));
    } else {
        values_in_chunks.for_each(|(index, values)| run(index, values, &mut []));
    }
    Output { values, receivers }
}

/// Reorders a weight to `[groups][taps][group]`. The filters of a group are computed
/// together. Also returns the number of filters in a group.
fn pack(layout: &Layout, geometry: Geometry, weight: &[f32]) -> (Vec<f32>, usize) {
    // Four vectors of 16 floats, or two of 8, leave enough registers for the rest.
    let widest = if Arch::new().dispatch(Lanes) >= LANES {
        4 * LANES
    } else {
        LANES
    };
    let all = padded(geometry.filters);
    let groups = all.div_ceil(widest);
    let group = padded(all.div_ceil(groups));
    let taps = geometry.taps();
    let mut packed = vec![0.0; groups * taps * group];
    for filter in 0..geometry.filters {
        let row = filter / group * taps * group + filter % group;
        for tap in 0..taps {
            packed[row + tap * group] = weight[layout.tap(filter, tap)];
        }
    }
    (packed, group)
}

/// The number of floats in a vector register of this processor.
struct Lanes;

impl WithSimd for Lanes {
    type Output = usize;

    fn with_simd<S: Simd>(self, _: S) -> usize {
        S::F32_LANES
    }
}

/// The images of one chunk. One thread computes them one after the other.
struct Chunk<'a> {
    geometry: Geometry,
    layout: Layout,
    group: usize,
    input: &'a [f32],
    weight: &'a [f32],
    bias: &'a [f32],
    values: &'a mut [f32],
    receivers: &'a mut [u8],
}

impl WithSimd for Chunk<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let geometry = self.geometry;
        let (cells, size) = (geometry.cells(), geometry.output_size());
        let width = self.weight.len() / geometry.taps();
        let mut patches = self.layout.buffer();
        // The output with the channels last. The end of the loop moves the channels first.
        let mut values = vec![0.0f32; cells * width];
        let mut receivers = vec![0u32; cells * width];
        let mut receivers_out = self.receivers.chunks_exact_mut(size);
        for (image, values_out) in self
            .input
            .chunks_exact(geometry.input_size())
            .zip(self.values.chunks_exact_mut(size))
        {
            self.layout.fill(image, &mut patches);
            for (index, weight) in self
                .weight
                .chunks_exact(geometry.taps() * self.group)
                .enumerate()
            {
                let from = index * self.group;
                let group = Group {
                    geometry,
                    layout: self.layout,
                    patches: &patches,
                    weight,
                    bias: &self.bias[from..],
                    from,
                    width,
                };
                match self.group / S::F32_LANES {
                    1 => group.convolve::<S, 1>(simd, &mut values, &mut receivers),
                    2 => group.convolve::<S, 2>(simd, &mut values, &mut receivers),
                    3 => group.convolve::<S, 3>(simd, &mut values, &mut receivers),
                    4 => group.convolve::<S, 4>(simd, &mut values, &mut receivers),
                    _ => group.convolve::<S, 16>(simd, &mut values, &mut receivers),
                }
            }
            for (filter, row) in values_out.chunks_exact_mut(cells).enumerate() {
                let column = values[filter..].iter().step_by(width);
                for (value, &found) in row.iter_mut().zip(column) {
                    *value = found;
                }
            }
            if let Some(out) = receivers_out.next() {
                for (filter, row) in out.chunks_exact_mut(cells).enumerate() {
                    let column = receivers[filter..].iter().step_by(width);
                    for (receiver, &found) in row.iter_mut().zip(column) {
                        *receiver = found as u8;
                    }
                }
            }
        }
    }
}

/// A group of filters that are computed together.
#[derive(Clone, Copy)]
struct Group<'a> {
    geometry: Geometry,
    layout: Layout,
    patches: &'a [f32],
    /// The weights, `[taps][V]` vectors.
    weight: &'a [f32],
    bias: &'a [f32],
    /// The index of the first filter.
    from: usize,
    /// The number of all filters, padded.
    width: usize,
}

impl Group<'_> {
    #[inline(always)]
    fn convolve<S: Simd, const V: usize>(self, simd: S, values: &mut [f32], receivers: &mut [u32]) {
        let Self { geometry, .. } = self;
        let (cells, relu) = (geometry.cells(), geometry.conv.relu);
        let zero = simd.splat_f32s(0.0);
        let no_gradient = simd.splat_u32s(u32::from(NO_GRADIENT));
        if geometry.conv.pool {
            for cell in 0..cells {
                let starts =
                    [0, 1, 2, 3].map(|which| self.layout.start(geometry.pixel(cell, which)));
                let sums = self.sums::<S, V>(simd, starts);
                let at = cell * self.width + self.from;
                let (out, _) = S::as_mut_simd_f32s(&mut values[at..]);
                let (places, _) = S::as_mut_simd_u32s(&mut receivers[at..]);
                for v in 0..V {
                    let mut best = sums[0][v];
                    let mut place = simd.splat_u32s(0);
                    for (which, sum) in (1u32..).zip(&sums[1..]) {
                        // If values are equal, the first is taken. NaN is always taken, so that
                        // it reaches the output.
                        let takes = simd.greater_than_f32s(sum[v], best);
                        let takes = simd.or_m32s(takes, is_nan(simd, sum[v]));
                        best = simd.select_f32s(takes, sum[v], best);
                        place = simd.select_u32s(takes, simd.splat_u32s(which), place);
                    }
                    if relu {
                        let dead = simd.less_than_or_equal_f32s(best, zero);
                        best = simd.select_f32s(dead, zero, best);
                        place = simd.select_u32s(dead, no_gradient, place);
                    }
                    out[v] = best;
                    places[v] = place;
                }
            }
        } else {
            // The last tile overlaps the one before it. If there are fewer pixels than in a
            // tile, the last pixel is repeated.
            for tile in 0..cells.div_ceil(TILE) {
                let first = (tile * TILE).min(cells.saturating_sub(TILE));
                let pixels = [0, 1, 2, 3].map(|next| (first + next).min(cells - 1));
                let starts = pixels.map(|pixel| self.layout.start(geometry.pixel(pixel, 0)));
                let sums = self.sums::<S, V>(simd, starts);
                for (pixel, sums) in pixels.into_iter().zip(sums) {
                    let at = pixel * self.width + self.from;
                    let (out, _) = S::as_mut_simd_f32s(&mut values[at..]);
                    if !relu {
                        out[..V].copy_from_slice(&sums);
                        continue;
                    }
                    let (places, _) = S::as_mut_simd_u32s(&mut receivers[at..]);
                    for v in 0..V {
                        let dead = simd.less_than_or_equal_f32s(sums[v], zero);
                        out[v] = simd.select_f32s(dead, zero, sums[v]);
                        places[v] = simd.select_u32s(dead, no_gradient, simd.splat_u32s(0));
                    }
                }
            }
        }
    }

    /// The weighted sums of the patches that start at `starts`, plus the bias.
    #[inline(always)]
    fn sums<S: Simd, const V: usize>(self, simd: S, starts: [usize; TILE]) -> [[S::f32s; V]; TILE] {
        let Layout {
            segments,
            length,
            stride,
            ..
        } = self.layout;
        let (weight, _) = S::as_simd_f32s(self.weight);
        let (weight, _) = weight.as_chunks::<V>();
        let (bias, _) = S::as_simd_f32s(self.bias);
        let mut bias_of_group = [simd.splat_f32s(0.0); V];
        bias_of_group.copy_from_slice(&bias[..V]);
        let mut sums = [bias_of_group; TILE];
        for segment in 0..segments {
            let weight = &weight[segment * length..][..length];
            let runs = starts.map(|start| &self.patches[start + segment * stride..][..length]);
            for (tap, weight) in weight.iter().enumerate() {
                for (sums, run) in sums.iter_mut().zip(&runs) {
                    let pixel = simd.splat_f32s(run[tap]);
                    for (sum, &weight) in sums.iter_mut().zip(weight) {
                        *sum = simd.mul_add_e_f32s(pixel, weight, *sum);
                    }
                }
            }
        }
        sums
    }
}

#[inline(always)]
fn is_nan<S: Simd>(simd: S, x: S::f32s) -> S::m32s {
    simd.not_m32s(simd.equal_f32s(x, x))
}
