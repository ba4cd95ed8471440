//! The forward pass: bias, ReLU and pooling happen to sums that are still in
//! registers.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::geometry::{Geometry, LANES, padded};
use super::is_whole;
use super::patches::Layout;

/// The place of no winner: ReLU was zero, so that no gradient passes.
pub(crate) const NOBODY: u8 = 4;

/// Images that a thread takes at once.
const CHUNK: usize = 4;

/// Output pixels computed at once: a window of the pool.
const PIXELS: usize = 4;

/// What comes out.
pub(crate) struct Output {
    /// `[batch, filters, rows, columns]`
    pub values: Vec<f32>,
    /// For each value the place in its window that it came from, or
    /// [`NOBODY`]; nothing without ReLU and pooling, where all gradients pass.
    pub winners: Vec<u8>,
}

/// `input` `[batch, channels, height, width]`, `weight` `[filters, channels,
/// kernel, kernel]` and `bias` `[filters]` in one row each.
///
/// # Panics
///
/// If they are of other sizes.
pub(crate) fn forward(geometry: Geometry, input: &[f32], weight: &[f32], bias: &[f32]) -> Output {
    let [of_input, of_weight, of_bias, _] = geometry.shapes();
    is_whole("the input", input.len(), &of_input);
    is_whole("the weight", weight.len(), &of_weight);
    is_whole("the bias", bias.len(), &of_bias);
    let size = geometry.output_size();
    let mut values = vec![0.0; geometry.batch * size];
    let kept = geometry.conv.relu || geometry.conv.pool;
    let mut winners = vec![NOBODY; if kept { values.len() } else { 0 }];
    let layout = Layout::of(geometry);
    let (weight, group) = pack(&layout, geometry, weight);
    let mut padded_bias = vec![0.0; weight.len() / geometry.taps()];
    padded_bias[..geometry.filters].copy_from_slice(bias);

    let run = |index: usize, values: &mut [f32], winners: &mut [u8]| {
        let from = index * CHUNK * geometry.input_size();
        Arch::new().dispatch(Chunk {
            geometry,
            layout,
            group,
            input: &input[from..],
            weight: &weight,
            bias: &padded_bias,
            values,
            winners,
        });
    };
    let values_in_chunks = values.par_chunks_mut((CHUNK * size).max(1)).enumerate();
    if kept {
        values_in_chunks
            .zip(winners.par_chunks_mut((CHUNK * size).max(1)))
            .for_each(|((index, values), winners)| run(index, values, winners));
    } else {
        values_in_chunks.for_each(|(index, values)| run(index, values, &mut []));
    }
    Output { values, winners }
}

/// Reorders a weight to `[groups][taps][group]`: the filters of a group are
/// computed together. Returns the width of a group with it.
fn pack(layout: &Layout, geometry: Geometry, weight: &[f32]) -> (Vec<f32>, usize) {
    // Four vectors of 16 lanes, or two of 8, leave registers for the rest.
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

/// Floats in a vector register of this processor.
struct Lanes;

impl WithSimd for Lanes {
    type Output = usize;

    fn with_simd<S: Simd>(self, _: S) -> usize {
        S::F32_LANES
    }
}

/// Some images, one after the other.
struct Chunk<'a> {
    geometry: Geometry,
    layout: Layout,
    group: usize,
    input: &'a [f32],
    weight: &'a [f32],
    bias: &'a [f32],
    values: &'a mut [f32],
    winners: &'a mut [u8],
}

