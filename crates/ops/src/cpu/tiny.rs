//! Numbers that are too small to matter are zero.
//!
//! A 32-bit float below 2^-126 is subnormal. Processors compute with such numbers up to a hundred
//! times slower. In a network with sigmoids whose targets are dark pixels, many gradients and
//! averages become that small: without the functions here, an epoch of the deep autoencoder takes
//! twice as long.

/// Gradients smaller than this (2^-100) are zero. It is so far above the subnormal numbers that a
/// gradient times a weight or a value of a layer is not subnormal either. A gradient this small
/// changes no weight: the step of SGD is below 1e-30, and that of Adam, whose epsilon is 1e-7, below
/// 1e-23.
const SMALLEST_GRADIENT: f32 = f32::from_bits((127 - 100) << 23);

/// The gradient, or zero if it is too small to change a weight. NaN stays NaN.
#[inline(always)]
pub(crate) fn gradient(value: f32) -> f32 {
    if value.abs() < SMALLEST_GRADIENT {
        0.0
    } else {
        value
    }
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
        assert!(gradient(f32::NAN).is_nan() && normal(f32::NAN).is_nan());
    }
}
