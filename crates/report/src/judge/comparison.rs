//! One comparison of a claim: the numbers of one or two sides for each seed, and the estimate of
//! their difference or ratio.

use std::collections::BTreeMap;

use kindling_formats::Comparison as By;

use crate::judge::scale::Scale;
use crate::judge::statistics::{Estimate, MeanSquares, Risks};
use crate::judge::values::{ClaimRecords, Value};
use crate::read::{Evidence, MeanSquaresRow, TEST_IMAGES, TestImages};
use crate::spread::Spread;

/// The cells whose mean is one side of a comparison, and the number that is taken from each.
#[derive(Debug, Clone, Copy)]
pub(super) struct Side<'a> {
    pub(super) cells: &'a [String],
    pub(super) of: &'a str,
}

/// What is compared.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sides<'a> {
    pub(super) left: Side<'a>,
    pub(super) right: Option<Side<'a>>,
    pub(super) by: By,
}

impl<'a> Sides<'a> {
    fn each(&self) -> impl Iterator<Item = Side<'a>> {
        std::iter::once(self.left).chain(self.right)
    }

    fn cells(&self) -> impl Iterator<Item = &'a String> {
        self.each().flat_map(|side| side.cells)
    }

    /// Whether both sides are means over test images, by the records of `seeds`.
    fn are_over_images(&self, records: &ClaimRecords, seeds: &[u64]) -> bool {
        let left_them = |cell: &String| {
            let mut runs = seeds.iter().map(|&seed| records.record(cell, seed));
            runs.all(|run| run.is_some_and(|run| run.files.contains_key(TEST_IMAGES)))
        };
        self.each().all(|side| TestImages::may_have(side.of)) && self.cells().all(left_them)
    }

    /// The row of this comparison for `seeds` in a table of mean squares.
    fn row(&self, seeds: &[u64], squares: MeanSquares) -> MeanSquaresRow {
        let cells = |side: Side| side.cells.join(" ");
        MeanSquaresRow {
            left: cells(self.left),
            left_of: self.left.of.to_string(),
            right: self.right.map(cells).unwrap_or_default(),
            right_of: self.right.map_or("", |side| side.of).to_string(),
            by: self.by,
            seeds: joined(seeds),
            images: squares.images,
            mean: squares.mean,
            ms_seeds: squares.of_seeds,
            ms_images: squares.of_images,
            ms_rest: squares.of_rest,
        }
    }
}

/// Seeds, separated by spaces.
fn joined(seeds: &[u64]) -> String {
    let seeds: Vec<String> = seeds.iter().map(u64::to_string).collect();
    seeds.join(" ")
}

/// How a value is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JudgedBy {
    /// Nothing is random: the value itself is compared with the bounds.
    Value,
    /// The value of each single run is compared with the bounds.
    EveryRun,
    /// An interval over seeds.
    Seeds,
    /// An interval over test images, since no seed changes the value.
    Images,
    /// An interval over seeds and test images, which are crossed.
    SeedsAndImages,
}

impl JudgedBy {
    /// `value`, `every run`, `seeds`, `images` or `seeds and images`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::EveryRun => "every run",
            Self::Seeds => "seeds",
            Self::Images => "images",
            Self::SeedsAndImages => "seeds and images",
        }
    }

    /// Whether a verdict could be wrong by chance, so that it is corrected for the number of
    /// claims and looks.
    pub(crate) fn is_by_chance(self) -> bool {
        !matches!(self, Self::Value | Self::EveryRun)
    }
}

/// A comparison with its values and its estimate.
#[derive(Debug, Clone)]
pub(super) struct Compared {
    /// The two sides, such as `dropout-0.3, mlp`.
    pub(super) cells: String,
    /// The value of each seed.
    pub(super) values: BTreeMap<u64, f64>,
    /// The estimate; `None` if the value is exact, or there are too few seeds.
    pub(super) estimate: Option<Estimate>,
    /// The mean squares of the table of seeds by images; `None` if the value is not a mean over
    /// test images.
    pub(super) crossed: Option<MeanSquaresRow>,
    pub(super) by: JudgedBy,
    /// Whether there is no spread from which an interval could follow.
    pub(super) no_spread: bool,
    /// Whether the value is exact, and equal sides show that neither is larger.
    pub(super) is_tie: bool,
    /// The bounds of the value.
    pub(super) bounds: (f64, f64),
}

