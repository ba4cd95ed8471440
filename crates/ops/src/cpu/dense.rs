//! A fully connected layer. The library `gemm` computes the matrix products, unless many columns of
//! the input are zero. Bias, activation
//! and allocation take as few further passes over memory as possible.

use std::mem::MaybeUninit;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::checks::{Gradients, all_written, check_length};
use super::parallel_chunks::{Pass, in_parallel_chunks};
use super::product::{Matrix, add_product, multiply, parts};
use super::tiny;
use super::used_columns::UsedColumns;
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

/// The sizes of a layer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    pub batch: usize,
    pub inputs: usize,
    pub outputs: usize,
}

/// Computes the activation of `x` `[batch, inputs]` times `weight` `[inputs, outputs]` plus
/// `bias` `[outputs]`. The result is `[batch, outputs]`. If `used` names the columns of x that are
/// not zero, the product takes only these.
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
    used: Option<&UsedColumns>,
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
    let arch = Arch::new();
    let mut out = Box::new_uninit_slice(batch * outputs);
    let products: Vec<_> = parts(x, weight, &mut out).collect();
    products.into_par_iter().for_each(|(x, weight, out)| {
        let sums = repeat(bias, out);
        match used {
            Some(used) => {
                used.add_product(&x.values[..x.rows * inputs], weight.values, sums, outputs);
            }
            None => add_product(x, weight, sums),
        }
        arch.dispatch(Activate { sums, activation });
    });
    // SAFETY: the parts cover all of `out`, and `repeat` writes all of a part.
    unsafe { all_written(out) }
}

/// Replaces sums by their activations.
struct Activate<'a> {
    sums: &'a mut [f32],
    activation: Activation,
}

impl WithSimd for Activate<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        match self.activation {
            Activation::None => {}
            Activation::Relu => {
                for value in self.sums {
                    // NaN stays NaN, because it is not <= 0.
                    *value = if *value <= 0.0 { 0.0 } else { *value };
                }
            }
            Activation::Sigmoid => {
                for value in self.sums {
                    *value = 1.0 / (1.0 + exp(-*value));
                }
            }
        }
    }
}

/// Replaces the gradients of an activation's output by those of its input.
struct Differentiate(Activation);

impl Pass<1> for Differentiate {
    #[inline(always)]
    fn run(&self, output: &[f32], [gradient]: [&mut [f32]; 1]) {
        let pairs = gradient.iter_mut().zip(output);
        match self.0 {
            Activation::None => {
                for (gradient, _) in pairs {
                    *gradient = tiny::gradient(*gradient);
                }
            }
            Activation::Relu => {
                for (gradient, &output) in pairs {
                    let own = if output == 0.0 { 0.0 } else { *gradient };
                    *gradient = tiny::gradient(own);
                }
            }
            Activation::Sigmoid => {
                for (gradient, &output) in pairs {
                    *gradient = tiny::gradient(*gradient * (output * (1.0 - output)));
                }
            }
        }
    }
}

/// Computes the gradients of input, weight and bias from the layer's `output` and the
/// `gradient` of the output. It overwrites `gradient` with the gradient of the sums before
/// the activation. The gradient of the input is computed only if `wants_input`. `used` is that of
/// the forward pass.
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
    used: Option<&UsedColumns>,
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
    in_parallel_chunks(output, [&mut *gradient], &Differentiate(activation));
    let sums = Matrix::new("the gradient", gradient, [batch, outputs]);
    let x = Matrix::new("x", x, [batch, inputs]).transpose();
    let weight = Matrix::new("the weight", weight, [inputs, outputs]).transpose();
    let mut of_weight = Box::new_uninit_slice(inputs * outputs);
    let mut of_input = wants_input.then(|| Box::new_uninit_slice(batch * inputs));
    let mut products: Vec<_> = match used {
        Some(used) => {
            used.transposed_product(x.values, gradient, &mut of_weight, outputs);
            Vec::new()
        }
        None => parts(x, sums, &mut of_weight).collect(),
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
    // SAFETY: the parts cover all of the output, and `multiply` writes all of a part.
    let written = |values| unsafe { all_written(values) };
    Gradients {
        input: of_input.map(written),
        weight: written(of_weight),
        bias: of_bias,
    }
}

