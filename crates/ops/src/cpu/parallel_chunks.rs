//! One pass over several slices of equal length, in parallel.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// The number of values in a chunk. One thread computes a chunk.
const CHUNK: usize = 1 << 14;

/// What is done with the values in one pass over several slices.
pub(crate) trait Pass<const N: usize>: Sync {
    /// Reads the values of `read`, and changes those of `write`. All slices have equal lengths.
    ///
    /// Implementations must have the attribute `#[inline(always)]`. Without it, they would not be
    /// compiled for the vector registers of this processor.
    fn run(&self, read: &[f32], write: [&mut [f32]; N]);
}

/// A pass over some of the values. One thread computes it.
struct Part<'a, P, const N: usize> {
    pass: &'a P,
    read: &'a [f32],
    write: [&'a mut [f32]; N],
}

impl<P: Pass<N>, const N: usize> WithSimd for Part<'_, P, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        self.pass.run(self.read, self.write);
    }
}

/// Makes a pass over the chunks of `read` and `write`, which must have equal lengths. The chunks
/// are distributed over the threads.
///
/// # Panics
///
/// If the lengths differ.
pub(crate) fn in_parallel_chunks<const N: usize>(
    read: &[f32],
    mut write: [&mut [f32]; N],
    pass: &impl Pass<N>,
) {
    let length = read.len();
    for values in &write {
        assert_eq!(values.len(), length, "the slices must have equal lengths");
    }
    let parts: Vec<_> = (0..length)
        .step_by(CHUNK)
        .map(|from| {
            let size = CHUNK.min(length - from);
            let write = write.each_mut().map(|rest| {
                let (part, after) = std::mem::take(rest).split_at_mut(size);
                *rest = after;
                part
            });
            let read = &read[from..from + size];
            Part { pass, read, write }
        })
        .collect();
    let arch = Arch::new();
    parts.into_par_iter().for_each(|part| arch.dispatch(part));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::checks::panic_message;

    struct Copy;

    impl Pass<2> for Copy {
        #[inline(always)]
        fn run(&self, read: &[f32], [one, other]: [&mut [f32]; 2]) {
            one.copy_from_slice(read);
            other.copy_from_slice(read);
        }
    }

    #[test]
    fn every_value_is_visited_once_and_unequal_lengths_panic() {
        for length in [0, 1, CHUNK, CHUNK + 1, 3 * CHUNK] {
            let read: Vec<f32> = (0..length).map(|at| at as f32).collect();
            let (mut one, mut other) = (vec![0.0; length], vec![0.0; length]);
            in_parallel_chunks(&read, [&mut one, &mut other], &Copy);
            assert!(one == read && other == read);
        }
        for [read, one, other] in [[3, 4, 4], [0, 4, 4], [5, 4, 4], [4, 4, 3], [4, 0, 4]] {
            let (mut one, mut other) = (vec![0.0; one], vec![0.0; other]);
            let read = vec![0.0; read];
            let panic = panic_message(|| in_parallel_chunks(&read, [&mut one, &mut other], &Copy));
            assert!(panic.contains("equal lengths"), "{panic}");
        }
    }
}
