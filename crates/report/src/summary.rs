//! One line per cell: means and spreads over its seeds.

use std::collections::BTreeMap;

use kindling_formats::{Record, RunStatus};

/// One line per cell over its seeds.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// Section of the study.
    pub section: String,
    /// Name of the cell.
    pub cell: String,
    /// Its family.
    pub family: String,
    /// Complete runs, over which the numbers below are taken.
    pub seeds: usize,
    /// Failed runs, which count nowhere else.
    pub failed: usize,
    /// Epochs (iterations for the toy functions) of the longest run.
    pub epochs: usize,
    /// Trained parameters.
    pub parameters: usize,
    /// Mean loss on the test split.
    pub test_loss: Option<Spread>,
    /// Accuracy on the test split, in [0, 1].
    pub test_accuracy: Option<Spread>,
    /// Mean loss on the training split, as it was trained.
    pub train_loss: Option<Spread>,
    /// Accuracy on the training split, as it was trained, in [0, 1].
    pub train_accuracy: Option<Spread>,
    /// Wall time of a run.
    pub seconds: Option<Spread>,
}

/// The mean of some values, and how far they lie apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// Their mean.
    pub mean: f64,
    /// Their sample standard deviation (divided by n - 1); `None` with one value.
    pub deviation: Option<f64>,
    /// How many they are.
    pub count: usize,
}

impl Spread {
    /// The spread of `values`; `None` where there are none.
    pub fn of(values: &[f64]) -> Option<Self> {
        let count = values.len();
        if count == 0 {
            return None;
        }
        // Of equal values the mean is the value; a sum would round.
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

/// Summaries in the given order of cells; cells not in `order` come last, by
/// name. Failed runs count in `failed` only.
pub fn summarize<'a>(
    records: impl IntoIterator<Item = &'a Record>,
    order: &[String],
) -> Vec<Summary> {
    let mut cells: BTreeMap<&str, Vec<&Record>> = BTreeMap::new();
    for record in records {
        cells.entry(&record.cell).or_default().push(record);
    }
    let mut summaries: Vec<Summary> = cells.into_values().filter_map(|of| summary(&of)).collect();
    // Stable, so cells beyond the order keep their order by name.
    summaries.sort_by_key(|summary| place(order, &summary.cell));
    summaries
}

/// Where `cell` stands in `order`; behind all others if it does not.
pub(crate) fn place(order: &[String], cell: &str) -> usize {
    order
        .iter()
        .position(|name| name == cell)
        .unwrap_or(order.len())
}

/// The complete ones of `records`.
pub(crate) fn complete<'a>(
    records: impl IntoIterator<Item = &'a Record>,
) -> impl Iterator<Item = &'a Record> {
    records
        .into_iter()
        .filter(|record| record.status == RunStatus::Complete)
}

fn summary(records: &[&Record]) -> Option<Summary> {
    let first = records.first()?;
    let whole: Vec<&Record> = complete(records.iter().copied()).collect();
    let spread = |value: fn(&Record) -> Option<f64>| {
        let values: Vec<f64> = whole.iter().filter_map(|record| value(record)).collect();
        Spread::of(&values)
    };
    // A failed run may not have got as far as knowing its own size.
    let largest = |value: fn(&Record) -> usize| {
        let of = |records: &[&Record]| records.iter().map(|record| value(record)).max();
        of(&whole).or(of(records)).unwrap_or(0)
    };
    Some(Summary {
        section: first.section.clone(),
        cell: first.cell.clone(),
        family: first.family.clone(),
        seeds: whole.len(),
        failed: records.len() - whole.len(),
        epochs: largest(|record| record.epochs),
        parameters: largest(|record| record.parameters),
        test_loss: spread(|record| record.test_loss),
        test_accuracy: spread(|record| record.test_accuracy),
        train_loss: spread(|record| record.train_loss),
        train_accuracy: spread(|record| record.train_accuracy),
        seconds: spread(|record| Some(record.seconds)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake;

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
                // A small spread on a large mean: a one-pass sum of squares
                // would lose it.
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
    fn equal_values_have_themselves_for_a_mean() {
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

    #[test]
    fn order_is_the_given_one_then_the_names() {
        let records = ["zeta", "mlp", "alpha", "linear"].map(|cell| fake::record(cell, 0));
        let order = ["mlp".to_string(), "absent".into(), "linear".into()];
        let cells: Vec<String> = summarize(&records, &order)
            .into_iter()
            .map(|summary| summary.cell)
            .collect();
        assert_eq!(cells, ["mlp", "linear", "alpha", "zeta"]);
    }

    #[test]
    fn a_failed_run_counts_as_failed_and_nowhere_else() {
        let mut failed = fake::failed("mlp", 2, "out of memory");
        failed.test_loss = Some(99.0);
        failed.epochs = 99;
        let records = [fake::record("mlp", 0), fake::record("mlp", 1), failed];
        let [summary] = &summarize(&records, &[])[..] else {
            panic!("one cell has one summary");
        };
        assert_eq!((summary.seeds, summary.failed), (2, 1));
        assert_eq!(summary.epochs, records[0].epochs);
        let loss = summary.test_loss.expect("two runs have a loss");
        assert_eq!(loss.count, 2);
        assert!(loss.mean < 1.0);
    }

    #[test]
    fn a_cell_that_only_failed_has_no_numbers() {
        let [summary] = &summarize(&[fake::failed("mlp", 0, "no")], &[])[..] else {
            panic!("one cell has one summary");
        };
        assert_eq!((summary.seeds, summary.failed), (0, 1));
        assert_eq!(summary.test_loss, None);
        assert_eq!(summary.seconds, None);
    }

    #[test]
    fn a_loss_that_only_some_seeds_have_says_so() {
        let mut diverged = fake::record("mlp", 1);
        diverged.test_loss = None;
        let [summary] = &summarize(&[fake::record("mlp", 0), diverged], &[])[..] else {
            panic!("one cell has one summary");
        };
        assert_eq!(summary.seeds, 2);
        assert_eq!(summary.test_loss.map(|loss| loss.count), Some(1));
    }
}
