//! The forward pass of a convolution with vectors of pixels: a vector holds the sums of one filter
//! at several pixels of a row.

use pulp::Simd;

use super::forward_kernel::{Kernel, TILE, lanes, largest, rectified};
use super::geometry::{Geometry, LANES};
use super::planes::Planes;

/// A convolution whose vectors hold pixels.
pub(super) struct ByPixels {
    geometry: Geometry,
    planes: Planes,
    /// The number of filters that are computed together. The last group may have fewer.
    group: usize,
    /// The weight, `[groups][taps][group]`. The taps are in the order row, column, channel.
    weight: Vec<f32>,
    bias: Vec<f32>,
    /// For each tap, the distance in `planes` from a place of the tile to the value that the tap
    /// multiplies.
    offsets: Vec<[usize; TILE]>,
}

impl ByPixels {
    /// Prepares `weight` `[filters, channels, kernel, kernel]` and `bias` `[filters]`.
    pub fn new(geometry: Geometry, weight: &[f32], bias: &[f32]) -> Self {
        let planes = Planes::new(geometry);
        let Geometry {
            channels, kernel, ..
        } = geometry;
        // Sixteen sums of 16 floats, or eight of 8, leave enough registers for the rest.
        let group = if lanes() >= LANES { 4 } else { 2 };
        let square = kernel * kernel;
        let taps =
            || (0..square).flat_map(|place| (0..channels).map(move |channel| (place, channel)));
        let mut packed = Vec::with_capacity(weight.len());
        for filters in weight.chunks(group * channels * square) {
            for (place, channel) in taps() {
                let filters = filters.chunks_exact(channels * square);
                packed.extend(filters.map(|weight| weight[channel * square + place]));
            }
        }
        let offset = |(place, channel): (usize, usize)| {
            let [down, right] = [place / kernel, place % kernel];
            if geometry.conv.pool {
                [0, 1, 2, 3]
                    .map(|which| planes.start(channel, [down + which / 2, right + which % 2]))
            } else {
                [planes.start(channel, [down, right]); TILE]
            }
        };
        Self {
            geometry,
            group,
            weight: packed,
            bias: bias.to_vec(),
            offsets: taps().map(offset).collect(),
            planes,
        }
    }
}

impl Kernel for ByPixels {
    #[inline(always)]
    fn run<S: Simd>(&self, simd: S, images: &[f32], values: &mut [f32], receivers: &mut [u8]) {
        let geometry = self.geometry;
        let (cells, size) = (geometry.cells(), geometry.output_size());
        let mut planes = self.planes.buffer();
        // The last vector of a row can be longer than the row.
        let room = cells + LANES;
        let mut sums = vec![0.0f32; self.group * room];
        let mut places = vec![0u32; self.group * room];
        let images = images.chunks_exact(geometry.input_size());
        let mut receivers = receivers.chunks_exact_mut(size);
        for (image, values) in images.zip(values.chunks_exact_mut(size)) {
            self.planes.fill(image, &mut planes);
            let mut receivers = receivers.next().unwrap_or_default();
            let mut from = 0;
            for values in values.chunks_mut(self.group * cells) {
                let filters = values.len() / cells;
                let group = Group {
                    by: self,
                    planes: &planes,
                    weight: &self.weight[from * geometry.taps()..],
                    bias: &self.bias[from..],
                };
                match filters {
                    1 => group.convolve::<S, 1>(simd, &mut sums, &mut places),
                    2 => group.convolve::<S, 2>(simd, &mut sums, &mut places),
                    3 => group.convolve::<S, 3>(simd, &mut sums, &mut places),
                    _ => group.convolve::<S, 4>(simd, &mut sums, &mut places),
                }
                for (row, sums) in values.chunks_exact_mut(cells).zip(sums.chunks_exact(room)) {
                    row.copy_from_slice(&sums[..cells]);
                }
                if !receivers.is_empty() {
                    let (rows, rest) = receivers.split_at_mut(filters * cells);
                    for (row, places) in rows.chunks_exact_mut(cells).zip(places.chunks_exact(room))
                    {
                        for (receiver, &place) in row.iter_mut().zip(places) {
                            *receiver = place as u8;
                        }
                    }
                    receivers = rest;
                }
                from += filters;
            }
        }
    }
}

