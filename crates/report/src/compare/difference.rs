//! The difference between the results of one cell in two trees, with its interval.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::judge::{Estimate, MeanSquares, Scale, Source};
use crate::read::{RecordedRun, TestImages};
use crate::spread::Spread;

/// The confidence of the intervals.
const CONFIDENCE: f64 = 0.95;

/// A difference between two trees, and its confidence interval of 95 %.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Difference {
    /// The mean of the other tree minus that of the first one. If the runs are paired, only
    /// the seeds that both trees have count.
    pub difference: f64,
    /// The lower end of the interval; `None` if the runs give none.
    pub low: Option<f64>,
    /// The upper end of the interval.
    pub high: Option<f64>,
    /// What the interval counts as random.
    pub by: By,
    /// The number of seeds that both trees have, if the runs are paired.
    pub seeds: Option<usize>,
}

/// What an interval counts as random, and whether runs are paired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// Seeds and test images, crossed. The runs of both trees are paired by seed, and their
    /// results by image.
    Both,
    /// Seeds alone. The runs of both trees are paired by seed.
    Seeds,
    /// Test images alone, because nothing in the cell is random. The results are paired by image.
    Images,
    /// Seeds alone. The runs are not paired, because the trees have other data or fewer than two
    /// seeds in common. The interval is that of Welch (1947).
    Unpaired,
}

impl By {
    /// `both`, `seeds`, `images` or `unpaired`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::Seeds => "seeds",
            Self::Images => "images",
            Self::Unpaired => "unpaired",
        }
    }
}

/// The complete runs of one cell in one tree, by seed, with the figure that is compared.
pub(super) struct Arm<'a> {
    runs: BTreeMap<u64, (&'a RecordedRun, f64)>,
}

impl<'a> Arm<'a> {
    /// Those of `runs`, the complete runs of a cell, that have the figure `of`.
    pub(super) fn of(runs: &[&'a RecordedRun], of: &str) -> Self {
        let with_value = |run: &&'a RecordedRun| {
            let value = run.record.number(of).filter(|value| value.is_finite())?;
            Some((run.record.seed, (*run, value)))
        };
        Self {
            runs: runs.iter().filter_map(with_value).collect(),
        }
    }

    /// The figure of each run, by seed.
    pub(super) fn values(&self) -> Vec<f64> {
        self.runs.values().map(|(_, value)| *value).collect()
    }

    /// The SHA-256 of the data that these runs learned from.
    fn data(&self) -> BTreeSet<&str> {
        let runs = self.runs.values();
        runs.map(|(run, _)| run.record.data_fingerprint.as_str())
            .collect()
    }
}

/// The difference `other - first` of the figure `of`; `None` if one of them has no runs. A file
/// that cannot be read is added to `unreadable`, and the interval then does without it.
pub(super) fn difference(
    first: &Arm,
    other: &Arm,
    of: &str,
    is_deterministic: bool,
    unreadable: &mut Vec<String>,
) -> Option<Difference> {
    let common: Vec<u64> = first.runs.keys().copied().collect();
    let common: Vec<u64> = common
        .into_iter()
        .filter(|seed| other.runs.contains_key(seed))
        .collect();
    let enough = if is_deterministic { 1 } else { 2 };
    if first.data() != other.data() || common.len() < enough {
        return unpaired(&first.values(), &other.values());
    }
    let pairs = || {
        common
            .iter()
            .map(|seed| (first.runs[seed], other.runs[seed]))
    };
    let by_seed: Vec<f64> = pairs().map(|((_, one), (_, two))| two - one).collect();
    let mut table = Some(Vec::new());
    for ((one, _), (two, _)) in pairs() {
        let row = paired_by_image(one, two, of).unwrap_or_else(|problem| {
            unreadable.push(problem);
            None
        });
        table = table.zip(row).map(|(mut table, row)| {
            table.push(row);
            table
        });
    }
    let by_images = table.and_then(|table| MeanSquares::of(&table));
    let by_images = by_images.map(|squares| squares.estimate(Scale::Linear));
    let (estimate, by) = match by_images {
        Some(estimate) if estimate.seeds.is_some() => (Some(estimate), By::Both),
        Some(estimate) => (Some(estimate), By::Images),
        None => (Estimate::by_seeds(&by_seed, Scale::Linear), By::Seeds),
    };
    let mean = Spread::of(&by_seed)?.mean;
    Some(with_interval(mean, estimate, by, Some(common.len())))
}

/// The differences `two - one` of each test image; `None` if one of the runs left no results of
/// each image, or they were not tested on the same images.
///
/// # Errors
///
/// If a file cannot be read. The error names the file.
fn paired_by_image(
    one: &RecordedRun,
    two: &RecordedRun,
    of: &str,
) -> Result<Option<Vec<f64>>, String> {
    let read = |run| TestImages::read(run).map_err(|error| format!("unreadable: {error}"));
    let (Some(one), Some(two)) = (read(one)?, read(two)?) else {
        return Ok(None);
    };
    let (Some(of_one), Some(of_two)) = (one.of(of), two.of(of)) else {
        return Ok(None);
    };
    if one.labels != two.labels || of_one.len() != of_two.len() {
        return Ok(None);
    }
    let pairs = of_one.iter().zip(of_two);
    let differences = pairs.map(|(one, two)| f64::from(*two) - f64::from(*one));
    Ok(Some(differences.collect()))
}

/// The difference between the means of independent values, with the interval of Welch (1947),
/// "The generalization of Student's problem when several different population variances are
/// involved", and the degrees of freedom of Satterthwaite (1946).
fn unpaired(first: &[f64], other: &[f64]) -> Option<Difference> {
    let (one, two) = (Spread::of(first)?, Spread::of(other)?);
    let estimate = Source::of(first).zip(Source::of(other)).map(|(a, b)| {
        let variance = a.variance + b.variance;
        let parts = a.variance.powi(2) / a.df + b.variance.powi(2) / b.df;
        Estimate {
            mean: two.mean - one.mean,
            scale: Scale::Linear,
            seeds: Some(Source {
                variance,
                df: variance.powi(2) / parts,
            }),
            images: None,
            rest: 0.0,
        }
    });
    let mean = two.mean - one.mean;
    Some(with_interval(mean, estimate, By::Unpaired, None))
}

/// The difference `mean` with the interval of `estimate`. Without a spread there is no interval.
fn with_interval(
    mean: f64,
    estimate: Option<Estimate>,
    by: By,
    seeds: Option<usize>,
) -> Difference {
    let estimate = estimate.filter(|estimate| estimate.standard_error() > 0.0);
    let interval = estimate.map(|estimate| estimate.interval(CONFIDENCE));
    Difference {
        difference: mean,
        low: interval.map(|(low, _)| low),
        high: interval.map(|(_, high)| high),
        by,
        seeds,
    }
}