impl Compared {
    /// Compares `sides` for the seeds of `records`. `bounds` are those of the value.
    ///
    /// # Errors
    ///
    /// A phrase for each run, number or file that is missing.
    pub(super) fn of(
        records: &ClaimRecords,
        evidence: &Evidence,
        sides: Sides,
        bounds: (f64, f64),
    ) -> Result<Self, Vec<String>> {
        let seeds = records.seeds();
        let mut values = BTreeMap::new();
        let mut rounding = 0.0_f64;
        let mut missing = Vec::new();
        for &seed in &seeds {
            match value(records, sides, seed) {
                Ok(value) => {
                    values.insert(seed, value.value);
                    rounding = rounding.max(value.rounding);
                }
                Err(lacks) => missing.push(lacks),
            }
        }
        if !missing.is_empty() {
            return Err(missing);
        }
        let scale = Scale::of(sides.by);
        let scaled: Vec<f64> = values.values().map(|&value| scale.apply(value)).collect();
        let is_random = sides.cells().any(|cell| records.is_random(cell));
        // Without randomness, the rows of all seeds are equal.
        let different = if is_random { &seeds[..] } else { &seeds[..1] };
        let crossed = crossed(records, evidence, sides, different)?;
        let are_equal = scaled.iter().all(|value| *value == scaled[0]);
        let is_of_parameters = sides.each().all(|side| side.of == "parameters");
        let squares = crossed.as_ref().map(MeanSquaresRow::mean_squares);
        let (by, estimate) = match squares {
            // A single seed of a cell in which something is random has no interval.
            Some(squares) if is_random && squares.seeds < 2 => (JudgedBy::SeedsAndImages, None),
            Some(squares) if is_random => (JudgedBy::SeedsAndImages, Some(squares.estimate(scale))),
            Some(squares) => (JudgedBy::Images, Some(squares.estimate(scale))),
            None if !is_random || (is_of_parameters && are_equal) => (JudgedBy::Value, None),
            None => (JudgedBy::Seeds, Estimate::by_seeds(&scaled, scale)),
        };
        // On the scale of logarithms, a relative error is a difference.
        let rounding = match sides.by {
            By::Difference => rounding,
            By::Ratio => crate::judge::values::ROUNDING,
        };
        let no_spread = estimate.is_some_and(|estimate| estimate.has_no_spread(rounding));
        let cells = sides.each().map(|side| side.cells.join(", "));
        Ok(Self {
            cells: cells.collect::<Vec<_>>().join(" and "),
            values,
            estimate: estimate.filter(|_| !no_spread),
            crossed,
            by,
            no_spread,
            is_tie: false,
            bounds,
        })
    }

    /// The risks of the comparison; with `seeds` as the number of seeds at today's spread.
    pub(super) fn risks(&self, seeds: Option<f64>) -> Risks {
        if let Some(estimate) = &self.estimate {
            let estimate = seeds.map_or(*estimate, |seeds| estimate.with_seeds(seeds));
            return estimate.risks(self.bounds);
        }
        let (low, high) = self.bounds;
        match (self.by, self.values.values().next()) {
            (JudgedBy::Value, Some(value)) if !self.is_tie => {
                let holds = low <= *value && *value <= high;
                Risks {
                    supported: if holds { 0.0 } else { 1.0 },
                    refuted: if holds { 1.0 } else { 0.0 },
                }
            }
            _ => Risks::NONE,
        }
    }
}

/// The value of a seed.
fn value(records: &ClaimRecords, sides: Sides, seed: u64) -> Result<Value, String> {
    let mean = |side: Side| {
        let numbers = side
            .cells
            .iter()
            .map(|cell| records.number(cell, side.of, seed));
        let numbers: Vec<f64> = numbers.collect::<Result<_, _>>()?;
        Ok::<f64, String>(Spread::of(&numbers).map_or(f64::NAN, |spread| spread.mean))
    };
    let right = sides.right.map(mean).transpose()?;
    Value::compared(sides.by, mean(sides.left)?, right, seed)
}

