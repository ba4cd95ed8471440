//! A fully connected layer: the matrix product of a library, and around it no
//! pass over memory that can be saved.

use std::mem::MaybeUninit;

use gemm::Parallelism;
use pulp::Arch;
use rayon::prelude::*;

use super::{Gradients, all_written, is_whole, pass};
use crate::Activation;

/// Below this many multiplications, other threads cost more than they help.
const WORTH_THREADS: usize = 1 << 21;

/// The library sums in another order where a product has at most as many rows
/// and columns, and where it has a single one: no part may be so small that a
/// number depends on how many threads there are.
const SMALL: usize = 64;
const FEWEST_ROWS: usize = 16;

/// A matrix, or a part of one, that lies in memory with these steps.
#[derive(Clone, Copy)]
struct Matrix<'a> {
    numbers: &'a [f32],
    rows: usize,
    columns: usize,
    row_step: usize,
    column_step: usize,
}

impl<'a> Matrix<'a> {
    /// In row-major order.
    fn new(what: &str, numbers: &'a [f32], [rows, columns]: [usize; 2]) -> Self {
        is_whole(what, numbers.len(), &[rows, columns]);
        Self {
            numbers,
            rows,
            columns,
            row_step: columns,
            column_step: 1,
        }
    }

    fn transpose(self) -> Self {
        Self {
            numbers: self.numbers,
            rows: self.columns,
            columns: self.rows,
            row_step: self.column_step,
            column_step: self.row_step,
        }
    }

    /// `rows` of its rows.
    fn of_rows(self, from: usize, rows: usize) -> Self {
        assert!(from <= self.rows && rows <= self.rows - from);
        Self {
            numbers: &self.numbers[from * self.row_step..],
            rows,
            ..self
        }
    }
}

/// `out = a b`: all of it is written.
#[allow(unsafe_code, reason = "the library's product takes pointers")]
fn multiply(a: Matrix, b: Matrix, out: &mut [MaybeUninit<f32>]) {
    // SAFETY: nothing is added to what is in `out`.
    unsafe { product(a, b, out, false) }
}

/// `out += a b`
#[allow(unsafe_code, reason = "the library's product takes pointers")]
fn add_product(a: Matrix, b: Matrix, out: &mut [f32]) {
    // SAFETY: numbers that are set are numbers that may be unset, and the product
    // leaves none unset.
    unsafe {
        let length = out.len();
        let out = std::slice::from_raw_parts_mut(out.as_mut_ptr().cast(), length);
        product(a, b, out, true);
    }
}

/// `out = a b`, or `out += a b`. The work of one thread: a number's sum has the same
/// order in whatever part of a product.
///
/// # Panics
///
/// If their shapes do not fit.
///
/// # Safety
///
/// If `add`, all of `out` has been written.
#[allow(unsafe_code, reason = "the library's product takes pointers")]
unsafe fn product(a: Matrix, b: Matrix, out: &mut [MaybeUninit<f32>], add: bool) {
    assert_eq!(a.columns, b.rows, "rows go with columns");
    is_whole("a product", out.len(), &[a.rows, b.columns]);
    // SAFETY: a matrix's steps stay within its numbers, as its constructors
    // see to, and `out` is borrowed alone. It is read only if `add`, and all of
    // it is written, even where `a` has no columns.
    unsafe {
        gemm::gemm(
            a.rows,
            b.columns,
            a.columns,
            out.as_mut_ptr().cast::<f32>(),
            1,
            b.columns as isize,
            add,
            a.numbers.as_ptr(),
            a.column_step as isize,
            a.row_step as isize,
            b.numbers.as_ptr(),
            b.column_step as isize,
            b.row_step as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

/// Writes `row` again and again, and returns what is written by that.
///
/// # Panics
///
/// If `out` is not of whole rows.
#[allow(unsafe_code, reason = "as said at `all_written`")]
fn repeat<'out>(row: &[f32], out: &'out mut [MaybeUninit<f32>]) -> &'out mut [f32] {
    let rows = out.chunks_exact_mut(row.len());
    for out in rows {
        out.write_copy_of_slice(row);
    }
    is_whole("a part", out.len(), &[out.len() / row.len(), row.len()]);
    // SAFETY: it is made of rows, and each was written.
    unsafe { out.assume_init_mut() }
}

/// Sizes of a layer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    pub batch: usize,
    pub inputs: usize,
    pub outputs: usize,
}