/// e^x with an error of at most two units in the last place. The compiler can vectorize all
/// steps. The function computes e^x = 2^n e^r, where n is an integer and |r| is at most
/// ln(2)/2. A series gives e^r (Cody and Waite, Software Manual for the Elementary Functions,
/// 1980).
#[inline(always)]
fn exp(x: f32) -> f32 {
    // Outside this range 2^n is not a normal number. In both comparisons NaN stays NaN.
    let x = if x < -87.0 { -87.0 } else { x };
    let x = if x > 88.0 { 88.0 } else { x };
    // Adding 1.5 * 2^23 rounds to an integer, which is then in the low bits of the float.
    const SHIFT: f32 = 12_582_912.0;
    let shifted = x.mul_add(std::f32::consts::LOG2_E, SHIFT);
    let n = shifted - SHIFT;
    // ln(2) is split into two parts. The first part has so few bits that its product with n is
    // exact.
    let r = n.mul_add(-0.693_359_4, x);
    let r = n.mul_add(2.121_944_4e-4, r);
    let mut series = 1.0 / 5040.0;
    for inverse in [
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
        1.0,
        1.0,
    ] {
        series = r.mul_add(series, inverse);
    }
    let power = shifted.to_bits().wrapping_add(127) << 23;
    series * f32::from_bits(power)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::checks::panic_message;

    #[test]
    fn exp_agrees_with_64_bits() {
        for step in -8_700..=8_800 {
            let x = step as f32 / 100.0;
            let expected = f64::from(x).exp();
            let error = (f64::from(exp(x)) - expected).abs() / expected;
            assert!(error < 2.0 * f64::from(f32::EPSILON), "{x}: {error}");
        }
        assert_eq!(exp(0.0), 1.0);
        assert!(exp(f32::NAN).is_nan());
        assert!(exp(f32::NEG_INFINITY) < 1e-37 && exp(f32::INFINITY) > 1e38);
    }

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
            forward(sizes, &x, &weight, &bias, None, relu);
            backward(sizes, &x, &weight, &output, &mut gradient, None, relu, true);
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
        let out = forward(sizes(2, 0), none, none, bias, None, Activation::None);
        assert_eq!(out, [3.0, -5.0, 3.0, -5.0]);
        let weight = [1.0; 6];
        let out = forward(sizes(0, 3), none, &weight, bias, None, Activation::None);
        assert!(out.is_empty());
        let mut gradient = [];
        let (x, act) = (none, Activation::None);
        let found = backward(
            sizes(0, 3),
            x,
            &weight,
            none,
            &mut gradient,
            None,
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
        ];
        for [batch, inputs, outputs] in sizes {
            let values = |count: usize, step: usize| -> Vec<f32> {
                let value = |place| (place * step % 1009) as f32 / 1009.0 - 0.5;
                (0..count).map(value).collect()
            };
            let weight = values(inputs * outputs, 17);
            let bias = values(outputs, 7);
            let full = values(batch * inputs, 31);
            let mut sparse = full.clone();
            for (place, value) in sparse.iter_mut().enumerate() {
                *value = if place % inputs % 3 == 0 { 0.0 } else { *value };
            }
            let sizes = Sizes {
                batch,
                inputs,
                outputs,
            };
            let relu = Activation::Relu;
            for x in [full, sparse] {
                let used = UsedColumns::find(&x, inputs, outputs);
                let used = used.as_ref();
                let layer = |threads: usize| {
                    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
                    pool.build().expect("threads").install(|| {
                        let out = forward(sizes, &x, &weight, &bias, used, relu);
                        let mut gradient = values(batch * outputs, 13);
                        let [x, weight] = [&x, &weight];
                        let found =
                            backward(sizes, x, weight, &out, &mut gradient, used, relu, true);
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