impl WithSimd for Chunk<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let geometry = self.geometry;
        let (cells, size) = (geometry.cells(), geometry.output_size());
        let width = self.weight.len() / geometry.taps();
        let mut patches = self.layout.buffer();
        // The output with channels last, to be turned at the end.
        let mut values = vec![0.0f32; cells * width];
        let mut winners = vec![0u32; cells * width];
        let mut winners_out = self.winners.chunks_exact_mut(size);
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
                    1 => group.convolve::<S, 1>(simd, &mut values, &mut winners),
                    2 => group.convolve::<S, 2>(simd, &mut values, &mut winners),
                    3 => group.convolve::<S, 3>(simd, &mut values, &mut winners),
                    4 => group.convolve::<S, 4>(simd, &mut values, &mut winners),
                    _ => group.convolve::<S, 16>(simd, &mut values, &mut winners),
                }
            }
            for (filter, row) in values_out.chunks_exact_mut(cells).enumerate() {
                let column = values[filter..].iter().step_by(width);
                for (value, &found) in row.iter_mut().zip(column) {
                    *value = found;
                }
            }
            if let Some(out) = winners_out.next() {
                for (filter, row) in out.chunks_exact_mut(cells).enumerate() {
                    let column = winners[filter..].iter().step_by(width);
                    for (winner, &found) in row.iter_mut().zip(column) {
                        *winner = found as u8;
                    }
                }
            }
        }
    }
}

/// The filters that are computed together.
#[derive(Clone, Copy)]
struct Group<'a> {
    geometry: Geometry,
    layout: Layout,
    patches: &'a [f32],
    /// `[taps][V]` vectors
    weight: &'a [f32],
    bias: &'a [f32],
    /// The first filter, of `width`.
    from: usize,
    width: usize,
}

impl Group<'_> {
    #[inline(always)]
    fn convolve<S: Simd, const V: usize>(self, simd: S, values: &mut [f32], winners: &mut [u32]) {
        let Self { geometry, .. } = self;
        let (cells, relu) = (geometry.cells(), geometry.conv.relu);
        let zero = simd.splat_f32s(0.0);
        let nobody = simd.splat_u32s(u32::from(NOBODY));
        if geometry.conv.pool {
            for cell in 0..cells {
                let starts =
                    [0, 1, 2, 3].map(|which| self.layout.start(geometry.pixel(cell, which)));
                let sums = self.sums::<S, V>(simd, starts);
                let at = cell * self.width + self.from;
                let (out, _) = S::as_mut_simd_f32s(&mut values[at..]);
                let (places, _) = S::as_mut_simd_u32s(&mut winners[at..]);
                for v in 0..V {
                    let mut best = sums[0][v];
                    let mut place = simd.splat_u32s(0);
                    for (which, sum) in (1u32..).zip(&sums[1..]) {
                        // The first of equals wins; what is no number wins
                        // always, so that it is seen.
                        let more = simd.greater_than_f32s(sum[v], best);
                        let more = simd.or_m32s(more, not_a_number(simd, sum[v]));
                        best = simd.select_f32s(more, sum[v], best);
                        place = simd.select_u32s(more, simd.splat_u32s(which), place);
                    }
                    if relu {
                        let dead = simd.less_than_or_equal_f32s(best, zero);
                        best = simd.select_f32s(dead, zero, best);
                        place = simd.select_u32s(dead, nobody, place);
                    }
                    out[v] = best;
                    places[v] = place;
                }
            }
        } else {
            // The last tile reaches back, and where pixels are fewer than a tile,
            // the last of them comes again.
            for tile in 0..cells.div_ceil(PIXELS) {
                let first = (tile * PIXELS).min(cells.saturating_sub(PIXELS));
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
                    let (places, _) = S::as_mut_simd_u32s(&mut winners[at..]);
                    for v in 0..V {
                        let dead = simd.less_than_or_equal_f32s(sums[v], zero);
                        out[v] = simd.select_f32s(dead, zero, sums[v]);
                        places[v] = simd.select_u32s(dead, nobody, simd.splat_u32s(0));
                    }
                }
            }
        }
    }

    /// Weighted sums of the patches that begin at `starts`, with the bias.
    #[inline(always)]
    fn sums<S: Simd, const V: usize>(
        self,
        simd: S,
        starts: [usize; PIXELS],
    ) -> [[S::f32s; V]; PIXELS] {
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
        let mut sums = [bias_of_group; PIXELS];
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
fn not_a_number<S: Simd>(simd: S, x: S::f32s) -> S::m32s {
    simd.not_m32s(simd.equal_f32s(x, x))
}
