//! The forward pass of a convolution. Bias, ReLU and pool are applied while the sums are still
//! in registers.

use pulp::{Arch, Simd, WithSimd, bytemuck};
use rayon::prelude::*;

use super::checks::check_length;
use super::geometry::Geometry;
use super::image_vectors::scatter;
use super::phases::phases;
use super::pool::NO_GRADIENT;
use super::stencil::Stencil;

/// The number of images in a chunk. One thread computes a chunk. It is a multiple of the number of
/// lanes of every processor.
const CHUNK: usize = 16;

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
    let stencil = Stencil::forward(geometry, &phases(geometry), weight, bias);
    let size = geometry.output_size();
    let mut values = vec![0.0; geometry.batch * size];
    let kept = geometry.conv.relu || geometry.conv.pool;
    let mut receivers = vec![NO_GRADIENT; if kept { values.len() } else { 0 }];
    let run = |index: usize, values: &mut [f32], receivers: &mut [u8]| {
        let from = index * CHUNK * geometry.input_size();
        let images = &input[from..][..values.len() / size * geometry.input_size()];
        Arch::new().dispatch(Chunk {
            stencil: &stencil,
            size: geometry.input_size(),
            images,
            values,
            receivers,
        });
    };
    let values_in_chunks = values.par_chunks_mut(CHUNK * size).enumerate();
    if kept {
        values_in_chunks
            .zip(receivers.par_chunks_mut(CHUNK * size))
            .for_each(|((index, values), receivers)| run(index, values, receivers));
    } else {
        values_in_chunks.for_each(|(index, values)| run(index, values, &mut []));
    }
    Output { values, receivers }
}

/// The images of one chunk.
struct Chunk<'a> {
    stencil: &'a Stencil,
    /// The number of values of an image.
    size: usize,
    images: &'a [f32],
    values: &'a mut [f32],
    receivers: &'a mut [u8],
}

impl WithSimd for Chunk<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let stencil = self.stencil;
        let size = stencil.outputs();
        let mut vectors = stencil.places.buffer(simd);
        let mut outputs = vec![simd.splat_f32s(0.0); size];
        let kept = if self.receivers.is_empty() { 0 } else { size };
        let mut places = vec![simd.splat_u32s(0); kept];
        let mut receivers = self.receivers.chunks_mut(size * S::F32_LANES);
        let images = self.images.chunks(self.size * S::F32_LANES);
        for (images, values) in images.zip(self.values.chunks_mut(size * S::F32_LANES)) {
            stencil.places.gather(simd, images, &mut vectors);
            stencil.run(simd, &vectors, &mut outputs, &mut places);
            scatter(simd, &outputs, values);
            if let Some(receivers) = receivers.next() {
                scatter_bytes(simd, &places, receivers);
            }
        }
    }
}

/// As [`scatter`], for numbers that fit into bytes.
#[inline(always)]
fn scatter_bytes<S: Simd>(simd: S, vectors: &[S::u32s], images: &mut [u8]) {
    // Four bytes are moved as one float.
    let mut shifts = [0, 8, 16, 24].map(|shift| simd.splat_u32s(shift));
    if cfg!(target_endian = "big") {
        shifts.reverse();
    }
    let mut packed = Vec::with_capacity(vectors.len().div_ceil(4));
    for numbers in vectors.chunks(4) {
        let mut bits = simd.splat_u32s(0);
        for (&number, &shift) in numbers.iter().zip(&shifts) {
            bits = simd.or_u32s(bits, simd.wrapping_dyn_shl_u32s(number, shift));
        }
        packed.push(simd.transmute_f32s_u32s(bits));
    }
    let count = images.len() / vectors.len();
    let mut words = vec![0.0f32; count * packed.len()];
    scatter(simd, &packed, &mut words);
    let words = words.chunks_exact(packed.len());
    for (image, words) in images.chunks_exact_mut(vectors.len()).zip(words) {
        let bytes: &[u8] = bytemuck::cast_slice(words);
        image.copy_from_slice(&bytes[..image.len()]);
    }
}
