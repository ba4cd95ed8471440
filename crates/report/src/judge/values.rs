//! Computes the value of a claim for each seed from the records of its cells.

use std::collections::{BTreeMap, BTreeSet};

use kindling_formats::{Claim, Comparison, Record, Study, Take, Term};

use crate::judge::scale::Scale;
use crate::read::TEST_IMAGES;
use crate::spread::Spread;
use crate::tables::complete;

/// The largest relative difference between two values that rounding alone can cause.
pub(super) const ROUNDING: f64 = 1e-12;

/// Complete records by cell and seed.
pub(super) type ByCell<'a> = BTreeMap<&'a str, BTreeMap<u64, &'a Record>>;

/// The complete records among `records`.
pub(super) fn by_cell<'a>(records: impl IntoIterator<Item = &'a Record>) -> ByCell<'a> {
    let mut by_cell = ByCell::new();
    for record in complete(records) {
        let of_cell = by_cell.entry(&record.cell).or_default();
        of_cell.insert(record.seed, record);
    }
    by_cell
}

/// The values of a claim, or why it has none.
#[derive(Default)]
pub(super) struct Values {
    /// The claim's value for each seed.
    pub(super) by_seed: BTreeMap<u64, f64>,
    /// The largest difference between two values that rounding alone can cause.
    pub(super) rounding: f64,
    /// Whether nothing in the claim's cells is random.
    pub(super) is_deterministic: bool,
    /// A phrase for each run or number that the claim needs and the records lack.
    pub(super) missing: Vec<String>,
}

impl Values {
    /// The values of `claim` for the seeds of which all its cells have records.
    pub(super) fn of(study: &Study, claim: &Claim, by_cell: &ByCell) -> Self {
        let records = ClaimRecords::of(study, claim, by_cell);
        let mut values = Self {
            is_deterministic: records.is_deterministic(),
            missing: records.missing(),
            ..Self::default()
        };
        if values.missing.is_empty() {
            for seed in records.seeds() {
                match records.value(seed) {
                    Ok(Value { value, rounding }) => {
                        values.by_seed.insert(seed, value);
                        values.rounding = values.rounding.max(rounding);
                    }
                    Err(lacks) => values.missing.push(lacks),
                }
            }
        }
        values
    }
}

/// The records of a claim's cells.
pub(super) struct ClaimRecords<'a> {
    pub(super) claim: &'a Claim,
    /// Cells in which nothing is random.
    deterministic: BTreeSet<&'a str>,
    by_cell: BTreeMap<&'a str, &'a BTreeMap<u64, &'a Record>>,
}

impl<'a> ClaimRecords<'a> {
    /// The records of the cells of `claim`.
    pub(super) fn of(study: &Study, claim: &'a Claim, by_cell: &'a ByCell) -> Self {
        let cells = claim.cells().into_iter();
        let is_deterministic =
            |cell: &&str| study.cell(cell).is_ok_and(|cell| cell.is_deterministic());
        Self {
            claim,
            deterministic: cells.clone().filter(is_deterministic).collect(),
            by_cell: cells
                .filter_map(|cell| Some((cell, by_cell.get(cell)?)))
                .collect(),
        }
    }

    /// A phrase for each cell without a finished run, or that the cells have no seed in common.
    pub(super) fn missing(&self) -> Vec<String> {
        let cells = self.claim.cells().into_iter();
        let without = cells.filter(|cell| !self.by_cell.contains_key(cell));
        let missing: Vec<String> = without
            .map(|cell| format!("no finished run of {cell}"))
            .collect();
        if missing.is_empty() && self.seeds().is_empty() {
            return vec!["its cells have no seed in common".to_string()];
        }
        missing
    }

    /// Whether nothing in any of the claim's cells is random.
    pub(super) fn is_deterministic(&self) -> bool {
        let cells = self.claim.cells();
        cells.iter().all(|cell| self.deterministic.contains(cell))
    }

    /// Whether something in `cell` is random.
    pub(super) fn is_random(&self, cell: &str) -> bool {
        !self.deterministic.contains(cell)
    }

