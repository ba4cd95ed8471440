//! The results of a cell over its seeds.

use std::collections::BTreeMap;

use kindling_formats::{Record, RunStatus};

use crate::spread::Spread;

/// The results of one cell over its seeds.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// Id of the cell's section.
    pub section: String,
    /// Name of the cell.
    pub cell: String,
    /// The cell's family, such as `classifier`.
    pub family: String,
    /// Number of complete runs. The spreads below are over these runs.
    pub seeds: usize,
    /// Number of failed runs. No other field includes them.
    pub failed: usize,
    /// Epochs (iterations for the toy functions) of the longest run.
    pub epochs: usize,
    /// Number of trained parameters.
    pub parameters: usize,
    /// Mean loss on the test split.
    pub test_loss: Option<Spread>,
    /// Accuracy on the test split, in [0, 1].
    pub test_accuracy: Option<Spread>,
    /// Mean loss on the validation images of runs that learn without them.
    pub validation_loss: Option<Spread>,
    /// Accuracy on these validation images, in [0, 1].
    pub validation_accuracy: Option<Spread>,
    /// Mean loss on the training split, taken while training.
    pub train_loss: Option<Spread>,
    /// Accuracy on the training split, taken while training, in [0, 1].
    pub train_accuracy: Option<Spread>,
    /// Wall time of a run, in seconds.
    pub seconds: Option<Spread>,
}

/// A summary of each cell that has a record, in the given order of cells. Cells that are
/// not in `order` come last, sorted by name.
pub fn summarize<'a>(
    records: impl IntoIterator<Item = &'a Record>,
    order: &[String],
) -> Vec<Summary> {
    let mut cells: BTreeMap<&str, Vec<&Record>> = BTreeMap::new();
    for record in records {
        cells.entry(&record.cell).or_default().push(record);
    }
    let mut summaries: Vec<Summary> = cells.into_values().filter_map(|of| summary(&of)).collect();
    let places = Places::new(order);
    // The sort is stable, so cells that are not in the order stay sorted by name.
    summaries.sort_by_key(|summary| places.of(&summary.cell));
    summaries
}

/// The places of cells in an order.
pub(crate) struct Places<'a>(BTreeMap<&'a str, usize>);

impl<'a> Places<'a> {
    /// The places in `order`, which names each cell once.
    pub(crate) fn new(order: &'a [String]) -> Self {
        Self(order.iter().map(String::as_str).zip(0..).collect())
    }

    /// The place of `cell`. A cell that is not in the order comes after all others.
    pub(crate) fn of(&self, cell: &str) -> usize {
        self.0.get(cell).copied().unwrap_or(self.0.len())
    }
}

/// The records of complete runs among `records`.
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
    // A run may fail before its parameters are counted.
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
        validation_loss: spread(|record| record.validation_loss),
        validation_accuracy: spread(|record| record.validation_accuracy),
        train_loss: spread(|record| record.train_loss),
        train_accuracy: spread(|record| record.train_accuracy),
        seconds: spread(|record| Some(record.seconds)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake;

    #[test]
    fn cells_come_in_the_given_order_then_by_name() {
        let records = ["zeta", "mlp", "alpha", "linear"].map(|cell| fake::record(cell, 0));
        let order = ["mlp".to_string(), "absent".into(), "linear".into()];
        let cells: Vec<String> = summarize(&records, &order)
            .into_iter()
            .map(|summary| summary.cell)
            .collect();
        assert_eq!(cells, ["mlp", "linear", "alpha", "zeta"]);
    }

    #[test]
    fn a_failed_run_counts_only_as_failed() {
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
    fn a_cell_whose_runs_all_failed_has_no_numbers() {
        let [summary] = &summarize(&[fake::failed("mlp", 0, "no")], &[])[..] else {
            panic!("one cell has one summary");
        };
        assert_eq!((summary.seeds, summary.failed), (0, 1));
        assert_eq!(summary.test_loss, None);
        assert_eq!(summary.seconds, None);
    }

    #[test]
    fn a_loss_counts_the_seeds_that_have_it() {
        let mut diverged = fake::record("mlp", 1);
        diverged.test_loss = None;
        let [summary] = &summarize(&[fake::record("mlp", 0), diverged], &[])[..] else {
            panic!("one cell has one summary");
        };
        assert_eq!(summary.seeds, 2);
        assert_eq!(summary.test_loss.map(|loss| loss.count), Some(1));
    }
}
