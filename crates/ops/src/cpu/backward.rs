//! The backward pass of a convolution.
//!
//! There are two ways. With a pool or ReLU most gradients are zero, so one way visits only the pixels
//! that have a gradient. The other way computes all sums, for vectors of images. It is faster if the
//! input is doubled, because then there is less to compute, and in a first layer with few weights.

use super::backward_dense::dense;
use super::backward_inputs::BackwardInputs;
use super::backward_sparse::sparse;
use super::checks::{Gradients, check_length};
use super::geometry::Geometry;

/// A first layer with at most this number of weights has a dense backward pass. It was measured on
/// the first layer of `ae-conv`, which has 72 weights.
const FEW_WEIGHTS: usize = 128;

/// Computes the gradients of input, weight and bias from the `gradient` of the output
/// `[batch, filters, rows, columns]` and the `receivers` of the forward pass. The gradient of
/// the input is computed only if `wants_input`.
///
/// # Panics
///
/// If a slice does not have the size that `geometry` says, or if an image or the weight has
/// 2^32 values or more.
pub(crate) fn backward(
    geometry: Geometry,
    input: &[f32],
    weight: &[f32],
    receivers: &[u8],
    gradient: &[f32],
    wants_input: bool,
) -> Gradients {
    let [of_input, of_weight, _, of_output] = geometry.shapes();
    check_length("the input", input.len(), &of_input);
    check_length("the weight", weight.len(), &of_weight);
    check_length("the gradient", gradient.len(), &of_output);
    if geometry.conv.relu || geometry.conv.pool {
        check_length("the receivers", receivers.len(), &of_output);
    } else {
        assert!(
            receivers.is_empty(),
            "without ReLU and pool there are no receivers"
        );
    }
    let inputs = BackwardInputs {
        geometry,
        input,
        weight,
        receivers,
        gradient,
        wants_input,
    };
    let few_weights = weight.len() <= FEW_WEIGHTS && !wants_input;
    if geometry.conv.double || few_weights {
        dense(inputs)
    } else {
        sparse(inputs)
    }
}
