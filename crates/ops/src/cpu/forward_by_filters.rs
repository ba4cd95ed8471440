//! The forward pass of a convolution with vectors of filters: a vector holds the sums of several
//! filters at one pixel.

use pulp::Simd;

use super::forward_kernel::{Kernel, TILE, lanes, largest, rectified};
use super::geometry::{Geometry, LANES, padded};
use super::patches::Layout;

/// A convolution whose vectors hold filters.
pub(super) struct ByFilters {
    geometry: Geometry,
    layout: Layout,
    /// The number of filters that are computed together.
    group: usize,
    /// The weight, `[groups][taps][group]`.
    weight: Vec<f32>,
    /// The bias of each filter, padded to whole groups.
    bias: Vec<f32>,
}

impl ByFilters {
    /// Prepares `weight` `[filters, channels, kernel, kernel]` and `bias` `[filters]`.
    pub fn new(geometry: Geometry, weight: &[f32], bias: &[f32]) -> Self {
        let layout = Layout::of(geometry);
        // Four vectors of 16 floats, or two of 8, leave enough registers for the rest.
        let widest = if lanes() >= LANES { 4 * LANES } else { LANES };
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
        let mut padded_bias = vec![0.0; groups * group];
        padded_bias[..geometry.filters].copy_from_slice(bias);
        Self {
            geometry,
            layout,
            group,
            weight: packed,
            bias: padded_bias,
        }
    }
}

impl Kernel for ByFilters {
    #[inline(always)]
    fn run<S: Simd>(&self, simd: S, images: &[f32], values: &mut [f32], receivers: &mut [u8]) {
        let geometry = self.geometry;
        let (cells, size) = (geometry.cells(), geometry.output_size());
        let width = self.bias.len();
        let mut patches = self.layout.buffer();
        // The output with the channels last. The end of the loop moves the channels first.
        let mut sums = vec![0.0f32; cells * width];
        let mut places = vec![0u32; cells * width];
        let mut receivers = receivers.chunks_exact_mut(size);
        let images = images.chunks_exact(geometry.input_size());
        for (image, values) in images.zip(values.chunks_exact_mut(size)) {
            self.layout.fill(image, &mut patches);
            let weights = self.weight.chunks_exact(geometry.taps() * self.group);
            for (index, weight) in weights.enumerate() {
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
                    1 => group.convolve::<S, 1>(simd, &mut sums, &mut places),
                    2 => group.convolve::<S, 2>(simd, &mut sums, &mut places),
                    3 => group.convolve::<S, 3>(simd, &mut sums, &mut places),
                    4 => group.convolve::<S, 4>(simd, &mut sums, &mut places),
                    _ => group.convolve::<S, 16>(simd, &mut sums, &mut places),
                }
            }
            for (filter, row) in values.chunks_exact_mut(cells).enumerate() {
                let column = sums[filter..].iter().step_by(width);
                for (value, &found) in row.iter_mut().zip(column) {
                    *value = found;
                }
            }
            if let Some(receivers) = receivers.next() {
                for (filter, row) in receivers.chunks_exact_mut(cells).enumerate() {
                    let column = places[filter..].iter().step_by(width);
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
        if geometry.conv.pool {
            for cell in 0..cells {
                let starts =
                    [0, 1, 2, 3].map(|which| self.layout.start(geometry.pixel(cell, which)));
                let sums = self.sums::<S, V>(simd, starts);
                let at = cell * self.width + self.from;
                let (out, _) = S::as_mut_simd_f32s(&mut values[at..]);
                let (places, _) = S::as_mut_simd_u32s(&mut receivers[at..]);
                for v in 0..V {
                    (out[v], places[v]) = largest(simd, sums.map(|sums| sums[v]), relu);
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
                        (out[v], places[v]) = rectified(simd, sums[v], simd.splat_u32s(0));
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
