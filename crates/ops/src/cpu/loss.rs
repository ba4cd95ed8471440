//! Mean squared differences of rows, in one pass each way.

use pulp::Arch;
use rayon::prelude::*;

use super::all_written;

/// Rows that a thread takes at once.
const ROWS: usize = 32;

/// Sums that are added up side by side, for vectors.
const LANES: usize = 16;

/// The mean squared differences of `x` and `target` `[batch, numbers]`: `[batch]`.
pub(crate) fn squared_error(x: &[f32], target: &[f32], numbers: usize) -> Vec<f32> {
    let arch = Arch::new();
    let of_row = |(x, target)| arch.dispatch(|| mean_square(x, target));
    x.par_chunks_exact(numbers)
        .zip(target.par_chunks_exact(numbers))
        .with_min_len(ROWS)
        .map(of_row)
        .collect()
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

/// The gradient of `x` from that of each row.
pub(crate) fn squared_error_backward(
    x: &[f32],
    target: &[f32],
    numbers: usize,
    gradient: &[f32],
) -> Vec<f32> {
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
    all_written(of_x)
}
