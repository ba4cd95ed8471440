//! Sums over the same places around each pixel, for vectors of images.

use pulp::Simd;

use super::geometry::{Geometry, LANES, lanes};
use super::image_vectors::Places;
use super::phases::Phase;
use super::pool::{WINDOW, largest, rectified};
use super::vector_layouts::{GradientLayout, InputLayout};

/// A convolution: each output is the bias plus a weighted sum of values around a pixel.
///
/// It computes four pixels at a time, with as many filters as registers hold.
#[derive(Debug)]
pub(super) struct Stencil {
    /// Where the values of the input lie.
    pub places: Places,
    parts: Vec<Part>,
    /// The bias of each filter.
    bias: Vec<f32>,
    /// The number of outputs of a filter.
    cells: usize,
    relu: bool,
    pool: bool,
}

/// The outputs that have the same taps.
#[derive(Debug)]
struct Part {
    /// The number of filters that are computed together. The last group may have fewer.
    group: usize,
    /// The weight, `[groups][runs][values of a run][group]`.
    weight: Vec<f32>,
    /// The taps are runs of neighbouring vectors. This is the distance of each run from the pixel.
    runs: Vec<usize>,
    /// The number of vectors in a run.
    length: usize,
    tiles: Vec<Tile>,
}

/// Four pixels, which are the window of an output if there is a pool, or else four outputs.
#[derive(Debug, Clone, Copy)]
struct Tile {
    /// The vector at which each pixel starts.
    starts: [usize; WINDOW],
    /// The output of each pixel. With a pool only the first is used.
    cells: [usize; WINDOW],
}

impl Stencil {
    /// The forward pass of a convolution with `weight` `[filters, channels, kernel, kernel]` and
    /// `bias` `[filters]`.
    pub fn forward(geometry: Geometry, phases: &[Phase], weight: &[f32], bias: &[f32]) -> Self {
        let channels = geometry.channels;
        let input = InputLayout::new(geometry);
        let [_, columns] = geometry.output();
        let part = |phase: &Phase| {
            let weight = phase.weight(geometry, weight);
            let per_filter = phase.taps() * channels;
            let tiles = if geometry.conv.pool {
                let window = |cell: usize| Tile {
                    starts: [0, 1, 2, 3].map(|which| input.start(geometry.pixel(cell, which))),
                    cells: [cell; WINDOW],
                };
                (0..geometry.cells()).map(window).collect()
            } else {
                let rows = (0..phase.rows.outputs)
                    .flat_map(|row| (0..phase.columns.outputs).map(move |column| [row, column]));
                let outputs = rows.map(|[row, column]| {
                    let cell = phase.rows.output(row) * columns + phase.columns.output(column);
                    (input.start([row, column]), cell)
                });
                tiles(&outputs.collect::<Vec<_>>())
            };
            Part::new(
                geometry.filters,
                |filter, value| weight[filter * per_filter + value],
                input.runs(phase),
                input.run_length(phase),
                tiles,
            )
        };
        Self {
            parts: phases.iter().map(part).collect(),
            places: input.places(),
            bias: bias.to_vec(),
            cells: geometry.cells(),
            relu: geometry.conv.relu,
            pool: geometry.conv.pool,
        }
    }

    /// The gradient of a convolution's input as a convolution of the gradient of its output, without
    /// bias, ReLU and pool.
    pub fn input_gradient(geometry: Geometry, phases: &[Phase], weight: &[f32]) -> Self {
        let gradient = GradientLayout::new(geometry, phases);
        let filters = geometry.filters;
        // Each tap of the forward pass, with the phase and the place that it comes from.
        let mut runs = Vec::new();
        let mut weights = Vec::new();
        for (number, phase) in phases.iter().enumerate() {
            let weight = phase.weight(geometry, weight);
            for tap in 0..phase.taps() {
                runs.push(gradient.run(number, phase, tap));
                for filter in 0..filters {
                    let from = (filter * phase.taps() + tap) * geometry.channels;
                    weights.extend_from_slice(&weight[from..][..geometry.channels]);
                }
            }
        }
        let Geometry {
            channels,
            height,
            width,
            ..
        } = geometry;
        let pixels: Vec<_> = (0..height * width)
            .map(|cell| (gradient.pixel([cell / width, cell % width]), cell))
            .collect();
        let part = Part::new(
            channels,
            |channel, value| weights[value * channels + channel],
            runs,
            filters,
            tiles(&pixels),
        );
        Self {
            parts: vec![part],
            places: gradient.places(),
            bias: vec![0.0; channels],
            cells: height * width,
            relu: false,
            pool: false,
        }
    }

    /// The number of filters.
    pub fn filters(&self) -> usize {
        self.bias.len()
    }

    /// The number of outputs of an image.
    pub fn outputs(&self) -> usize {
        self.filters() * self.cells
    }

