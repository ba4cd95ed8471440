//! A fully connected layer. The library `gemm` computes the matrix products, unless most values of
//! the input are zero or the layer has few outputs. Bias, activation and allocation take as few
//! further passes over memory as possible.

use std::mem::MaybeUninit;

use rayon::prelude::*;

use super::activation::{activate, differentiate};
use super::checks::{Gradients, all_written, check_length};
use super::few_outputs::UsedVectors;
use super::product::{Matrix, add_product, multiply, parts};
use super::sparse::SparseMatrix;
use crate::options::Activation;

/// Fills `out` with copies of `row`, and returns it as initialized values.
///
/// # Panics
///
/// If the length of `out` is not a multiple of that of `row`.
#[allow(unsafe_code, reason = "see `all_written`")]
fn repeat<'out>(row: &[f32], out: &'out mut [MaybeUninit<f32>]) -> &'out mut [f32] {
    let rows = out.chunks_exact_mut(row.len());
    for out in rows {
        out.write_copy_of_slice(row);
    }
    check_length("a part", out.len(), &[out.len() / row.len(), row.len()]);
    // SAFETY: `check_length` has checked that `out` consists of whole rows, and each row has
    // been written.
    unsafe { out.assume_init_mut() }
}

/// Which values of a layer's input its products take. The others are zero.
#[derive(Debug, Clone)]
pub(crate) enum Nonzero {
    /// All values, zero or not.
    All,
    /// The values that are not zero.
    Values(SparseMatrix),
    /// The vectors in which not all values are zero.
    Vectors(UsedVectors),
}

impl Nonzero {
    /// Finds what the products of `x` `[rows, columns]` with a matrix of `outputs` columns take, so
    /// that they are fast.
    pub fn find(x: &[f32], columns: usize, outputs: usize) -> Self {
        let vectors = || UsedVectors::find(x, columns, outputs).map(Self::Vectors);
        let values = || SparseMatrix::find(x, columns, outputs).map(Self::Values);
        vectors().or_else(values).unwrap_or(Self::All)
    }
}

/// The sizes of a layer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    pub batch: usize,
    pub inputs: usize,
    pub outputs: usize,
}

/// Computes the activation of `x` `[batch, inputs]` times `weight` `[inputs, outputs]` plus
/// `bias` `[outputs]`. The result is `[batch, outputs]`. `nonzero` is of this `x`.
///
/// # Panics
///
/// If a slice does not have the size that `sizes` says.
#[allow(unsafe_code, reason = "see `all_written`")]
pub(crate) fn forward(
    sizes: Sizes,
    x: &[f32],
    weight: &[f32],
    bias: &[f32],
    nonzero: &Nonzero,
    activation: Activation,
) -> Vec<f32> {
    let Sizes {
        batch,
        inputs,
        outputs,
    } = sizes;
    let x = Matrix::new("x", x, [batch, inputs]);
    let weight = Matrix::new("the weight", weight, [inputs, outputs]);
    check_length("the bias", bias.len(), &[outputs]);
    let mut out = Box::new_uninit_slice(batch * outputs);
    match nonzero {
        Nonzero::Values(values) => values.multiply(weight.values, bias, activation, &mut out),
        Nonzero::Vectors(vectors) => {
            vectors.multiply(x.values, weight.values, bias, activation, &mut out);
        }
        Nonzero::All => {
            let products: Vec<_> = parts(x, weight, &mut out).collect();
            products.into_par_iter().for_each(|(x, weight, out)| {
                let sums = repeat(bias, out);
                add_product(x, weight, sums);
                activate(activation, sums);
            });
        }
    }
    // SAFETY: each `multiply` writes all of `out`. The parts cover all of `out`, and `repeat`
    // writes all of a part.
    unsafe { all_written(out) }
}