/// Some filters that are computed together.
#[derive(Clone, Copy)]
struct Group<'a> {
    by: &'a ByPixels,
    planes: &'a [f32],
    weight: &'a [f32],
    bias: &'a [f32],
}

impl Group<'_> {
    /// Computes `F` filters. Each has the same room in `values` and in `receivers`.
    ///
    /// The vectors of a row are stored from left to right, and the rows from top to bottom. So what
    /// the last vector of a row writes behind the row is overwritten by the next row.
    #[inline(always)]
    fn convolve<S: Simd, const F: usize>(self, simd: S, values: &mut [f32], receivers: &mut [u32]) {
        let Geometry { conv, .. } = self.by.geometry;
        let [rows, columns] = self.by.geometry.output();
        let room = self.by.geometry.cells() + LANES;
        let width = self.by.planes.width();
        let vectors = columns.div_ceil(S::F32_LANES);
        let mut store = |filter: usize, at: usize, value: S::f32s, place: Option<S::u32s>| {
            let (out, _) = S::as_mut_simd_f32s(&mut values[filter * room + at..]);
            out[0] = value;
            if let Some(place) = place {
                let (out, _) = S::as_mut_simd_u32s(&mut receivers[filter * room + at..]);
                out[0] = place;
            }
        };
        if conv.pool {
            for row in 0..rows {
                for column in (0..vectors).map(|vector| vector * S::F32_LANES) {
                    let sums = self.sums::<S, F>(simd, [row * width + column; TILE]);
                    for (filter, sums) in sums.into_iter().enumerate() {
                        let (value, place) = largest(simd, sums, conv.relu);
                        store(filter, row * columns + column, value, Some(place));
                    }
                }
            }
        } else {
            let count = rows * vectors;
            for tile in 0..count.div_ceil(TILE) {
                // In the last tile, the last vector may be repeated.
                let places = [0, 1, 2, 3].map(|next| {
                    let vector = (tile * TILE + next).min(count - 1);
                    [vector / vectors, vector % vectors * S::F32_LANES]
                });
                let sums =
                    self.sums::<S, F>(simd, places.map(|[row, column]| row * width + column));
                for (filter, sums) in sums.into_iter().enumerate() {
                    for ([row, column], sum) in places.into_iter().zip(sums) {
                        let at = row * columns + column;
                        if conv.relu {
                            let (value, place) = rectified(simd, sum, simd.splat_u32s(0));
                            store(filter, at, value, Some(place));
                        } else {
                            store(filter, at, sum, None);
                        }
                    }
                }
            }
        }
    }

    /// The weighted sums at the places `starts` in the planes, plus the bias.
    #[inline(always)]
    fn sums<S: Simd, const F: usize>(self, simd: S, starts: [usize; TILE]) -> [[S::f32s; TILE]; F] {
        let mut sums = [[simd.splat_f32s(0.0); TILE]; F];
        for (sums, &bias) in sums.iter_mut().zip(self.bias) {
            *sums = [simd.splat_f32s(bias); TILE];
        }
        let (weight, _) = self.weight.as_chunks::<F>();
        for (offsets, weight) in self.by.offsets.iter().zip(weight) {
            let mut pixels = [simd.splat_f32s(0.0); TILE];
            for ((pixels, start), offset) in pixels.iter_mut().zip(starts).zip(offsets) {
                let (vectors, _) = S::as_simd_f32s(&self.planes[start + offset..][..S::F32_LANES]);
                *pixels = vectors[0];
            }
            for (sums, &weight) in sums.iter_mut().zip(weight) {
                let weight = simd.splat_f32s(weight);
                for (sum, &pixels) in sums.iter_mut().zip(&pixels) {
                    *sum = simd.mul_add_e_f32s(pixels, weight, *sum);
                }
            }
        }
        sums
    }
}