    /// What the records hold for the claim, as lines that change if a judgement could.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut names: Vec<&str> = self.claim.terms().map(|(_, term)| &*term.of).collect();
        if self.claim.terms().any(|(_, term)| term.within.is_some()) {
            names.push("test_accuracy");
        }
        let mut lines = Vec::new();
        for seed in self.seeds() {
            for cell in self.claim.cells() {
                let Some(record) = self.record(cell, seed) else {
                    continue;
                };
                let numbers: Vec<_> = names.iter().map(|name| record.number(name)).collect();
                let images = record.files.get(TEST_IMAGES);
                lines.push(format!(
                    "{cell} {seed} {} {} {numbers:?} {images:?}",
                    record.config_hash, record.data_fingerprint
                ));
            }
        }
        lines
    }

    /// The seeds that all cells have in which something is random; seed 0 if nothing is.
    pub(super) fn seeds(&self) -> Vec<u64> {
        if self.is_deterministic() {
            return vec![0];
        }
        let mut seeds: Option<BTreeSet<u64>> = None;
        for (cell, runs) in &self.by_cell {
            if !self.deterministic.contains(cell) {
                let own: BTreeSet<u64> = runs.keys().copied().collect();
                seeds = Some(seeds.map_or(own.clone(), |seeds| &seeds & &own));
            }
        }
        seeds.into_iter().flatten().collect()
    }

    /// The record of `cell` with `seed`. If nothing in the cell is random, its only record is
    /// used for every seed.
    pub(super) fn record(&self, cell: &str, seed: u64) -> Option<&'a Record> {
        let runs = self.by_cell.get(cell)?;
        let own = runs.get(&seed).copied();
        own.or_else(|| {
            let deterministic = self.deterministic.contains(cell);
            runs.values().next().copied().filter(|_| deterministic)
        })
    }

    /// The claim's value for a seed.
    ///
    /// # Errors
    ///
    /// If a record or a number is missing, or the value is not finite. The error is a phrase
    /// that names it.
    fn value(&self, seed: u64) -> Result<Value, String> {
        let left = self.term(&self.claim.left, seed)?;
        let right = self.claim.right.as_ref();
        let right = right.map(|right| self.term(right, seed)).transpose()?;
        Value::compared(self.claim.by, left, right, seed)
    }

    /// The number `name` of the record of `cell` with `seed`.
    ///
    /// # Errors
    ///
    /// If the record or the number is missing, or the number is not finite. The error is a phrase
    /// that names it.
    pub(super) fn number(&self, cell: &str, name: &str, seed: u64) -> Result<f64, String> {
        self.record(cell, seed)
            .and_then(|record| record.number(name))
            .filter(|value| value.is_finite())
            .ok_or_else(|| format!("{cell} seed {seed} has no {name}"))
    }

    /// The number of one side of the claim for a seed.
    ///
    /// # Errors
    ///
    /// If a record or a number is missing, or the value is not finite. The error is a phrase
    /// that names it.
    fn term(&self, term: &Term, seed: u64) -> Result<f64, String> {
        let of = |cell: &str, name: &str| self.number(cell, name, seed);
        let mut values = Vec::new();
        let least_accuracy = match term.within {
            Some(within) => {
                let cells = self.claim.cells();
                let accuracies: Vec<f64> = cells
                    .iter()
                    .map(|cell| of(cell, "test_accuracy"))
                    .collect::<Result<_, _>>()?;
                accuracies.into_iter().fold(f64::NEG_INFINITY, f64::max) - within
            }
            None => f64::NEG_INFINITY,
        };
        for cell in &term.cells {
            if term.within.is_none() || of(cell, "test_accuracy")? >= least_accuracy {
                values.push(of(cell, &term.of)?);
            }
        }
        let value = match term.take {
            Take::Mean => Spread::of(&values).map(|spread| spread.mean),
            Take::Smallest => values.iter().copied().reduce(f64::min),
            Take::Largest => values.iter().copied().reduce(f64::max),
        };
        value.ok_or_else(|| {
            format!("no cell has a test accuracy near enough to the best with seed {seed}")
        })
    }
}

/// The value of a claim for a seed.
pub(super) struct Value {
    pub(super) value: f64,
    /// The largest error of the value that rounding alone can cause.
    pub(super) rounding: f64,
}

impl Value {
    /// Compares the numbers of both sides.
    ///
    /// # Errors
    ///
    /// If the value is not finite on the scale of the comparison.
    pub(super) fn compared(
        by: Comparison,
        left: f64,
        right: Option<f64>,
        seed: u64,
    ) -> Result<Self, String> {
        let Some(right) = right else {
            return Ok(Self::new(left, left));
        };
        let value = match by {
            Comparison::Difference => left - right,
            Comparison::Ratio => left / right,
        };
        let size = match by {
            Comparison::Difference => left.abs().max(right.abs()),
            Comparison::Ratio => value,
        };
        if Scale::of(by).apply(value).is_finite() {
            Ok(Self::new(value, size))
        } else {
            Err(format!(
                "the ratio {left} / {right} of seed {seed} has no finite logarithm"
            ))
        }
    }

    /// `size` is the size of the numbers that `value` was computed from.
    fn new(value: f64, size: f64) -> Self {
        Self {
            value,
            rounding: ROUNDING * size.abs(),
        }
    }
}
