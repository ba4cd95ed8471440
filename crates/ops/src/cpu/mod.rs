//! The arithmetic of the operations, on slices of values. It does not depend on Burn.
//!
//! A convolution is a sum over patches. The matrix product of a library needs copies of the
//! patches, and on small images the copying takes long compared with the arithmetic. So the
//! convolutions here have their own products, which read the patches inside the image. For
//! fully connected layers, the library `gemm` computes the products, unless most values of the
//! input are zero or there are few outputs.

mod activation;
mod backward;
mod backward_dense;
mod backward_inputs;
mod backward_sparse;
mod checks;
mod cross_entropy;
mod dense;
mod few_outputs;
mod forward;
mod geometry;
mod image_vectors;
mod parallel_chunks;
mod patches;
mod phases;
mod pool;
mod product;
mod sparse;
mod squared_error;
mod stencil;
mod sum_of_squares;
pub(crate) mod tiny;
mod vector_layouts;

pub(crate) use activation::{differentiate, sigmoid};
pub(crate) use backward::backward as conv2d_backward;
pub(crate) use checks::Gradients;
pub(crate) use cross_entropy::{CrossEntropy, cross_entropy, cross_entropy_backward};
pub(crate) use dense::{Nonzero, Sizes, backward as dense_backward, forward as dense};
pub(crate) use forward::forward as conv2d;
pub(crate) use geometry::Geometry;
pub(crate) use parallel_chunks::{Pass, in_parallel_chunks};
pub(crate) use squared_error::{squared_error, squared_error_backward};
pub(crate) use sum_of_squares::sum_of_squares;

#[cfg(test)]
mod tests {
    use super::checks::panic_message;
    use super::*;
    use crate::options::Conv;

    #[test]
    fn convolutions_panic_on_wrong_sizes() {
        for (relu, pool, receivers) in [(true, true, 18), (true, false, 72), (false, false, 0)] {
            let conv = Conv {
                padding: 1,
                relu,
                pool,
                ..Conv::default()
            };
            let geometry = Geometry::new([3, 2, 4, 6], [1, 2, 3, 3], conv);
            let outputs = 3 * geometry.output_size();
            assert!(receivers == 0 || receivers == outputs);
            // The lengths of input, weight, bias, receivers and gradient.
            let right = [144, 18, 1, receivers, outputs];
            let run = |[input, weight, bias, receivers, gradient]: [usize; 5]| {
                let [input, weight, bias, gradient] =
                    [input, weight, bias, gradient].map(|length| vec![1.0; length]);
                conv2d(geometry, &input, &weight, &bias);
                let receivers = vec![0; receivers];
                conv2d_backward(geometry, &input, &weight, &receivers, &gradient, true);
            };
            run(right);
            for (which, length) in right.into_iter().enumerate() {
                for wrong in [0, length.saturating_sub(1), length + 1, 2 * length + 1] {
                    let mut lengths = right;
                    lengths[which] = wrong;
                    if wrong != length {
                        let panic = panic_message(|| run(lengths));
                        let words = ["values", "there are no receivers"];
                        assert!(words.iter().any(|end| panic.ends_with(end)), "{panic}");
                    }
                }
            }
        }
        for (input, weight) in [
            ([1, 0, 4, 4], [1, 0, 3, 3]),
            ([1, 1, 4, 4], [0, 1, 3, 3]),
            ([1, 1, 0, 4], [1, 1, 3, 3]),
            ([1, 1, 2, 4], [1, 1, 3, 3]),
            ([1, 2, 4, 4], [1, 1, 3, 3]),
            ([1, 1, 4, 4], [1, 1, 3, 2]),
        ] {
            panic_message(|| Geometry::new(input, weight, Conv::default()));
        }
    }
}
