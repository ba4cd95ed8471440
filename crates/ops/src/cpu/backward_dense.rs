//! The backward pass of a convolution, for vectors of images.

use pulp::{Arch, Simd, WithSimd};

use super::backward_inputs::BackwardInputs;
use super::checks::Gradients;
use super::geometry::Geometry;
use super::image_vectors::{Places, scatter};
use super::phases::{Phase, phases};
use super::pool::{NO_GRADIENT, WINDOW};
use super::stencil::Stencil;
use super::tiny;
use super::vector_layouts::{GradientLayout, InputLayout};

/// The number of images whose gradients are summed in one buffer. The buffers are then added
/// in the order of the images, so the result does not depend on the number of threads. It is a
/// multiple of the number of lanes of every processor.
const CHUNK: usize = 32;

/// Computes the gradients of a convolution.
pub(super) fn dense(inputs: BackwardInputs) -> Gradients {
    let geometry = inputs.geometry;
    let phases = phases(geometry);
    let [_, columns] = geometry.convolved();
    let pixel = |cell: usize, which: usize| {
        let [row, column] = geometry.pixel(cell, which);
        (row * columns + column) as u32
    };
    let plan = Plan {
        geometry,
        windows: (0..geometry.cells())
            .map(|cell| [0, 1, 2, 3].map(|which| pixel(cell, which)))
            .collect(),
        input: InputLayout::new(geometry).places(),
        gradient: GradientLayout::new(geometry, &phases).places(),
        sums: (0..phases.len())
            .map(|number| PhaseSums::new(geometry, &phases, number))
            .collect(),
        of_input: inputs
            .wants_input
            .then(|| Stencil::input_gradient(geometry, &phases, inputs.weight)),
    };
    let (of_input, partial) = inputs.in_chunks(CHUNK, |inputs, of_input| {
        Arch::new().dispatch(Chunk {
            plan: &plan,
            inputs,
            of_input,
        })
    });

    let mut total = Sums::zero(&plan);
    for sums in &partial {
        total.add(sums);
    }
    let mut of_weight = vec![0.0; inputs.weight.len()];
    for (phase, sums) in phases.iter().zip(&total.weights) {
        phase.add_gradient(geometry, sums, &mut of_weight);
    }
    Gradients {
        input: of_input,
        weight: of_weight,
        bias: total.bias,
    }
}

/// What is the same for all images.
struct Plan {
    geometry: Geometry,
    /// The places of input and gradient in vectors.
    input: Places,
    gradient: Places,
    sums: Vec<PhaseSums>,
    /// The pixels of the pool's windows.
    windows: Vec<[u32; WINDOW]>,
    /// Computes the gradient of the input.
    of_input: Option<Stencil>,
}

impl Plan {
    /// Writes the gradients of some images before ReLU and pool to `own`, `[filters, rows, columns]`
    /// for each image.
    fn before_activation(&self, gradient: &[f32], receivers: Option<&[u8]>, own: &mut Vec<f32>) {
        own.clear();
        let Some(receivers) = receivers else {
            own.extend(gradient.iter().map(|&gradient| tiny::gradient(gradient)));
            return;
        };
        let pairs = gradient.iter().zip(receivers);
        if !self.geometry.conv.pool {
            own.extend(pairs.map(|(&gradient, &receiver)| {
                let own = if receiver == NO_GRADIENT {
                    0.0
                } else {
                    gradient
                };
                tiny::gradient(own)
            }));
            return;
        }
        let [rows, columns] = self.geometry.convolved();
        let cells = self.geometry.cells();
        own.resize(gradient.len() / cells * rows * columns, 0.0);
        let planes = own.chunks_exact_mut(rows * columns);
        let windows = gradient
            .chunks_exact(cells)
            .zip(receivers.chunks_exact(cells));
        for (plane, (gradients, receivers)) in planes.zip(windows) {
            for ((&gradient, &receiver), pixels) in
                gradients.iter().zip(receivers).zip(&self.windows)
            {
                if let Some(&pixel) = pixels.get(usize::from(receiver)) {
                    plane[pixel as usize] = tiny::gradient(gradient);
                }
            }
        }
    }
}

