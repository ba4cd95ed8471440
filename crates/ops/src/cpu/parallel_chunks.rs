//! One pass over several slices of equal length, in parallel.

use pulp::Arch;
use rayon::prelude::*;

/// The number of values in a chunk. One thread computes a chunk.
const CHUNK: usize = 1 << 14;

/// Calls `each` on the chunks of `read` and `write`, which must have equal lengths. The chunks
/// are distributed over the threads. `each` is compiled for the vector registers of this
/// processor.
///
/// # Panics
///
/// If the lengths differ.
pub(crate) fn in_parallel_chunks<const N: usize>(
    read: &[f32],
    mut write: [&mut [f32]; N],
    each: impl Fn(&[f32], [&mut [f32]; N]) + Sync,
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
            (&read[from..from + size], write)
        })
        .collect();
    let arch = Arch::new();
    parts
        .into_par_iter()
        .for_each(|(read, write)| arch.dispatch(|| each(read, write)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::checks::panic_message;

    #[test]
    fn every_value_is_visited_once_and_unequal_lengths_panic() {
        for length in [0, 1, CHUNK, CHUNK + 1, 3 * CHUNK] {
            let read: Vec<f32> = (0..length).map(|at| at as f32).collect();
            let (mut one, mut other) = (vec![0.0; length], vec![0.0; length]);
            let copy = |read: &[f32], [one, other]: [&mut [f32]; 2]| {
                one.copy_from_slice(read);
                other.copy_from_slice(read);
            };
            in_parallel_chunks(&read, [&mut one, &mut other], copy);
            assert!(one == read && other == read);
        }
        for [read, one, other] in [[3, 4, 4], [0, 4, 4], [5, 4, 4], [4, 4, 3], [4, 0, 4]] {
            let (mut one, mut other) = (vec![0.0; one], vec![0.0; other]);
            let read = vec![0.0; read];
            let panic =
                panic_message(|| in_parallel_chunks(&read, [&mut one, &mut other], |_, _| {}));
            assert!(panic.contains("equal lengths"), "{panic}");
        }
    }
}
