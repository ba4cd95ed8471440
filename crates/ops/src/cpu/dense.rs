//! A fully connected layer: the matrix product of a library, and around it no
//! pass over memory that can be saved.

use gemm::Parallelism;

use super::{Gradients, pass};
use crate::Activation;

/// Below this many multiplications, other threads cost more than they help.
const WORTH_THREADS: usize = 1 << 20;

/// Rows and columns of a matrix in row-major order, or of its transpose.
#[derive(Clone, Copy)]
struct Matrix<'a> {
    numbers: &'a [f32],
    rows: usize,
    columns: usize,
    transposed: bool,
}

impl<'a> Matrix<'a> {
    fn new(numbers: &'a [f32], [rows, columns]: [usize; 2]) -> Self {
        assert_eq!(numbers.len(), rows * columns);
        Self {
            numbers,
            rows,
            columns,
            transposed: false,
        }
    }

    fn transpose(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            transposed: !self.transposed,
            ..self
        }
    }

    /// Steps from column to column and from row to row.
    fn strides(&self) -> (isize, isize) {
        if self.transposed {
            (self.rows as isize, 1)
        } else {
            (1, self.columns as isize)
        }
    }
}

/// `out = a b`, or `out += a b`.
#[allow(unsafe_code, reason = "the library's product takes pointers")]
fn multiply(a: Matrix, b: Matrix, out: &mut [f32], add: bool) {
    assert_eq!(a.columns, b.rows);
    assert_eq!(out.len(), a.rows * b.columns);
    let work = a.rows * a.columns * b.columns;
    let parallelism = if work < WORTH_THREADS {
        Parallelism::None
    } else {
        Parallelism::Rayon(0)
    };
    let (a_column, a_row) = a.strides();
    let (b_column, b_row) = b.strides();
    // SAFETY: the strides walk over exactly the numbers of the slices, whose
    // lengths were checked, and `out` is borrowed alone.
    unsafe {
        gemm::gemm(
            a.rows,
            b.columns,
            a.columns,
            out.as_mut_ptr(),
            1,
            b.columns as isize,
            add,
            a.numbers.as_ptr(),
            a_column,
            a_row,
            b.numbers.as_ptr(),
            b_column,
            b_row,
            1.0,
            1.0,
            false,
            false,
            false,
            parallelism,
        );
    }
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
    let mut out = bias.repeat(batch);
    multiply(
        Matrix::new(x, [batch, inputs]),
        Matrix::new(weight, [inputs, outputs]),
        &mut out,
        true,
    );
    match activation {
        Activation::None => {}
        Activation::Relu => pass(&[], [&mut out], |_, [out]| {
            for value in out {
                // What is no number stays.
                *value = if *value <= 0.0 { 0.0 } else { *value };
            }
        }),
        Activation::Sigmoid => pass(&[], [&mut out], |_, [out]| {
            for value in out {
                *value = 1.0 / (1.0 + exp(-*value));
            }
        }),
    }
    out
}

/// From the layer's `output` and its `gradient`, which becomes that of the sums
/// before the activation. The input's is left out unless `wants_input`.
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
    let gradient_matrix = Matrix::new(gradient, [batch, outputs]);
    let mut of_weight = vec![0.0; inputs * outputs];
    let x = Matrix::new(x, [batch, inputs]).transpose();
    multiply(x, gradient_matrix, &mut of_weight, false);
    let mut of_bias = vec![0.0; outputs];
    for row in gradient.chunks_exact(outputs) {
        for (sum, value) in of_bias.iter_mut().zip(row) {
            *sum += value;
        }
    }
    let of_input = wants_input.then(|| {
        let mut of_input = vec![0.0; batch * inputs];
        let weight = Matrix::new(weight, [inputs, outputs]).transpose();
        multiply(gradient_matrix, weight, &mut of_input, false);
        of_input
    });
    Gradients {
        input: of_input,
        weight: of_weight,
        bias: of_bias,
    }
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
}
