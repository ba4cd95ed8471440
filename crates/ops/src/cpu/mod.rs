//! The operations on slices of numbers: no tensors, no backend.
//!
//! A convolution is a sum over patches, and a library's matrix product would
//! want them copied out and packed first. On small images that copying costs
//! much beside the arithmetic. So the products of convolutions are written here,
//! over patches where they lie; those of fully connected layers are a library's.

mod backward;
mod dense;
mod forward;
mod geometry;
mod loss;
mod pass;
mod patches;

use std::mem::MaybeUninit;

/// Gradients of an operation's three inputs, in their own shapes; the first is
/// left out unless it is wanted.
pub(crate) struct Gradients {
    pub input: Option<Vec<f32>>,
    pub weight: Vec<f32>,
    pub bias: Vec<f32>,
}

pub(crate) use backward::backward as convolve_backward;
pub(crate) use dense::{Sizes, backward as dense_backward, forward as dense};
pub(crate) use forward::forward as convolve;
pub(crate) use geometry::Geometry;
pub(crate) use loss::{squared_error, squared_error_backward};
pub(crate) use pass::pass;

/// Numbers that were left unset because all of them would be written, and were.
///
/// # Safety
///
/// Every number has been written.
#[allow(
    unsafe_code,
    reason = "setting them to zero first is a pass over memory"
)]
unsafe fn all_written(numbers: Box<[MaybeUninit<f32>]>) -> Vec<f32> {
    // SAFETY: the caller wrote every number.
    unsafe { numbers.assume_init() }.into_vec()
}

/// Panics unless numbers have the length that their shape says: an operation would
/// leave out what is too much or too little.
#[track_caller]
fn is_whole(what: &str, length: usize, shape: &[usize]) {
    let size = shape
        .iter()
        .try_fold(1usize, |size, &side| size.checked_mul(side));
    assert!(
        size == Some(length),
        "{what} is {shape:?} and has {length} numbers"
    );
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;
    use crate::Conv;

    /// The panic of what breaks a contract.
    #[track_caller]
    pub(super) fn refusal<T>(of: impl FnOnce() -> T) -> String {
        let panic = match catch_unwind(AssertUnwindSafe(of)) {
            Ok(_) => panic!("it was taken"),
            Err(panic) => panic,
        };
        match panic.downcast::<String>() {
            Ok(text) => *text,
            Err(panic) => panic.downcast_ref::<&str>().expect("a text").to_string(),
        }
    }
    #[test]
    fn convolutions_refuse_other_sizes() {
        for (relu, pool, winners) in [(true, true, 18), (true, false, 72), (false, false, 0)] {
            let conv = Conv {
                padding: 1,
                relu,
                pool,
                ..Conv::default()
            };
            let geometry = Geometry::new([3, 2, 4, 6], [1, 2, 3, 3], conv);
            let outputs = 3 * geometry.output_size();
            assert!(winners == 0 || winners == outputs);
            // Of input, weight, bias, winners and gradient.
            let right = [144, 18, 1, winners, outputs];
            let run = |[input, weight, bias, winners, gradient]: [usize; 5]| {
                let [input, weight, bias, gradient] =
                    [input, weight, bias, gradient].map(|length| vec![1.0; length]);
                convolve(geometry, &input, &weight, &bias);
                let winners = vec![0; winners];
                convolve_backward(geometry, &input, &weight, &winners, &gradient, true);
            };
            run(right);
            for (which, length) in right.into_iter().enumerate() {
                for wrong in [0, length.saturating_sub(1), length + 1, 2 * length + 1] {
                    let mut lengths = right;
                    lengths[which] = wrong;
                    if wrong != length {
                        let panic = refusal(|| run(lengths));
                        let words = ["numbers", "there are no winners"];
                        assert!(words.iter().any(|end| panic.ends_with(end)), "{panic}");
                    }
                }
            }
        }
        for (input, weight) in [
            ([1, 0, 4, 4], [1, 0, 3, 3]),
            ([1, 1, 4, 4], [0, 1, 3, 3]),
            ([1, 1, 0, 4], [1, 1, 3, 3]),
            ([1, 1, 2, 4], [1, 1, 3, 3]),
            ([1, 2, 4, 4], [1, 1, 3, 3]),
            ([1, 1, 4, 4], [1, 1, 3, 2]),
        ] {
            refusal(|| Geometry::new(input, weight, Conv::default()));
        }
    }
}