/// `x` `[batch, inputs]` times `weight` `[inputs, outputs]` plus `bias`
/// `[outputs]`, then the activation: `[batch, outputs]`.
///
/// # Panics
///
/// If they are of other sizes.
#[allow(unsafe_code, reason = "as said at `all_written`")]
pub(crate) fn forward(
    sizes: Sizes,
    x: &[f32],
    weight: &[f32],
    bias: &[f32],
    activation: Activation,
) -> Vec<f32> {
    let Sizes {
        batch,
        inputs,
        outputs,
    } = sizes;
    let x = Matrix::new("x", x, [batch, inputs]);
    let weight = Matrix::new("the weight", weight, [inputs, outputs]);
    is_whole("the bias", bias.len(), &[outputs]);
    let arch = Arch::new();
    let mut out = Box::new_uninit_slice(batch * outputs);
    let products: Vec<_> = parts(x, weight, &mut out).collect();
    products.into_par_iter().for_each(|(x, weight, out)| {
        let sums = repeat(bias, out);
        add_product(x, weight, sums);
        arch.dispatch(|| activate(sums, activation));
    });
    // SAFETY: `parts` leaves out no number, and `repeat` writes all that it is given.
    unsafe { all_written(out) }
}

#[inline(always)]
fn activate(sums: &mut [f32], activation: Activation) {
    match activation {
        Activation::None => {}
        Activation::Relu => {
            for value in sums {
                // What is no number stays.
                *value = if *value <= 0.0 { 0.0 } else { *value };
            }
        }
        Activation::Sigmoid => {
            for value in sums {
                *value = 1.0 / (1.0 + exp(-*value));
            }
        }
    }
}

/// From the layer's `output` and its `gradient`, which becomes that of the sums
/// before the activation. The input's is left out unless `wants_input`.
///
/// # Panics
///
/// As [`forward`].
#[allow(unsafe_code, reason = "as said at `all_written`")]
pub(crate) fn backward(
    sizes: Sizes,
    x: &[f32],
    weight: &[f32],
    output: &[f32],
    gradient: &mut [f32],
    activation: Activation,
    wants_input: bool,
) -> Gradients {
    let Sizes {
        batch,
        inputs,
        outputs,
    } = sizes;
    is_whole("the output", output.len(), &[batch, outputs]);
    is_whole("the gradient", gradient.len(), &[batch, outputs]);
    match activation {
        Activation::None => {}
        Activation::Relu => pass(output, [&mut *gradient], |output, [gradient]| {
            for (gradient, &output) in gradient.iter_mut().zip(output) {
                *gradient = if output == 0.0 { 0.0 } else { *gradient };
            }
        }),
        Activation::Sigmoid => pass(output, [&mut *gradient], |output, [gradient]| {
            for (gradient, &output) in gradient.iter_mut().zip(output) {
                *gradient *= output * (1.0 - output);
            }
        }),
    }
    let sums = Matrix::new("the gradient", gradient, [batch, outputs]);
    let x = Matrix::new("x", x, [batch, inputs]).transpose();
    let weight = Matrix::new("the weight", weight, [inputs, outputs]).transpose();
    let mut of_weight = Box::new_uninit_slice(inputs * outputs);
    let mut of_input = wants_input.then(|| Box::new_uninit_slice(batch * inputs));
    let mut products: Vec<_> = parts(x, sums, &mut of_weight).collect();
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
    // SAFETY: `parts` leaves out no number, and `multiply` writes all that it is given.
    let written = |numbers| unsafe { all_written(numbers) };
    Gradients {
        input: of_input.map(written),
        weight: written(of_weight),
        bias: of_bias,
    }
}

/// How many rows of `a` each thread multiplies with `b`.
fn rows_each(a: Matrix, b: Matrix) -> usize {
    if a.rows * a.columns * b.columns < WORTH_THREADS || b.columns <= SMALL {
        return a.rows;
    }
    let even = a.rows.div_ceil(rayon::current_num_threads());
    (even.max(FEWEST_ROWS)..a.rows)
        .find(|each| a.rows % each != 1)
        .unwrap_or(a.rows)
}

/// The product `a b` into `out`, in parts for the threads: rows of both. Together they
/// are all of `out`; whoever multiplies a part looks at its size.
fn parts<'a>(
    a: Matrix<'a>,
    b: Matrix<'a>,
    out: &'a mut [MaybeUninit<f32>],
) -> impl Iterator<Item = (Matrix<'a>, Matrix<'a>, &'a mut [MaybeUninit<f32>])> {
    let rows = rows_each(a, b);
    // A product without rows has no part.
    let parts = out.chunks_mut((rows * b.columns).max(1)).enumerate();
    parts.map(move |(part, out)| (a.of_rows(part * rows, out.len() / b.columns), b, out))
}