/// The gradients of the weight of each phase, `[filters, taps, channels]`, and of the bias.
struct Sums {
    weights: Vec<Vec<f32>>,
    bias: Vec<f32>,
}

impl Sums {
    fn zero(plan: &Plan) -> Self {
        let filters = plan.geometry.filters;
        Self {
            weights: plan
                .sums
                .iter()
                .map(|sums| vec![0.0; sums.size()])
                .collect(),
            bias: vec![0.0; filters],
        }
    }

    fn add(&mut self, other: &Self) {
        let weights = self.weights.iter_mut().flatten();
        let others = other.weights.iter().flatten().chain(&other.bias);
        for (sum, value) in weights.chain(&mut self.bias).zip(others) {
            *sum += value;
        }
    }
}

/// The images of one chunk. One thread computes them.
struct Chunk<'a> {
    plan: &'a Plan,
    inputs: BackwardInputs<'a>,
    /// The gradient of the input, which is written.
    of_input: &'a mut [f32],
}

impl WithSimd for Chunk<'_> {
    type Output = Sums;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Sums {
        let plan = self.plan;
        let filters = plan.geometry.filters;
        let zero = simd.splat_f32s(0.0);
        // The last block of products may read behind the last value.
        let with_room = |mut buffer: Vec<S::f32s>| {
            buffer.extend([zero; PRODUCTS]);
            buffer
        };
        let mut values = with_room(plan.input.buffer(simd));
        let mut gradients = with_room(plan.gradient.buffer(simd));
        let mut sums: Vec<Vec<S::f32s>> = plan.sums.iter().map(|phase| phase.zero(simd)).collect();
        let mut of_bias = vec![zero; filters];
        let size = plan.geometry.input_size();
        let mut of_input = vec![zero; if plan.of_input.is_some() { size } else { 0 }];
        let outputs = plan.geometry.output_size() * S::F32_LANES;
        let mut own = Vec::new();
        let mut input_gradients = self.of_input.chunks_mut(size * S::F32_LANES);
        let mut receivers = self.inputs.receivers.chunks(outputs);
        let images = self.inputs.input.chunks(size * S::F32_LANES);
        for (images, gradient) in images.zip(self.inputs.gradient.chunks(outputs)) {
            plan.before_activation(gradient, receivers.next(), &mut own);
            plan.gradient.gather(simd, &own, &mut gradients);
            plan.input.gather(simd, images, &mut values);
            for (phase, sums) in plan.sums.iter().zip(&mut sums) {
                phase.add(simd, &values, &gradients, sums);
                for &[_, output] in &phase.pixels {
                    for (sum, &gradient) in of_bias.iter_mut().zip(&gradients[output..]) {
                        *sum = simd.add_f32s(*sum, gradient);
                    }
                }
            }
            if let Some((stencil, images)) = plan.of_input.as_ref().zip(input_gradients.next()) {
                stencil.run(simd, &gradients, &mut of_input, &mut []);
                scatter(simd, &of_input, images);
            }
        }
        let weights = plan.sums.iter().zip(&sums);
        Sums {
            weights: weights
                .map(|(phase, sums)| phase.over_lanes(simd, sums))
                .collect(),
            bias: of_bias
                .iter()
                .map(|&sum| simd.reduce_sum_f32s(sum))
                .collect(),
        }
    }
}

/// The number of products that are summed in registers at a time.
const PRODUCTS: usize = 8;

/// The gradient of a phase's weight: for each filter and each value around a pixel, the sum over all
/// pixels of the product of gradient and value.
struct PhaseSums {
    geometry: Geometry,
    /// The distance of each row of taps from the pixel, and the number of vectors in a row.
    runs: Vec<usize>,
    length: usize,
    /// For each output, the vectors at which its pixel and its gradient begin.
    pixels: Vec<[usize; 2]>,
}

