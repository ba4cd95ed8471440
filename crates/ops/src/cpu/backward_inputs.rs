//! What the backward pass of a convolution is given, and its division into chunks of images.

use rayon::prelude::*;

use super::geometry::Geometry;

/// The inputs of a backward pass, or those of some of its images.
#[derive(Debug, Clone, Copy)]
pub(super) struct BackwardInputs<'a> {
    pub geometry: Geometry,
    /// The input of the convolution, `[batch, channels, height, width]`.
    pub input: &'a [f32],
    /// The weight, `[filters, channels, kernel, kernel]`.
    pub weight: &'a [f32],
    /// The receivers of the forward pass; empty without ReLU and pool.
    pub receivers: &'a [u8],
    /// The gradient of the output, `[batch, filters, rows, columns]`.
    pub gradient: &'a [f32],
    /// Whether the gradient of the input is wanted.
    pub wants_input: bool,
}

impl BackwardInputs<'_> {
    /// Calls `run` with the inputs of each chunk of images, and with the chunk's part of the input's
    /// gradient, which is empty if it is not wanted. Returns this gradient and the results, in the
    /// order of the images. So the number of threads changes nothing.
    pub fn in_chunks<T: Send>(
        &self,
        images: usize,
        run: impl Fn(BackwardInputs<'_>, &mut [f32]) -> T + Sync,
    ) -> (Option<Vec<f32>>, Vec<T>) {
        let [size, outputs] = [self.geometry.input_size(), self.geometry.output_size()];
        let chunks = self.geometry.batch.div_ceil(images);
        let of_chunk = |index: usize| {
            let from = index * images;
            let to = self.geometry.batch.min(from + images);
            BackwardInputs {
                input: &self.input[from * size..to * size],
                receivers: self
                    .receivers
                    .get(from * outputs..to * outputs)
                    .unwrap_or_default(),
                gradient: &self.gradient[from * outputs..to * outputs],
                ..*self
            }
        };
        if !self.wants_input {
            let results = (0..chunks).into_par_iter();
            let results = results.map(|index| run(of_chunk(index), &mut [])).collect();
            return (None, results);
        }
        let mut of_input = vec![0.0; self.input.len()];
        let results = of_input
            .par_chunks_mut(images * size)
            .enumerate()
            .map(|(index, of_input)| run(of_chunk(index), of_input))
            .collect();
        (Some(of_input), results)
    }
}
