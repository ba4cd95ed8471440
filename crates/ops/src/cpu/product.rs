//! Products of matrices by the library `gemm`, in parts for the threads.

use std::mem::MaybeUninit;

use gemm::Parallelism;

use super::checks::check_length;

/// The number of multiplications from which several threads are faster than one.
const MIN_PARALLEL_WORK: usize = 1 << 21;

/// `gemm` sums in another order if a product has at most this number of rows and of columns,
/// or only one row or one column. No part of a product may be so small, because the results
/// would then depend on the number of threads.
const SMALL: usize = 64;
/// The minimum number of rows in a part of a product.
const MIN_ROWS: usize = 16;

/// A matrix in memory, or some of its rows.
#[derive(Clone, Copy)]
pub(super) struct Matrix<'a> {
    pub values: &'a [f32],
    pub rows: usize,
    columns: usize,
    /// The distance from a value to the one below it.
    row_step: usize,
    /// The distance from a value to the one on its right.
    column_step: usize,
}

impl<'a> Matrix<'a> {
    /// Makes a matrix from its values, row by row. `what` names the matrix in a panic.
    pub fn new(what: &str, values: &'a [f32], [rows, columns]: [usize; 2]) -> Self {
        check_length(what, values.len(), &[rows, columns]);
        Self {
            values,
            rows,
            columns,
            row_step: columns,
            column_step: 1,
        }
    }

    pub fn transpose(self) -> Self {
        Self {
            values: self.values,
            rows: self.columns,
            columns: self.rows,
            row_step: self.column_step,
            column_step: self.row_step,
        }
    }

    /// The matrix of `rows` rows, beginning with row `from`.
    fn some_rows(self, from: usize, rows: usize) -> Self {
        assert!(from <= self.rows && rows <= self.rows - from);
        Self {
            values: &self.values[from * self.row_step..],
            rows,
            ..self
        }
    }
}

/// Computes `out = a b`. All of `out` is written.
#[allow(unsafe_code, reason = "`gemm` takes pointers")]
pub(super) fn multiply(a: Matrix, b: Matrix, out: &mut [MaybeUninit<f32>]) {
    // SAFETY: without `add`, `out` is not read.
    unsafe { product(a, b, out, false) }
}

/// Computes `out = out + a b`.
#[allow(unsafe_code, reason = "`gemm` takes pointers")]
pub(super) fn add_product(a: Matrix, b: Matrix, out: &mut [f32]) {
    // SAFETY: initialized values may be passed as possibly uninitialized values, and they stay
    // initialized.
    unsafe {
        let length = out.len();
        let out = std::slice::from_raw_parts_mut(out.as_mut_ptr().cast(), length);
        product(a, b, out, true);
    }
}

/// Computes `out = a b`, or `out = out + a b` if `add` is true, on one thread. Each value is summed in
/// the same order, even if the product is only a part of a larger product.
///
/// # Panics
///
/// If the shapes do not fit together.
///
/// # Safety
///
/// If `add` is true, all of `out` must have been written before.
#[allow(unsafe_code, reason = "`gemm` takes pointers")]
unsafe fn product(a: Matrix, b: Matrix, out: &mut [MaybeUninit<f32>], add: bool) {
    assert_eq!(
        a.columns, b.rows,
        "a must have as many columns as b has rows"
    );
    check_length("a product", out.len(), &[a.rows, b.columns]);
    // SAFETY: the constructors of `Matrix` check that its steps stay within its values, and
    // `out` is borrowed exclusively. It is read only if `add`, and all of it is written, even
    // if `a` has no columns.
    unsafe {
        gemm::gemm(
            a.rows,
            b.columns,
            a.columns,
            out.as_mut_ptr().cast::<f32>(),
            1,
            b.columns as isize,
            add,
            a.values.as_ptr(),
            a.column_step as isize,
            a.row_step as isize,
            b.values.as_ptr(),
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

/// The number of rows of `a` that each thread multiplies by `b`.
fn rows_each(a: Matrix, b: Matrix) -> usize {
    if a.rows * a.columns * b.columns < MIN_PARALLEL_WORK || b.columns <= SMALL {
        return a.rows;
    }
    let even = a.rows.div_ceil(rayon::current_num_threads());
    (even.max(MIN_ROWS)..a.rows)
        .find(|each| a.rows % each != 1)
        .unwrap_or(a.rows)
}

/// Cuts the product `a b` into parts for the threads: some rows of `a`, all of `b`, and the
/// rows of `out` that they give. The parts cover all of `out`.
pub(super) fn parts<'a>(
    a: Matrix<'a>,
    b: Matrix<'a>,
    out: &'a mut [MaybeUninit<f32>],
) -> impl Iterator<Item = (Matrix<'a>, Matrix<'a>, &'a mut [MaybeUninit<f32>])> {
    let rows = rows_each(a, b);
    // A product without rows has no parts.
    let parts = out.chunks_mut((rows * b.columns).max(1)).enumerate();
    parts.map(move |(part, out)| (a.some_rows(part * rows, out.len() / b.columns), b, out))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::checks::panic_message;

    #[test]
    fn shapes_that_do_not_fit_panic() {
        let values = [1.0; 12];
        let matrix = |shape: [usize; 2]| Matrix::new("a", &values[..shape[0] * shape[1]], shape);
        let mut out = [MaybeUninit::new(0.0); 9];
        panic_message(|| multiply(matrix([2, 3]), matrix([4, 3]), &mut out[..6]));
        panic_message(|| multiply(matrix([2, 3]), matrix([3, 4]), &mut out[..9]));
        panic_message(|| matrix([2, 3]).some_rows(1, 2));
        panic_message(|| matrix([2, 3]).some_rows(usize::MAX, 2));
        panic_message(|| Matrix::new("a", &values, [usize::MAX, 2]));
    }
}
