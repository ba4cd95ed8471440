//! One pass over numbers that lie side by side.

use pulp::Arch;
use rayon::prelude::*;

/// Numbers that a thread takes at once.
const CHUNK: usize = 1 << 14;

/// Lets `each` go over the numbers of `write` and of `read`, all of one length: some
/// at a time, by all threads, compiled for this processor's vectors.
///
/// # Panics
///
/// If their lengths differ.
pub(crate) fn pass<const N: usize>(
    read: &[f32],
    mut write: [&mut [f32]; N],
    each: impl Fn(&[f32], [&mut [f32]; N]) + Sync,
) {
    let length = read.len();
    for numbers in &write {
        assert_eq!(numbers.len(), length, "a pass is over numbers side by side");
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
    use crate::cpu::tests::refusal;

    #[test]
    fn every_number_is_passed_and_other_lengths_are_refused() {
        for length in [0, 1, CHUNK, CHUNK + 1, 3 * CHUNK] {
            let read: Vec<f32> = (0..length).map(|at| at as f32).collect();
            let (mut one, mut other) = (vec![0.0; length], vec![0.0; length]);
            let copy = |read: &[f32], [one, other]: [&mut [f32]; 2]| {
                one.copy_from_slice(read);
                other.copy_from_slice(read);
            };
            pass(&read, [&mut one, &mut other], copy);
            assert!(one == read && other == read);
        }
        for [read, one, other] in [[3, 4, 4], [0, 4, 4], [5, 4, 4], [4, 4, 3], [4, 0, 4]] {
            let (mut one, mut other) = (vec![0.0; one], vec![0.0; other]);
            let read = vec![0.0; read];
            let panic = refusal(|| pass(&read, [&mut one, &mut other], |_, _| {}));
            assert!(panic.contains("numbers side by side"), "{panic}");
        }
    }
}
