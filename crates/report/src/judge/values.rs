//! Computes the value of a claim for each seed from the records of its cells.

use std::collections::{BTreeMap, BTreeSet};

use kindling_formats::{Claim, Comparison, Record, Study, Take, Term};

use crate::judge::scale::Scale;
use crate::spread::Spread;

/// The largest relative difference between two values that rounding alone can cause.
const ROUNDING: f64 = 1e-12;

/// Complete records by cell and seed.
pub(super) type ByCell<'a> = BTreeMap<&'a str, BTreeMap<u64, &'a Record>>;

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
        let mut missing = Vec::new();
        let mut records = ClaimRecords {
            claim,
            deterministic: BTreeSet::new(),
            by_cell: BTreeMap::new(),
        };
        for cell in claim.cells() {
            match by_cell.get(cell) {
                Some(runs) => {
                    records.by_cell.insert(cell, runs);
                }
                None => missing.push(format!("no finished run of {cell}")),
            }
            if study.cell(cell).is_ok_and(|cell| cell.is_deterministic()) {
                records.deterministic.insert(cell);
            }
        }
        let mut values = Self {
            is_deterministic: records.is_deterministic(),
            missing,
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
            if values.by_seed.is_empty() && values.missing.is_empty() {
                let none = "its cells have no seed in common";
                values.missing.push(none.to_string());
            }
        }
        values
    }
}

/// The records of a claim's cells.
struct ClaimRecords<'a> {
    claim: &'a Claim,
    /// Cells in which nothing is random.
    deterministic: BTreeSet<&'a str>,
    by_cell: BTreeMap<&'a str, &'a BTreeMap<u64, &'a Record>>,
}

impl<'a> ClaimRecords<'a> {
    /// Whether nothing in any of the claim's cells is random.
    fn is_deterministic(&self) -> bool {
        self.deterministic.len() == self.by_cell.len()
    }

    /// The seeds that all cells have in which something is random; seed 0 if nothing is.
    fn seeds(&self) -> Vec<u64> {
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
    fn record(&self, cell: &str, seed: u64) -> Option<&'a Record> {
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
        let Some(right) = &self.claim.right else {
            return Ok(Value::new(left, left));
        };
        let right = self.term(right, seed)?;
        let value = match self.claim.by {
            Comparison::Difference => left - right,
            Comparison::Ratio => left / right,
        };
        let size = match self.claim.by {
            Comparison::Difference => left.abs().max(right.abs()),
            Comparison::Ratio => value,
        };
        if Scale::of(self.claim.by).apply(value).is_finite() {
            Ok(Value::new(value, size))
        } else {
            Err(format!(
                "the ratio {left} / {right} of seed {seed} has no finite logarithm"
            ))
        }
    }

    /// The number of one side of the claim for a seed.
    ///
    /// # Errors
    ///
    /// If a record or a number is missing, or the value is not finite. The error is a phrase
    /// that names it.
    fn term(&self, term: &Term, seed: u64) -> Result<f64, String> {
        let of = |cell: &str, name: &str| {
            self.record(cell, seed)
                .and_then(|record| record.number(name))
                .filter(|value| value.is_finite())
                .ok_or_else(|| format!("{cell} seed {seed} has no {name}"))
        };
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
struct Value {
    value: f64,
    /// The largest error of the value that rounding alone can cause.
    rounding: f64,
}

impl Value {
    /// `size` is the size of the numbers that `value` was computed from.
    fn new(value: f64, size: f64) -> Self {
        Self {
            value,
            rounding: ROUNDING * size.abs(),
        }
    }
}
