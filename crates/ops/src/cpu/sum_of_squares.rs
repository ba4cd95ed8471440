//! The sum of squares of a slice, in double precision.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// The number of values in a chunk. One thread sums a chunk. The size is fixed, so the result
/// does not depend on the number of threads.
const CHUNK: usize = 1 << 14;

/// The number of partial sums of a chunk, so that the compiler can use vector registers.
const LANES: usize = 16;

/// The sum of the squares of `values`. The square of every 32-bit number is exact in double
/// precision, and the sum does not overflow.
pub(crate) fn sum_of_squares(values: &[f32]) -> f64 {
    let arch = Arch::new();
    let chunks = values.par_chunks(CHUNK);
    let sums: Vec<f64> = chunks.map(|chunk| arch.dispatch(OfChunk(chunk))).collect();
    sums.iter().sum()
}

/// The sum of the squares of a chunk.
struct OfChunk<'a>(&'a [f32]);

impl WithSimd for OfChunk<'_> {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> f64 {
        let mut sums = [0.0; LANES];
        let (lanes, rest) = self.0.as_chunks::<LANES>();
        for values in lanes {
            for (sum, &value) in sums.iter_mut().zip(values) {
                *sum += f64::from(value) * f64::from(value);
            }
        }
        let rest = rest
            .iter()
            .map(|&value| f64::from(value) * f64::from(value));
        sums.iter().sum::<f64>() + rest.sum::<f64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_whole_numbers_are_exact() {
        for length in [0, 1, LANES + 1, CHUNK, 3 * CHUNK + 5] {
            let values: Vec<f32> = (0..length).map(|at| (at % 100) as f32 - 50.0).collect();
            let expected: i64 = (0..length as i64).map(|at| (at % 100 - 50).pow(2)).sum();
            assert_eq!(sum_of_squares(&values), expected as f64);
        }
    }

    #[test]
    fn large_and_small_numbers_do_not_overflow_and_nan_is_kept() {
        let large = f64::from(f32::MAX);
        assert_eq!(sum_of_squares(&[f32::MAX; 4]), 4.0 * large * large);
        assert!(sum_of_squares(&[1e-38; 9]) > 0.0);
        assert_eq!(sum_of_squares(&[1.0, f32::INFINITY]), f64::INFINITY);
        for at in [0, 20, CHUNK + 1] {
            let mut values = vec![1.0; 2 * CHUNK];
            values[at] = f32::NAN;
            assert!(sum_of_squares(&values).is_nan());
        }
    }
}