/// e^x within two units in the last place, in steps that a compiler turns into
/// vectors: e^x = 2^n e^r with n whole and |r| at most ln(2)/2, and the series
/// of e^r. Cody and Waite, Software Manual for the Elementary Functions, 1980.
#[inline(always)]
fn exp(x: f32) -> f32 {
    // Beyond these, 2^n is no normal number. What is no number passes.
    let x = if x < -87.0 { -87.0 } else { x };
    let x = if x > 88.0 { 88.0 } else { x };
    // Adding 1.5 * 2^23 rounds to a whole number, which is in the low bits.
    const SHIFT: f32 = 12_582_912.0;
    let shifted = x.mul_add(std::f32::consts::LOG2_E, SHIFT);
    let n = shifted - SHIFT;
    // ln(2) in two parts, the first with few bits, so that n times it is exact.
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
    use crate::cpu::tests::refusal;

    #[test]
    fn exp_is_that_of_64_bits() {
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
    fn other_sizes_are_refused() {
        let sizes = Sizes {
            batch: 2,
            inputs: 3,
            outputs: 4,
        };
        // Of x, weight, bias, output and gradient.
        let right = [6, 12, 4, 8, 8];
        let run = |lengths: [usize; 5]| {
            let [x, weight, bias, output, mut gradient] = lengths.map(|length| vec![1.0; length]);
            forward(sizes, &x, &weight, &bias, Activation::Relu);
            let relu = Activation::Relu;
            backward(sizes, &x, &weight, &output, &mut gradient, relu, true);
        };
        run(right);
        let names = ["x", "the weight", "the bias", "the output", "the gradient"];
        for (which, name) in names.into_iter().enumerate() {
            for length in [0, right[which] - 1, right[which] + 1, 2 * right[which]] {
                let mut lengths = right;
                lengths[which] = length;
                let panic = refusal(|| run(lengths));
                assert!(panic.starts_with(&format!("{name} is [")), "{panic}");
                assert!(panic.ends_with(&format!("has {length} numbers")), "{panic}");
            }
        }
        let numbers = [1.0; 12];
        let matrix = |shape: [usize; 2]| Matrix::new("a", &numbers[..shape[0] * shape[1]], shape);
        let mut out = [MaybeUninit::new(0.0); 9];
        refusal(|| multiply(matrix([2, 3]), matrix([4, 3]), &mut out[..6]));
        refusal(|| multiply(matrix([2, 3]), matrix([3, 4]), &mut out[..9]));
        refusal(|| repeat(&[1.0, 2.0], &mut out));
        refusal(|| matrix([2, 3]).of_rows(1, 2));
        refusal(|| matrix([2, 3]).of_rows(usize::MAX, 2));
        refusal(|| Matrix::new("a", &numbers, [usize::MAX, 2]));
    }

    #[test]
    fn a_product_of_no_columns_is_zero_and_one_of_no_rows_is_empty() {
        let [none, bias] = [[0.0; 0].as_slice(), [3.0, -5.0].as_slice()];
        let sizes = |batch, inputs| Sizes {
            batch,
            inputs,
            outputs: 2,
        };
        let out = forward(sizes(2, 0), none, none, bias, Activation::None);
        assert_eq!(out, [3.0, -5.0, 3.0, -5.0]);
        let weight = [1.0; 6];
        let out = forward(sizes(0, 3), none, &weight, bias, Activation::None);
        assert!(out.is_empty());
        let mut gradient = [];
        let (x, act) = (none, Activation::None);
        let found = backward(sizes(0, 3), x, &weight, none, &mut gradient, act, true);
        assert_eq!(found.weight, [0.0; 6]);
        assert_eq!((found.bias, found.input), (vec![0.0; 2], Some(vec![])));
    }

    #[test]
    fn the_number_of_threads_changes_no_bit() {
        // Around the sizes at which the library changes its way of summing.
        let sizes = [
            [128, 588, 64],
            [88, 588, 65],
            [65, 600, 66],
            [257, 130, 70],
            [33, 700, 128],
            [128, 784, 512],
        ];
        for [batch, inputs, outputs] in sizes {
            let numbers = |count: usize, step: usize| -> Vec<f32> {
                let number = |place| (place * step % 1009) as f32 / 1009.0 - 0.5;
                (0..count).map(number).collect()
            };
            let (x, weight) = (numbers(batch * inputs, 31), numbers(inputs * outputs, 17));
            let bias = numbers(outputs, 7);
            let sizes = Sizes {
                batch,
                inputs,
                outputs,
            };
            let layer = |threads: usize| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
                pool.build().expect("threads").install(|| {
                    let out = forward(sizes, &x, &weight, &bias, Activation::Relu);
                    let mut gradient = numbers(batch * outputs, 13);
                    let relu = Activation::Relu;
                    let found = backward(sizes, &x, &weight, &out, &mut gradient, relu, true);
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
