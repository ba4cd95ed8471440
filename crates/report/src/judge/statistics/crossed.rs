//! The mean of a table of seeds by images, with the mean squares of its rows and columns.

use crate::judge::scale::Scale;
use crate::judge::statistics::estimate::{Estimate, Source};
use crate::spread::Spread;

/// The mean of a table of seeds by images, with its mean squares.
///
/// Both are random: other seeds could have been trained, and other images drawn. This is the two-way
/// random effects model with one value in each place,
///
/// ```text
/// d[s][i] = mean + seed[s] + image[i] + rest[s][i],
/// ```
///
/// with the mean squares of the analysis of variance (Brennan 2001, "Generalizability Theory",
/// chapter 2). Studies in which several readers judge the same cases use the same model, with
/// readers in the place of seeds (Dorfman, Berbaum and Metz 1992):
///
/// ```text
/// MS(seeds)  = images * sum((rows[s] - mean)^2) / (seeds - 1)
/// MS(images) = seeds * sum((columns[i] - mean)^2) / (images - 1)
/// MS(rest)   = sum((d[s][i] - rows[s] - columns[i] + mean)^2) / ((seeds - 1) (images - 1))
/// ```
///
/// where `rows` and `columns` are means of the table's rows and columns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct MeanSquares {
    /// The number of rows.
    pub(crate) seeds: usize,
    /// The number of columns.
    pub(crate) images: usize,
    /// The mean of the table.
    pub(crate) mean: f64,
    /// MS(seeds); `None` for a single row, which has no spread between seeds.
    pub(crate) of_seeds: Option<f64>,
    /// MS(images).
    pub(crate) of_images: f64,
    /// MS(rest); 0 for a single row.
    pub(crate) of_rest: f64,
}

impl MeanSquares {
    /// Those of `table` (`[seeds][images]`), in which each seed was tested on the same images.
    ///
    /// The caller of a single row makes sure that the value does not depend on the seed. `None` if
    /// there are fewer than two images, or if the rows differ in length.
    pub(crate) fn of(table: &[Vec<f64>]) -> Option<Self> {
        let images = table.first()?.len();
        if images < 2 || table.iter().any(|row| row.len() != images) {
            return None;
        }
        let seeds = table.len();
        let rows: Vec<f64> = table.iter().map(|row| mean(row)).collect();
        let center = mean(&rows);
        let mut columns = vec![0.0; images];
        for row in table {
            for (sum, value) in columns.iter_mut().zip(row) {
                *sum += value / seeds as f64;
            }
        }
        let mut squares = 0.0;
        for (row, row_mean) in table.iter().zip(&rows) {
            for (value, column) in row.iter().zip(&columns) {
                squares += (value - row_mean - column + center).powi(2);
            }
        }
        let degrees = (seeds - 1) as f64 * (images - 1) as f64;
        Some(Self {
            seeds,
            images,
            mean: center,
            of_seeds: variance(&rows).map(|variance| variance * images as f64),
            of_images: variance(&columns)? * seeds as f64,
            of_rest: if seeds > 1 { squares / degrees } else { 0.0 },
        })
    }

    /// The estimate of the mean, which lies on `scale`. Each of its variances is a mean square
    /// divided by the number of values in the table.
    pub(crate) fn estimate(&self, scale: Scale) -> Estimate {
        let values = (self.seeds * self.images) as f64;
        let source = |square: f64, levels: usize| Source {
            variance: square / values,
            df: (levels - 1) as f64,
        };
        Estimate {
            mean: self.mean,
            scale,
            seeds: self.of_seeds.map(|square| source(square, self.seeds)),
            images: Some(source(self.of_images, self.images)),
            rest: self.of_rest / values,
        }
    }
}

/// The sample variance of numbers; `None` for fewer than two.
fn variance(numbers: &[f64]) -> Option<f64> {
    let deviation = Spread::of(numbers)?.deviation?;
    Some(deviation * deviation)
}

