//! Numbers that are too small to matter are zero.
//!
//! A 32-bit float below 2^-126 is subnormal. Many processors compute slowly with such numbers. If a
//! sigmoid has a dark pixel as its target, its gradients and their averages become that small.
//! Without the functions here, an epoch of the deep autoencoder takes twice as long.

/// Gradients smaller than this (2^-100) are zero. It is far above the subnormal numbers, so that a
/// gradient times a weight or a value of a layer is rarely subnormal. A gradient this small changes
/// no weight: the step of SGD is below 1e-30, and that of Adam with an epsilon of 1e-7 below 1e-23.
const SMALLEST_GRADIENT: f32 = f32::from_bits((127 - 100) << 23);

/// A gradient or an average of gradients, or zero if it is too small to change a weight. NaN stays
/// NaN.
#[inline(always)]
pub(crate) fn gradient(value: f32) -> f32 {
    if value.abs() < SMALLEST_GRADIENT {
        0.0
    } else {
        value
    }
}

/// The square of the value, or zero if it would be subnormal. NaN stays NaN.
#[inline(always)]
pub(crate) fn square(value: f32) -> f32 {
    let smallest = f32::from_bits((127 - 63) << 23); // 2^-63
    let value = if value.abs() < smallest { 0.0 } else { value };
    value * value
}

/// The value, or zero if it is subnormal. NaN stays NaN.
#[inline(always)]
pub(crate) fn normal(value: f32) -> f32 {
    if value.abs() < f32::MIN_POSITIVE {
        0.0
    } else {
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_small_numbers_become_zero() {
        let power = |exponent: i32| 2f32.powi(exponent);
        assert_eq!(SMALLEST_GRADIENT, power(-100));
        for (value, of_gradient, of_normal) in [
            (1.0, 1.0, 1.0),
            (-power(-100), -power(-100), -power(-100)),
            (power(-101), 0.0, power(-101)),
            (-power(-126), 0.0, -power(-126)),
            (power(-127), 0.0, 0.0),
            (f32::INFINITY, f32::INFINITY, f32::INFINITY),
        ] {
            assert_eq!(gradient(value), of_gradient, "{value}");
            assert_eq!(normal(value), of_normal, "{value}");
        }
        assert_eq!(square(-power(-63)), power(-126));
        assert_eq!(square(0.99 * power(-63)), 0.0);
        assert_eq!(square(3.0), 9.0);
        for of_nan in [gradient(f32::NAN), square(f32::NAN), normal(f32::NAN)] {
            assert!(of_nan.is_nan());
        }
    }
}
