//! ReLU and max-pool, on sums in vector registers.

use pulp::Simd;

/// The receiver of a value where ReLU is zero: no input receives a gradient.
pub(crate) const NO_GRADIENT: u8 = 4;

/// The number of pixels in a pool's window.
pub(super) const WINDOW: usize = 4;

/// The largest of the `sums` in a pool's window, then ReLU if `relu`. Returns the values and
/// their receivers.
#[inline(always)]
pub(super) fn largest<S: Simd>(simd: S, sums: [S::f32s; WINDOW], relu: bool) -> (S::f32s, S::u32s) {
    let mut best = sums[0];
    let mut place = simd.splat_u32s(0);
    for (which, &sum) in (1u32..).zip(&sums[1..]) {
        // If values are equal, the first is taken. NaN is always taken, so that it reaches the
        // output.
        let takes = simd.greater_than_f32s(sum, best);
        let takes = simd.or_m32s(takes, is_nan(simd, sum));
        best = simd.select_f32s(takes, sum, best);
        place = simd.select_u32s(takes, simd.splat_u32s(which), place);
    }
    if relu {
        rectified(simd, best, place)
    } else {
        (best, place)
    }
}

/// ReLU of `sums`, and the receivers: `place`, or [`NO_GRADIENT`] where ReLU is zero.
#[inline(always)]
pub(super) fn rectified<S: Simd>(simd: S, sums: S::f32s, place: S::u32s) -> (S::f32s, S::u32s) {
    let zero = simd.splat_f32s(0.0);
    let dead = simd.less_than_or_equal_f32s(sums, zero);
    let no_gradient = simd.splat_u32s(u32::from(NO_GRADIENT));
    (
        simd.select_f32s(dead, zero, sums),
        simd.select_u32s(dead, no_gradient, place),
    )
}

#[inline(always)]
fn is_nan<S: Simd>(simd: S, x: S::f32s) -> S::m32s {
    simd.not_m32s(simd.equal_f32s(x, x))
}
