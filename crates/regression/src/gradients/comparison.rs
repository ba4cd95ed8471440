//! How far apart two gradients are.

/// The largest difference between two gradients, divided by the largest magnitude in
/// `expected`. The result is NaN if any value is NaN.
pub(super) fn relative_difference(gradient: &[f64], expected: &[f64]) -> f64 {
    let scale = largest_magnitude(expected.iter().copied());
    let pairs = gradient.iter().zip(expected);
    largest(pairs.map(|(a, b)| (a - b).abs() / scale))
}

/// The largest magnitude in `values`; NaN if any value is NaN, or if there are no values.
pub(super) fn largest_magnitude(values: impl IntoIterator<Item = f64>) -> f64 {
    largest(values.into_iter().map(f64::abs))
}

/// The largest of `values`; NaN if any value is NaN, or if there are no values. With
/// `f64::max`, which ignores NaN, gradients of NaN would seem to agree.
pub(super) fn largest(values: impl IntoIterator<Item = f64>) -> f64 {
    let larger = |one: f64, other: f64| {
        if one.is_nan() || one > other {
            one
        } else {
            other
        }
    };
    values.into_iter().reduce(larger).unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nan_counts_as_the_largest_difference() {
        for nan in [f64::NAN, -f64::NAN] {
            for place in 0..3 {
                let mut values = [1.0, -3.0, 2.0];
                values[place] = nan;
                assert!(largest(values).is_nan() && largest_magnitude(values).is_nan());
                let right = [1.0, -3.0, 2.0];
                assert!(relative_difference(&values, &right).is_nan());
                assert!(relative_difference(&right, &values).is_nan());
            }
            assert!(relative_difference(&[nan; 3], &[nan; 3]).is_nan());
        }
        assert!(largest([]).is_nan());
        assert_eq!(largest_magnitude([1.0, -3.0, 2.0]), 3.0);
        assert_eq!(largest([1.0, -3.0, 2.0]), 2.0);
        assert_eq!(relative_difference(&[1.0, -3.0], &[1.0, -4.0]), 0.25);
        assert_eq!(relative_difference(&[f64::INFINITY], &[1.0]), f64::INFINITY);
    }
}