/// The mean squares of `sides` for `seeds`; `None` if a side is not a mean over test images. They
/// follow from the values of each test image. In a published tree they are given.
///
/// # Errors
///
/// A phrase for what is missing, or does not fit together.
fn crossed(
    records: &ClaimRecords,
    evidence: &Evidence,
    sides: Sides,
    seeds: &[u64],
) -> Result<Option<MeanSquaresRow>, Vec<String>> {
    let cells = || {
        sides
            .cells()
            .map(|cell| &**cell)
            .collect::<Vec<_>>()
            .join(", ")
    };
    if let Some(published) = evidence.published() {
        if !sides.are_over_images(records, seeds) {
            return Ok(None);
        }
        let mut rows = published.rows();
        let row = rows.find(|row| **row == sides.row(seeds, row.mean_squares()));
        return match row {
            Some(row) => Ok(Some(row.clone())),
            None => Err(vec![format!(
                "no mean squares were published of {} for the seeds {}",
                cells(),
                joined(seeds)
            )]),
        };
    }
    let tables = seeds
        .iter()
        .map(|&seed| values_of_images(records, evidence, sides, seed));
    let table: Option<Vec<Vec<f64>>> = tables
        .collect::<Result<_, _>>()
        .map_err(|lacks| vec![lacks])?;
    let Some(table) = table else {
        return Ok(None);
    };
    match MeanSquares::of(&table) {
        Some(squares) => Ok(Some(sides.row(seeds, squares))),
        None => Err(vec![format!(
            "the seeds of {} were tested on other images",
            cells()
        )]),
    }
}

/// The values of a seed for each test image, whose mean is the value of the seed; `None` if a
/// side is not a mean over test images.
///
/// A ratio is linear in its images only approximately. By the delta method, the logarithm of
/// `left / right` changes by `left[i] / mean(left) - right[i] / mean(right)` with image i; the
/// means are those of the seed, so that the mean of the row is the logarithm itself.
///
/// # Errors
///
/// If a file cannot be used, or two runs were tested on other images.
fn values_of_images(
    records: &ClaimRecords,
    evidence: &Evidence,
    sides: Sides,
    seed: u64,
) -> Result<Option<Vec<f64>>, String> {
    let mut labels: Option<&[u8]> = None;
    let mut side = |side: Side| -> Result<Option<Vec<f64>>, String> {
        let mut sum: Vec<f64> = Vec::new();
        for cell in side.cells {
            let Some(record) = records.record(cell, seed) else {
                return Ok(None);
            };
            let Some(images) = evidence.of(cell, record.seed) else {
                return Ok(None);
            };
            let images = images?;
            let Some(values) = images.of(side.of) else {
                return Ok(None);
            };
            if sum.is_empty() {
                sum = vec![0.0; values.len()];
            }
            let own = images.labels.as_deref();
            let differ = labels.zip(own).is_some_and(|(labels, own)| labels != own);
            if sum.len() != values.len() || differ {
                return Err(format!("{cell} seed {seed} was tested on other images"));
            }
            labels = labels.or(own);
            for (sum, value) in sum.iter_mut().zip(values) {
                *sum += f64::from(*value) / side.cells.len() as f64;
            }
        }
        Ok(Some(sum))
    };
    let Some(left) = side(sides.left)? else {
        return Ok(None);
    };
    let Some(right) = sides.right else {
        return Ok(Some(left));
    };
    let Some(right) = side(right)? else {
        return Ok(None);
    };
    if left.len() != right.len() {
        return Err(format!(
            "its cells were tested on other images with seed {seed}"
        ));
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (of_left, of_right) = (mean(&left), mean(&right));
    let pairs = left.iter().zip(&right);
    Ok(Some(match sides.by {
        By::Difference => pairs.map(|(left, right)| left - right).collect(),
        By::Ratio => {
            let log = (of_left / of_right).ln();
            pairs
                .map(|(left, right)| left / of_left - right / of_right + log)
                .collect()
        }
    }))
}