impl PhaseSums {
    fn new(geometry: Geometry, phases: &[Phase], number: usize) -> Self {
        let phase = &phases[number];
        let input = InputLayout::new(geometry);
        let gradient = GradientLayout::new(geometry, phases);
        let rows = 0..phase.rows.outputs;
        let outputs =
            rows.flat_map(|row| (0..phase.columns.outputs).map(move |column| [row, column]));
        Self {
            geometry,
            runs: input.runs(phase),
            length: input.run_length(phase),
            pixels: outputs
                .map(|output| [input.start(output), gradient.start(number, output)])
                .collect(),
        }
    }

    /// The numbers of filters and of values whose products are computed together.
    fn block(&self) -> [usize; 2] {
        let filters = self.geometry.filters.min(2);
        [filters, PRODUCTS / filters]
    }

    /// The number of weights.
    fn size(&self) -> usize {
        self.geometry.filters * self.runs.len() * self.length
    }

    /// Zeros for the sums, `[blocks of filters][runs][blocks of values][filters][values]`.
    fn zero<S: Simd>(&self, simd: S) -> Vec<S::f32s> {
        let [filters, values] = self.block();
        let blocks = self.geometry.filters.div_ceil(filters)
            * self.runs.len()
            * self.length.div_ceil(values);
        vec![simd.splat_f32s(0.0); blocks * PRODUCTS]
    }

    /// Adds the products of all pixels to `sums`.
    #[inline(always)]
    fn add<S: Simd>(
        &self,
        simd: S,
        inputs: &[S::f32s],
        gradients: &[S::f32s],
        sums: &mut [S::f32s],
    ) {
        match self.block() {
            [1, _] => self.add_blocks::<S, 1, 8>(simd, inputs, gradients, sums),
            _ => self.add_blocks::<S, 2, 4>(simd, inputs, gradients, sums),
        }
    }

    /// [`PhaseSums::add`] for blocks of `F` filters and `V` values. In the last blocks there may be
    /// fewer. The sums of the others mean nothing.
    #[inline(always)]
    fn add_blocks<S: Simd, const F: usize, const V: usize>(
        &self,
        simd: S,
        inputs: &[S::f32s],
        gradients: &[S::f32s],
        sums: &mut [S::f32s],
    ) {
        let (rows, _) = sums.as_chunks_mut::<V>();
        let mut blocks = rows.as_chunks_mut::<F>().0.iter_mut();
        for filter in (0..self.geometry.filters).step_by(F) {
            for run in &self.runs {
                for value in (0..self.length).step_by(V) {
                    let Some(block) = blocks.next() else { return };
                    *block = add_products(
                        simd,
                        &self.pixels,
                        &inputs[run + value..],
                        &gradients[filter..],
                        *block,
                    );
                }
            }
        }
    }

    /// The sums over the lanes of `sums`, `[filters, taps, channels]`.
    fn over_lanes<S: Simd>(&self, simd: S, sums: &[S::f32s]) -> Vec<f32> {
        let [in_block, of_block] = self.block();
        let across = self.length.div_ceil(of_block);
        let mut found = Vec::with_capacity(self.size());
        for filter in 0..self.geometry.filters {
            for run in 0..self.runs.len() {
                for value in 0..self.length {
                    let block =
                        (filter / in_block * self.runs.len() + run) * across + value / of_block;
                    let at = (block * in_block + filter % in_block) * of_block;
                    found.push(simd.reduce_sum_f32s(sums[at + value % of_block]));
                }
            }
        }
        found
    }
}

/// Returns `sums`, to which the products of `F` gradients and `V` inputs are added for each of the
/// `pixels`. The sums have no address in the loop, so they stay in registers.
#[inline(always)]
fn add_products<S: Simd, const F: usize, const V: usize>(
    simd: S,
    pixels: &[[usize; 2]],
    inputs: &[S::f32s],
    gradients: &[S::f32s],
    mut sums: [[S::f32s; V]; F],
) -> [[S::f32s; V]; F] {
    for &[pixel, output] in pixels {
        let inputs = &inputs[pixel..][..V];
        for (sums, &gradient) in sums.iter_mut().zip(&gradients[output..][..F]) {
            for (sum, &input) in sums.iter_mut().zip(inputs) {
                *sum = simd.mul_add_e_f32s(gradient, input, *sum);
            }
        }
    }
    sums
}
