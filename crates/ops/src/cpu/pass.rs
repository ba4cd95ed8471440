//! One pass over numbers that lie side by side.

use pulp::Arch;
use rayon::prelude::*;

/// Numbers that a thread takes at once.
const CHUNK: usize = 1 << 14;

/// Lets `each` go over the numbers of `write`, all of one length, and of `read`,
/// of that length or empty: some at a time, by all threads, compiled for this
/// processor's vectors.
pub(crate) fn pass<const N: usize>(
    read: &[f32],
    mut write: [&mut [f32]; N],
    each: impl Fn(&[f32], [&mut [f32]; N]) + Sync,
) {
    let length = write.first().map_or(0, |numbers| numbers.len());
    let parts: Vec<_> = (0..length)
        .step_by(CHUNK)
        .map(|from| {
            let size = CHUNK.min(length - from);
            let write = write.each_mut().map(|rest| {
                let (part, after) = std::mem::take(rest).split_at_mut(size);
                *rest = after;
                part
            });
            (read.get(from..from + size).unwrap_or_default(), write)
        })
        .collect();
    let arch = Arch::new();
    parts
        .into_par_iter()
        .for_each(|(read, write)| arch.dispatch(|| each(read, write)));
}
