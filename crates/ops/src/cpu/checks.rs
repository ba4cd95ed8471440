//! The parts that the arithmetic of all operations shares: the gradients of an operation,
//! uninitialized memory, and checks of lengths.

use std::mem::MaybeUninit;

/// The gradients of an operation's input, weight and bias. Each has the shape of its tensor.
/// The gradient of the input is computed only on request.
pub(crate) struct Gradients {
    pub input: Option<Vec<f32>>,
    pub weight: Vec<f32>,
    pub bias: Vec<f32>,
}

/// Turns uninitialized values into initialized values, after all of them have been written.
///
/// # Safety
///
/// Every value must have been written.
#[allow(
    unsafe_code,
    reason = "setting the values to zero first would take another pass over memory"
)]
pub(super) unsafe fn all_written(values: Box<[MaybeUninit<f32>]>) -> Vec<f32> {
    // SAFETY: the caller has written every value.
    unsafe { values.assume_init() }.into_vec()
}

/// Panics unless a tensor of this `shape` has `length` values. With another length an
/// operation would skip values without an error. `what` names the tensor in the message.
#[track_caller]
pub(super) fn check_length(what: &str, length: usize, shape: &[usize]) {
    let size = shape
        .iter()
        .try_fold(1usize, |size, &side| size.checked_mul(side));
    assert!(
        size == Some(length),
        "{what} of shape {shape:?} has {length} values"
    );
}

/// The `count` values that `product` writes. It must write all of them.
#[cfg(test)]
#[allow(unsafe_code, reason = "see `all_written`")]
pub(super) fn written(count: usize, product: impl FnOnce(&mut [MaybeUninit<f32>])) -> Vec<f32> {
    let mut out = Box::new_uninit_slice(count);
    product(&mut out);
    // SAFETY: the product has written all values.
    unsafe { all_written(out) }
}

/// The message of the panic that `of` must cause.
#[cfg(test)]
#[track_caller]
pub(super) fn panic_message<T>(of: impl FnOnce() -> T) -> String {
    let panic = match std::panic::catch_unwind(std::panic::AssertUnwindSafe(of)) {
        Ok(_) => panic!("there was no panic"),
        Err(panic) => panic,
    };
    match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => panic.downcast_ref::<&str>().expect("a text").to_string(),
    }
}
