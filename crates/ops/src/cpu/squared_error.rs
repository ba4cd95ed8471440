//! Mean squared differences of rows. The forward pass and the backward pass each read the
//! values once.

use std::mem::MaybeUninit;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::checks::{all_written, check_length};

/// The minimum number of rows that one thread computes.
const ROWS: usize = 32;

/// The number of partial sums of a row, so that the compiler can use vector registers.
const LANES: usize = 16;

/// The mean squared differences, `[batch]`, of `x` and `target`, both `[batch, columns]`.
///
/// # Panics
///
/// If their sizes differ, or `columns` is 0.
pub(crate) fn squared_error(x: &[f32], target: &[f32], columns: usize) -> Vec<f32> {
    rows(x, target, columns);
    let arch = Arch::new();
    let of_row = |(x, target)| arch.dispatch(MeanSquare { x, target });
    x.par_chunks_exact(columns)
        .zip(target.par_chunks_exact(columns))
        .with_min_len(ROWS)
        .map(of_row)
        .collect()
}

/// The number of rows of `x` and `target`.
///
/// # Panics
///
/// If `x` and `target` do not have the same number of whole rows, or `columns` is 0.
fn rows(x: &[f32], target: &[f32], columns: usize) -> usize {
    assert!(columns > 0, "a row must have at least one column");
    let rows = x.len() / columns;
    check_length("x", x.len(), &[rows, columns]);
    check_length("the target", target.len(), &[rows, columns]);
    rows
}

/// The mean squared difference of two rows.
struct MeanSquare<'a> {
    x: &'a [f32],
    target: &'a [f32],
}

impl WithSimd for MeanSquare<'_> {
    type Output = f32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> f32 {
        let mut sums = [0.0; LANES];
        let (x_lanes, x_rest) = self.x.as_chunks::<LANES>();
        let (target_lanes, target_rest) = self.target.as_chunks::<LANES>();
        for (x, target) in x_lanes.iter().zip(target_lanes) {
            for ((sum, x), target) in sums.iter_mut().zip(x).zip(target) {
                let difference = x - target;
                *sum = difference.mul_add(difference, *sum);
            }
        }
        let mut sum: f32 = sums.iter().sum();
        for (x, target) in x_rest.iter().zip(target_rest) {
            sum += (x - target) * (x - target);
        }
        sum / self.x.len() as f32
    }
}

/// The gradient `scale * (x - target)` of a row.
struct ScaledDifference<'a> {
    scale: f32,
    x: &'a [f32],
    target: &'a [f32],
    out: &'a mut [MaybeUninit<f32>],
}

impl WithSimd for ScaledDifference<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let pairs = self.x.iter().zip(self.target);
        for (out, (x, target)) in self.out.iter_mut().zip(pairs) {
            out.write(self.scale * (x - target));
        }
    }
}

/// The gradient of `x`, from the `gradient` of each row's error, `[batch]`.
///
/// # Panics
///
/// If the sizes do not fit together, or `columns` is 0.
#[allow(unsafe_code, reason = "see `all_written`")]
pub(crate) fn squared_error_backward(
    x: &[f32],
    target: &[f32],
    columns: usize,
    gradient: &[f32],
) -> Vec<f32> {
    check_length("the gradient", gradient.len(), &[rows(x, target, columns)]);
    let arch = Arch::new();
    let mut of_x = Box::new_uninit_slice(x.len());
    of_x.par_chunks_exact_mut(columns)
        .zip(x.par_chunks_exact(columns))
        .zip(target.par_chunks_exact(columns))
        .zip(gradient)
        .with_min_len(ROWS)
        .for_each(|(((out, x), target), gradient)| {
            let scale = 2.0 * gradient / columns as f32;
            arch.dispatch(ScaledDifference {
                scale,
                x,
                target,
                out,
            });
        });
    // SAFETY: `rows` and `check_length` have checked that `x`, `target` and `gradient` have the
    // same number of rows as `of_x`, so every value has been written.
    unsafe { all_written(of_x) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::checks::panic_message;

    #[test]
    fn wrong_lengths_panic() {
        for ([x, target, columns, gradient], what) in [
            ([6, 6, 3, 1], "the gradient of shape [2] has 1 values"),
            ([6, 6, 3, 0], "the gradient of shape [2] has 0 values"),
            ([6, 6, 3, 3], "the gradient of shape [2] has 3 values"),
            ([6, 3, 3, 2], "the target of shape [2, 3] has 3 values"),
            ([6, 7, 3, 2], "the target of shape [2, 3] has 7 values"),
            ([7, 7, 3, 2], "x of shape [2, 3] has 7 values"),
            ([6, 6, 0, 2], "a row must have at least one column"),
        ] {
            let [x, target, gradient] = [x, target, gradient].map(|length| vec![1.0; length]);
            let panic = panic_message(|| squared_error_backward(&x, &target, columns, &gradient));
            assert_eq!(panic, what);
            if !what.contains("gradient") {
                assert_eq!(panic_message(|| squared_error(&x, &target, columns)), what);
            }
        }
        assert!(squared_error(&[], &[], 3).is_empty());
        assert!(squared_error_backward(&[], &[], 3, &[]).is_empty());
    }
}