/// Computes the gradients of input, weight and bias from the layer's `output` and the
/// `gradient` of the output. It overwrites `gradient` with the gradient of the sums before
/// the activation. The gradient of the input is computed only if `wants_input`. `nonzero` is that
/// of the forward pass.
///
/// # Panics
///
/// If a slice does not have the size that `sizes` says.
#[allow(unsafe_code, reason = "see `all_written`")]
#[allow(
    clippy::too_many_arguments,
    reason = "they are those of the forward pass, and more"
)]
pub(crate) fn backward(
    sizes: Sizes,
    x: &[f32],
    weight: &[f32],
    output: &[f32],
    gradient: &mut [f32],
    nonzero: &Nonzero,
    activation: Activation,
    wants_input: bool,
) -> Gradients {
    let Sizes {
        batch,
        inputs,
        outputs,
    } = sizes;
    check_length("the output", output.len(), &[batch, outputs]);
    check_length("the gradient", gradient.len(), &[batch, outputs]);
    differentiate(activation, output, gradient);
    let sums = Matrix::new("the gradient", gradient, [batch, outputs]);
    let x = Matrix::new("x", x, [batch, inputs]).transpose();
    let weight = Matrix::new("the weight", weight, [inputs, outputs]).transpose();
    let mut of_weight = Box::new_uninit_slice(inputs * outputs);
    let mut of_input = wants_input.then(|| Box::new_uninit_slice(batch * inputs));
    let mut products: Vec<_> = match nonzero {
        Nonzero::Values(values) => {
            let zero = vec![0.0; outputs];
            let x = values.transpose();
            x.multiply(gradient, &zero, Activation::None, &mut of_weight);
            Vec::new()
        }
        Nonzero::Vectors(vectors) => {
            vectors.multiply_transposed(x.values, gradient, &mut of_weight);
            Vec::new()
        }
        Nonzero::All => parts(x, sums, &mut of_weight).collect(),
    };
    if let Some(of_input) = &mut of_input {
        products.extend(parts(sums, weight, of_input));
    }
    products
        .into_par_iter()
        .for_each(|(a, b, out)| multiply(a, b, out));
    let mut of_bias = vec![0.0; outputs];
    for row in gradient.chunks_exact(outputs.max(1)) {
        for (sum, value) in of_bias.iter_mut().zip(row) {
            *sum += value;
        }
    }
    // SAFETY: each `multiply` writes all of a product or of its part, and the parts cover all of
    // the product.
    let written = |values| unsafe { all_written(values) };
    Gradients {
        input: of_input.map(written),
        weight: written(of_weight),
        bias: of_bias,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::checks::panic_message;

    #[test]
    fn wrong_sizes_panic() {
        let sizes = Sizes {
            batch: 2,
            inputs: 3,
            outputs: 4,
        };
        // The lengths of x, weight, bias, output and gradient.
        let right = [6, 12, 4, 8, 8];
        let run = |lengths: [usize; 5]| {
            let [x, weight, bias, output, mut gradient] = lengths.map(|length| vec![1.0; length]);
            let relu = Activation::Relu;
            forward(sizes, &x, &weight, &bias, &Nonzero::All, relu);
            backward(
                sizes,
                &x,
                &weight,
                &output,
                &mut gradient,
                &Nonzero::All,
                relu,
                true,
            );
        };
        run(right);
        let names = ["x", "the weight", "the bias", "the output", "the gradient"];
        for (which, name) in names.into_iter().enumerate() {
            for length in [0, right[which] - 1, right[which] + 1, 2 * right[which]] {
                let mut lengths = right;
                lengths[which] = length;
                let panic = panic_message(|| run(lengths));
                assert!(panic.starts_with(&format!("{name} of shape [")), "{panic}");
                assert!(panic.ends_with(&format!("has {length} values")), "{panic}");
            }
        }
        let mut out = [MaybeUninit::new(0.0); 9];
        panic_message(|| repeat(&[1.0, 2.0], &mut out));
    }

    #[test]
    fn a_product_without_columns_is_zero_and_one_without_rows_is_empty() {
        let [none, bias] = [[0.0; 0].as_slice(), [3.0, -5.0].as_slice()];
        let sizes = |batch, inputs| Sizes {
            batch,
            inputs,
            outputs: 2,
        };
        let out = forward(
            sizes(2, 0),
            none,
            none,
            bias,
            &Nonzero::All,
            Activation::None,
        );
        assert_eq!(out, [3.0, -5.0, 3.0, -5.0]);
        let weight = [1.0; 6];
        let out = forward(
            sizes(0, 3),
            none,
            &weight,
            bias,
            &Nonzero::All,
            Activation::None,
        );
        assert!(out.is_empty());
        let mut gradient = [];
        let (x, act) = (none, Activation::None);
        let found = backward(
            sizes(0, 3),
            x,
            &weight,
            none,
            &mut gradient,
            &Nonzero::All,
            act,
            true,
        );
        assert_eq!(found.weight, [0.0; 6]);
        assert_eq!((found.bias, found.input), (vec![0.0; 2], Some(vec![])));
    }

    #[test]
    fn the_result_does_not_depend_on_the_number_of_threads() {
        // These sizes are near those at which `gemm` changes the order of its sums.
        let sizes = [
            [128, 588, 64],
            [88, 588, 65],
            [65, 600, 66],
            [257, 130, 70],
            [33, 700, 128],
            [128, 784, 512],
            [128, 784, 10],
        ];
        for [batch, inputs, outputs] in sizes {
            let values = |count: usize, step: usize| -> Vec<f32> {
                let value = |place| (place * step % 1009) as f32 / 1009.0 - 0.5;
                (0..count).map(value).collect()
            };
            let weight = values(inputs * outputs, 17);
            let bias = values(outputs, 7);
            let full = values(batch * inputs, 31);
            let mut mostly_zero = full.clone();
            for (place, value) in mostly_zero.iter_mut().enumerate() {
                *value = if place % 3 == 0 { *value } else { 0.0 };
            }
            let sizes = Sizes {
                batch,
                inputs,
                outputs,
            };
            let relu = Activation::Relu;
            for x in [full, mostly_zero] {
                let nonzero = Nonzero::find(&x, inputs, outputs);
                let nonzero = &nonzero;
                let layer = |threads: usize| {
                    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
                    pool.build().expect("threads").install(|| {
                        let out = forward(sizes, &x, &weight, &bias, nonzero, relu);
                        let mut gradient = values(batch * outputs, 13);
                        let [x, weight] = [&x, &weight];
                        let found =
                            backward(sizes, x, weight, &out, &mut gradient, nonzero, relu, true);
                        [out, found.weight, found.bias, found.input.expect("wanted")]
                    })
                };
                let expected = layer(1);
                for threads in [2, 3, 4, 7, 16] {
                    assert!(layer(threads) == expected, "{sizes:?}, {threads} threads");
                }
            }
        }
    }
}