/// The mean of numbers, which are not empty.
fn mean(numbers: &[f64]) -> f64 {
    Spread::of(numbers).map_or(0.0, |spread| spread.mean)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64) -> bool {
        (found - expected).abs() <= 1e-9 * expected.abs().max(1.0)
    }

    fn estimate(table: &[Vec<f64>]) -> Option<Estimate> {
        Some(MeanSquares::of(table)?.estimate(Scale::Linear))
    }

    /// A table of three seeds by five images.
    fn table(of_seeds: [f64; 3]) -> Vec<Vec<f64>> {
        let table = [
            [0.5, -1.0, 2.0, 0.0, 1.5],
            [1.0, -0.5, 2.5, 0.5, 0.0],
            [0.0, 0.5, 1.0, -1.5, 2.0],
        ];
        let rows = table.iter().zip(of_seeds);
        rows.map(|(row, seed)| row.iter().map(|value| value + seed).collect())
            .collect()
    }

    /// Expected values are from NumPy 2.4 and SciPy 1.17, independently of this code:
    ///
    /// ```python
    /// d = np.array(table); S, n = d.shape; N = S * n
    /// rows, cols, m = d.mean(1), d.mean(0), d.mean()
    /// mss = n * ((rows - m)**2).sum() / (S - 1) / N
    /// msi = S * ((cols - m)**2).sum() / (n - 1) / N
    /// msr = ((d - rows[:, None] - cols + m)**2).sum() / ((S - 1) * (n - 1)) / N
    /// def reach(p):
    ///     ts, ti = stats.t.isf(p / 2, S - 1), stats.t.isf(p / 2, n - 1)
    ///     return np.sqrt(max(ts**2 * mss + ti**2 * max(msi - msr, 0), ti**2 * msi))
    /// se = np.sqrt(max(mss + msi - msr, mss, msi))
    /// interval = m - reach(0.05), m + reach(0.05)
    /// p = brentq(lambda p: reach(p) - abs(m - bound), 1e-9, 1 - 1e-9, xtol=1e-14)
    /// ```
    #[test]
    fn mean_squares_interval_and_risk_are_those_of_numpy_and_scipy() {
        let alone = estimate(&table([0.0; 3])).expect("an estimate");
        let both = estimate(&table([0.0, 2.0, 0.5])).expect("an estimate");
        let expected = [
            0.566_666_666_666_667,  // mean
            0.007_777_777_777_778,  // seeds
            0.179_444_444_444_444,  // images
            0.057_777_777_777_778,  // rest
            0.423_608_834_237_961,  // standard error
            -0.609_460_007_671_864, // low
            1.742_793_341_005_198,  // high
            0.020_864_984_512_159,  // risk of being at least -1
        ];
        check(&alone, expected);
        let expected = [
            1.4,                    // mean
            0.43,                   // seeds
            0.179_444_444_444_444,  // images
            0.057_777_777_777_778,  // rest
            0.742_742_665_171_906,  // standard error
            -1.583_018_313_198_507, // low
            4.383_018_313_198_507,  // high
            0.075_395_916_861_415,  // risk of being at least -1
        ];
        check(&both, expected);
    }

    fn check(found: &Estimate, expected: [f64; 8]) {
        let (low, high) = found.interval(0.95);
        let risks = found.risks((-1.0, f64::INFINITY));
        assert_eq!(risks.refuted, 1.0);
        let found = [
            found.mean,
            found.seeds.expect("seeds").variance,
            found.images.expect("images").variance,
            found.rest,
            found.standard_error(),
            low,
            high,
            risks.supported,
        ];
        for (found, expected) in found.into_iter().zip(expected) {
            assert!(close(found, expected), "{found}, not {expected}");
        }
    }

    #[test]
    fn one_row_has_images_as_its_only_source() {
        let one = estimate(&table([0.0; 3])[..1]).expect("an estimate");
        assert_eq!((one.seeds, one.rest), (None, 0.0));
        // scipy.stats.t.interval(0.95, 4, d.mean(), scipy.stats.sem(d)) of the first row
        let (low, high) = one.interval(0.95);
        assert!(
            close(low, -0.882_216_082_533_308) && close(high, 2.082_216_082_533_308),
            "{low} {high}"
        );
    }

    #[test]
    fn tables_that_cannot_be_judged_have_no_estimate() {
        let rows = |table: &[&[f64]]| table.iter().map(|row| row.to_vec()).collect::<Vec<_>>();
        for table in [
            rows(&[]),
            rows(&[&[], &[]]),
            rows(&[&[1.0], &[2.0]]),
            rows(&[&[1.0, 2.0], &[1.0]]),
        ] {
            assert_eq!(MeanSquares::of(&table), None, "{table:?}");
        }
    }

    #[test]
    fn equal_seeds_leave_the_images_as_the_only_spread() {
        let row = vec![0.0, 1.0, 1.0, 0.0];
        let same = estimate(&[row.clone(), row.clone(), row]).expect("an estimate");
        assert_eq!(same.seeds.map(|seeds| seeds.variance), Some(0.0));
        assert!(!same.has_no_spread(1e-12));
        // The interval is that of the four images alone.
        let one = estimate(&[vec![0.0, 1.0, 1.0, 0.0]]).expect("an estimate");
        assert!(close(same.interval(0.95).0, one.interval(0.95).0));
        let constant = estimate(&[vec![0.5; 4], vec![0.5; 4]]);
        assert!(constant.expect("an estimate").has_no_spread(0.0));
    }
}
