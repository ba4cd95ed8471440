//! Mean squared differences of rows, in one pass each way.

use pulp::Arch;
use rayon::prelude::*;

use super::{all_written, is_whole};

/// Rows that a thread takes at once.
const ROWS: usize = 32;

/// Sums that are added up side by side, for vectors.
const LANES: usize = 16;

/// The mean squared differences of `x` and `target` `[batch, numbers]`: `[batch]`.
///
/// # Panics
///
/// If they are of other sizes, or rows without numbers.
pub(crate) fn squared_error(x: &[f32], target: &[f32], numbers: usize) -> Vec<f32> {
    rows(x, target, numbers);
    let arch = Arch::new();
    let of_row = |(x, target)| arch.dispatch(|| mean_square(x, target));
    x.par_chunks_exact(numbers)
        .zip(target.par_chunks_exact(numbers))
        .with_min_len(ROWS)
        .map(of_row)
        .collect()
}

/// How many rows both are.
fn rows(x: &[f32], target: &[f32], numbers: usize) -> usize {
    assert!(numbers > 0, "the mean of no numbers is none");
    let rows = x.len() / numbers;
    is_whole("x", x.len(), &[rows, numbers]);
    is_whole("the target", target.len(), &[rows, numbers]);
    rows
}

#[inline(always)]
fn mean_square(x: &[f32], target: &[f32]) -> f32 {
    let mut sums = [0.0; LANES];
    let (x_lanes, x_rest) = x.as_chunks::<LANES>();
    let (target_lanes, target_rest) = target.as_chunks::<LANES>();
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
    sum / x.len() as f32
}

/// The gradient of `x` from that of each row, `[batch]`.
///
/// # Panics
///
/// As [`squared_error`].
#[allow(unsafe_code, reason = "as said at `all_written`")]
pub(crate) fn squared_error_backward(
    x: &[f32],
    target: &[f32],
    numbers: usize,
    gradient: &[f32],
) -> Vec<f32> {
    is_whole("the gradient", gradient.len(), &[rows(x, target, numbers)]);
    let arch = Arch::new();
    let mut of_x = Box::new_uninit_slice(x.len());
    of_x.par_chunks_exact_mut(numbers)
        .zip(x.par_chunks_exact(numbers))
        .zip(target.par_chunks_exact(numbers))
        .zip(gradient)
        .with_min_len(ROWS)
        .for_each(|(((of_x, x), target), gradient)| {
            let scale = 2.0 * gradient / numbers as f32;
            arch.dispatch(|| {
                for ((of_x, x), target) in of_x.iter_mut().zip(x).zip(target) {
                    of_x.write(scale * (x - target));
                }
            });
        });
    // SAFETY: there are as many rows of whole `numbers` in `of_x` as in the three that
    // it is zipped with, which was looked at above.
    unsafe { all_written(of_x) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::tests::refusal;

    #[test]
    fn other_lengths_are_refused() {
        for ([x, target, numbers, gradient], what) in [
            ([6, 6, 3, 1], "the gradient is [2] and has 1 numbers"),
            ([6, 6, 3, 0], "the gradient is [2] and has 0 numbers"),
            ([6, 6, 3, 3], "the gradient is [2] and has 3 numbers"),
            ([6, 3, 3, 2], "the target is [2, 3] and has 3 numbers"),
            ([6, 7, 3, 2], "the target is [2, 3] and has 7 numbers"),
            ([7, 7, 3, 2], "x is [2, 3] and has 7 numbers"),
            ([6, 6, 0, 2], "the mean of no numbers is none"),
        ] {
            let [x, target, gradient] = [x, target, gradient].map(|length| vec![1.0; length]);
            let panic = refusal(|| squared_error_backward(&x, &target, numbers, &gradient));
            assert_eq!(panic, what);
            if !what.contains("gradient") {
                assert_eq!(refusal(|| squared_error(&x, &target, numbers)), what);
            }
        }
        assert!(squared_error(&[], &[], 3).is_empty());
        assert!(squared_error_backward(&[], &[], 3, &[]).is_empty());
    }
}