    /// Computes the outputs `[filters, cells]` of the images in `vectors`. With ReLU or a pool it also
    /// computes the receivers.
    #[inline(always)]
    pub fn run<S: Simd>(
        &self,
        simd: S,
        vectors: &[S::f32s],
        outputs: &mut [S::f32s],
        receivers: &mut [S::u32s],
    ) {
        for part in &self.parts {
            for tile in &part.tiles {
                let mut groups = part
                    .weight
                    .chunks(part.group * part.runs.len() * part.length);
                for from in (0..self.filters()).step_by(part.group) {
                    let work = Work {
                        stencil: self,
                        part,
                        weight: groups.next().unwrap_or_default(),
                        tile,
                        from,
                    };
                    match part.group.min(self.filters() - from) {
                        1 => work.compute::<S, 1>(simd, vectors, outputs, receivers),
                        2 => work.compute::<S, 2>(simd, vectors, outputs, receivers),
                        3 => work.compute::<S, 3>(simd, vectors, outputs, receivers),
                        _ => work.compute::<S, 4>(simd, vectors, outputs, receivers),
                    }
                }
            }
        }
    }
}

/// Tiles of four outputs, each with the start of its pixel and its cell. In the last tile, the last
/// output may be repeated.
fn tiles(outputs: &[(usize, usize)]) -> Vec<Tile> {
    let tile = |outputs: &[(usize, usize)]| {
        let output = |which: usize| outputs[which.min(outputs.len() - 1)];
        Tile {
            starts: [0, 1, 2, 3].map(|which| output(which).0),
            cells: [0, 1, 2, 3].map(|which| output(which).1),
        }
    };
    outputs.chunks(WINDOW).map(tile).collect()
}

impl Part {
    /// A part with so many filters. `weight` returns the factor of a filter for a value of the runs.
    fn new(
        filters: usize,
        weight: impl Fn(usize, usize) -> f32,
        runs: Vec<usize>,
        length: usize,
        tiles: Vec<Tile>,
    ) -> Self {
        // Sixteen sums of 16 floats, or eight of 8, leave enough registers for the rest.
        let group = if lanes() >= LANES { 4 } else { 2 };
        let values = runs.len() * length;
        let mut packed = Vec::with_capacity(filters * values);
        for from in (0..filters).step_by(group) {
            for value in 0..values {
                let group = from..filters.min(from + group);
                packed.extend(group.map(|filter| weight(filter, value)));
            }
        }
        Self {
            group,
            weight: packed,
            runs,
            length,
            tiles,
        }
    }
}

/// One tile with one group of filters.
struct Work<'a> {
    stencil: &'a Stencil,
    part: &'a Part,
    weight: &'a [f32],
    tile: &'a Tile,
    /// The first filter.
    from: usize,
}

impl Work<'_> {
    /// Computes `F` filters.
    #[inline(always)]
    fn compute<S: Simd, const F: usize>(
        &self,
        simd: S,
        vectors: &[S::f32s],
        outputs: &mut [S::f32s],
        receivers: &mut [S::u32s],
    ) {
        let Stencil {
            cells, relu, pool, ..
        } = *self.stencil;
        let sums = self.sums::<S, F>(simd, vectors);
        for (sums, filter) in sums.into_iter().zip(self.from..) {
            if pool {
                let at = filter * cells + self.tile.cells[0];
                (outputs[at], receivers[at]) = largest(simd, sums, relu);
                continue;
            }
            for (sum, cell) in sums.into_iter().zip(self.tile.cells) {
                let at = filter * cells + cell;
                if relu {
                    (outputs[at], receivers[at]) = rectified(simd, sum, simd.splat_u32s(0));
                } else {
                    outputs[at] = sum;
                }
            }
        }
    }

    #[inline(always)]
    fn sums<S: Simd, const F: usize>(
        &self,
        simd: S,
        vectors: &[S::f32s],
    ) -> [[S::f32s; WINDOW]; F] {
        let mut sums = [[simd.splat_f32s(0.0); WINDOW]; F];
        for (sums, &bias) in sums.iter_mut().zip(&self.stencil.bias[self.from..]) {
            *sums = [simd.splat_f32s(bias); WINDOW];
        }
        let length = self.part.length;
        let (weight, _) = self.weight.as_chunks::<F>();
        for (run, weight) in self.part.runs.iter().zip(weight.chunks_exact(length)) {
            let pixels = self
                .tile
                .starts
                .map(|start| &vectors[start + run..][..length]);
            sums = add_run::<S, F>(simd, weight, pixels, sums);
        }
        sums
    }
}

/// Returns `sums`, to which the values of a run are added, times their factors in `weight`. The sums
/// have no address in the loop, so they stay in registers.
#[inline(always)]
fn add_run<S: Simd, const F: usize>(
    simd: S,
    weight: &[[f32; F]],
    [a, b, c, d]: [&[S::f32s]; WINDOW],
    mut sums: [[S::f32s; WINDOW]; F],
) -> [[S::f32s; WINDOW]; F] {
    for ((((weight, &a), &b), &c), &d) in weight.iter().zip(a).zip(b).zip(c).zip(d) {
        for (sums, &weight) in sums.iter_mut().zip(weight) {
            let weight = simd.splat_f32s(weight);
            for (sum, pixel) in sums.iter_mut().zip([a, b, c, d]) {
                *sum = simd.mul_add_e_f32s(pixel, weight, *sum);
            }
        }
    }
    sums
}
