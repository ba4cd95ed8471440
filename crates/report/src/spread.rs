//! The mean and the standard deviation of some numbers.

/// The mean and the standard deviation of some numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// Mean of the numbers.
    pub mean: f64,
    /// Sample standard deviation of the numbers (divided by n - 1); `None` for a single
    /// number.
    pub deviation: Option<f64>,
    /// How many numbers there are.
    pub count: usize,
}

impl Spread {
    /// The standard error of the mean, if the numbers are independent: the deviation divided by
    /// the square root of their count. `None` for a single number.
    pub fn standard_error(&self) -> Option<f64> {
        Some(self.deviation? / (self.count as f64).sqrt())
    }

    /// The spread of `values`; `None` if there are no values.
    pub fn of(values: &[f64]) -> Option<Self> {
        let count = values.len();
        if count == 0 {
            return None;
        }
        // The mean of equal values is that value exactly; a sum would be rounded.
        let mean = if values.iter().all(|value| *value == values[0]) {
            values[0]
        } else {
            values.iter().sum::<f64>() / count as f64
        };
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        Some(Self {
            mean,
            deviation: (count > 1).then(|| (squares / (count - 1) as f64).sqrt()),
            count,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-12 * b.abs()
    }

    #[test]
    fn mean_and_sample_deviation() {
        // Python: statistics.mean and statistics.stdev of the same values.
        for (values, mean, deviation) in [
            (
                vec![0.0661, 0.0702, 0.0648],
                0.067_033_333_333_333_33,
                0.002_818_391_976_523_729,
            ),
            (
                // A small deviation from a large mean: a one-pass sum of squares
                // would lose its digits.
                vec![1e9 + 4.0, 1e9 + 7.0, 1e9 + 13.0, 1e9 + 16.0],
                1_000_000_010.0,
                5.477_225_575_051_661,
            ),
        ] {
            let spread = Spread::of(&values).expect("there are values");
            assert!(close(spread.mean, mean), "{spread:?}");
            let found = spread.deviation.expect("there are several values");
            assert!(close(found, deviation), "{spread:?}");
            assert_eq!(spread.count, values.len());
        }
    }

    #[test]
    fn the_mean_of_equal_values_is_that_value() {
        for value in [0.1, -0.7, 1e-300, 3.3] {
            for count in 1..=10 {
                let spread = Spread::of(&vec![value; count]).expect("there are values");
                assert_eq!(spread.mean, value, "{count} times");
                assert_eq!(spread.deviation.unwrap_or(0.0), 0.0);
            }
        }
    }

    #[test]
    fn one_value_has_no_deviation_and_none_has_no_mean() {
        let one = Spread::of(&[0.5]).expect("there is a value");
        assert_eq!((one.mean, one.deviation, one.count), (0.5, None, 1));
        assert_eq!(Spread::of(&[]), None);
    }
}
