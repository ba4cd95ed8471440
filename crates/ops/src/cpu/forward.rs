//! The forward pass of a convolution. Bias, ReLU and pool are applied while the sums are still
//! in registers.
//!
//! There are two kernels, which give the same bits: each sum begins with the bias and adds the
//! products in the same order. In one, a vector holds the filters of one pixel. It is fast if
//! there are many filters and channels. In the other, a vector holds pixels of one filter.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::checks::check_length;
use super::forward_by_filters::ByFilters;
use super::forward_by_pixels::ByPixels;
use super::forward_kernel::{Kernel, NO_GRADIENT};
use super::geometry::{Geometry, LANES, padded};
use super::patches::Layout;

/// The number of images in a chunk. One thread computes a chunk.
const CHUNK: usize = 4;

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
    if pixels_are_faster(geometry) {
        forward_with(&ByPixels::new(geometry, weight, bias), geometry, input)
    } else {
        forward_with(&ByFilters::new(geometry, weight, bias), geometry, input)
    }
}

/// Whether vectors of pixels are faster than vectors of filters. These need patches that are not
/// copied, and waste the part of a vector for which there is no filter.
fn pixels_are_faster(geometry: Geometry) -> bool {
    let [_, columns] = geometry.output();
    let used = |count: usize| count as f64 / padded(count) as f64;
    Layout::of(geometry).is_copied()
        || geometry.filters < LANES && used(geometry.filters) <= used(columns)
}

/// The forward pass with `kernel`. The slices have the sizes that `geometry` says.
fn forward_with(kernel: &impl Kernel, geometry: Geometry, input: &[f32]) -> Output {
    let size = geometry.output_size();
    let mut values = vec![0.0; geometry.batch * size];
    let kept = geometry.conv.relu || geometry.conv.pool;
    let mut receivers = vec![NO_GRADIENT; if kept { values.len() } else { 0 }];
    let run = |index: usize, values: &mut [f32], receivers: &mut [u8]| {
        let from = index * CHUNK * geometry.input_size();
        let images = &input[from..][..values.len() / size * geometry.input_size()];
        Arch::new().dispatch(Chunk {
            kernel,
            images,
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

/// The images of one chunk.
struct Chunk<'a, K> {
    kernel: &'a K,
    images: &'a [f32],
    values: &'a mut [f32],
    receivers: &'a mut [u8],
}

impl<K: Kernel> WithSimd for Chunk<'_, K> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        self.kernel
            .run(simd, self.images, self.values, self.receivers);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Conv;

    /// Numbers that are not small multiples of each other, with many signs.
    fn numbers(count: usize, factor: f32) -> Vec<f32> {
        (0..count)
            .map(|index| (index as f32 * factor).sin())
            .collect()
    }

    #[test]
    fn both_kernels_give_the_same_bits() {
        let convs = [false, true].into_iter().flat_map(|double| {
            [0, 1, 2].into_iter().flat_map(move |padding| {
                [(false, false), (true, false), (false, true), (true, true)].map(|(relu, pool)| {
                    Conv {
                        double,
                        padding,
                        relu,
                        pool,
                    }
                })
            })
        });
        for conv in convs {
            for (channels, [height, width], filters, kernel) in [
                (1, [28, 28], 32, 3),
                (1, [7, 40], 5, 5),
                (2, [5, 3], 3, 3),
                (3, [9, 13], 6, 2),
                (3, [35, 34], 9, 3),
                (8, [6, 17], 1, 3),
                (4, [3, 4], 17, 1),
                (2, [4, 33], 7, 4),
            ] {
                let image = channels * height * width;
                let input = [5, channels, height, width];
                let shape = [filters, channels, kernel, kernel];
                if height.min(width) * if conv.double { 2 } else { 1 } + 2 * conv.padding
                    < kernel + 1
                {
                    continue; // No window of the pool fits.
                }
                let geometry = Geometry::new(input, shape, conv);
                let mut input = numbers(5 * image, 1.7);
                input[image / 2] = f32::NAN;
                // Where the input is zero, all values in a window are equal.
                input[2 * image..3 * image].fill(0.0);
                let weight = numbers(shape.iter().product(), 0.9);
                let bias = numbers(filters, 2.3);
                let filters = ByFilters::new(geometry, &weight, &bias);
                let pixels = ByPixels::new(geometry, &weight, &bias);
                let expected = forward_with(&filters, geometry, &input);
                let found = forward_with(&pixels, geometry, &input);
                let bits =
                    |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<u32>>();
                assert!(
                    bits(&found.values) == bits(&expected.values),
                    "{geometry:?}"
                );
                assert!(found.receivers == expected.receivers, "{geometry:?}");
            }
        }
    }
}
