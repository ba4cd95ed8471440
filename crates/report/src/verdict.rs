//! From claims and records to verdicts: supported, refuted or undecided.

use std::collections::{BTreeMap, BTreeSet};

use kindling_spec::{Claim, Comparison, Record, Study, Take, Term, figure};
use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::Spread;
use crate::summary::complete;

/// How often a verdict may be wrong, over all looks at one claim together.
const ERROR_RATE: f64 = 0.05;

/// What the records say of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// The whole interval lies within the claim's bounds.
    Supported,
    /// No part of it does.
    Refuted,
    /// Some part does, or there are too few runs for an interval.
    Undecided,
}

impl Status {
    /// `supported`, `refuted` or `undecided`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Supported => "supported",
            Self::Refuted => "refuted",
            Self::Undecided => "undecided",
        }
    }
}

/// A claim with its verdict.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// The claim.
    pub claim: Claim,
    /// What became of it.
    pub status: Status,
    /// The claim's value for each seed; one of seed 0 where nothing is random.
    pub values: BTreeMap<u64, f64>,
    /// The interval for the mean of the values.
    pub interval: Option<(f64, f64)>,
    /// The confidence of the interval, in (0, 1]; 1 where nothing is random.
    pub confidence: f64,
    /// Cells and figures that it lacks, a phrase each.
    pub missing: Vec<String>,
}

impl Verdict {
    /// The mean of the values; of ratios the geometric one.
    pub fn mean(&self) -> Option<f64> {
        let scale = Scale::of(&self.claim);
        let values: Vec<f64> = self.values.values().map(|&value| scale.to(value)).collect();
        Spread::of(&values).map(|spread| scale.from(spread.mean))
    }
}

/// The scale on which values are averaged: twice and half are as far from one.
#[derive(Clone, Copy)]
enum Scale {
    Linear,
    Logarithmic,
}

impl Scale {
    fn of(claim: &Claim) -> Self {
        match claim.by {
            Comparison::Difference => Self::Linear,
            Comparison::Ratio => Self::Logarithmic,
        }
    }

    fn to(self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::Logarithmic => value.ln(),
        }
    }

    fn from(self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::Logarithmic => value.exp(),
        }
    }
}

/// Judges each claim of the study by the complete ones of `records`.
///
/// A claim has a value for each seed that all its cells have been trained with;
/// cells in which nothing is random count for every seed. Seeds are the only
/// thing that varies, so a verdict is about the mean over seeds, by the interval
/// of Student's t with n - 1 degrees of freedom, two-sided, for ratios of their
/// logarithms. To look again after
/// more seeds raises the chance to be wrong once; so look k, which is the one with
/// k - 1 seeds more than the study has, may be wrong with a probability of
/// 0.05 / (k (k + 1)), and all looks together with 0.05.
pub fn judge<'a>(study: &Study, records: impl IntoIterator<Item = &'a Record>) -> Vec<Verdict> {
    let mut by_cell: BTreeMap<&str, BTreeMap<u64, &Record>> = BTreeMap::new();
    for record in complete(records) {
        let of_cell = by_cell.entry(&record.cell).or_default();
        of_cell.insert(record.seed, record);
    }
    let one = |claim: &Claim| Case::new(study, claim, &by_cell).verdict();
    study.claims().iter().map(one).collect()
}

/// A claim before the records.
struct Case<'a> {
    claim: &'a Claim,
    /// The study's number of seeds: the first look.
    first_look: usize,
    /// Cells in which nothing is random.
    certain: BTreeSet<&'a str>,
    records: BTreeMap<&'a str, &'a BTreeMap<u64, &'a Record>>,
    missing: Vec<String>,
}

impl<'a> Case<'a> {
    fn new(
        study: &'a Study,
        claim: &'a Claim,
        by_cell: &'a BTreeMap<&'a str, BTreeMap<u64, &'a Record>>,
    ) -> Self {
        let mut case = Self {
            claim,
            first_look: usize::try_from(study.seeds()).unwrap_or(usize::MAX),
            certain: BTreeSet::new(),
            records: BTreeMap::new(),
            missing: Vec::new(),
        };
        for cell in claim.cells() {
            match by_cell.get(cell) {
                Some(runs) => {
                    case.records.insert(cell, runs);
                }
                None => case.missing.push(format!("no finished run of {cell}")),
            }
            if study.cell(cell).is_ok_and(|cell| cell.is_certain()) {
                case.certain.insert(cell);
            }
        }
        case
    }

    fn verdict(mut self) -> Verdict {
        let mut values = BTreeMap::new();
        if self.missing.is_empty() {
            for seed in self.seeds() {
                match self.value(seed) {
                    Ok(value) => {
                        values.insert(seed, value);
                    }
                    Err(lacks) => self.missing.push(lacks),
                }
            }
            if values.is_empty() && self.missing.is_empty() {
                self.missing
                    .push("its cells have no seed in common".to_string());
            }
        }
        let (interval, confidence) = self.interval(&values);
        // A figure that some seed lacks may lack it because the run went astray:
        // what the others say is then no fair sample.
        let interval = interval.filter(|_| self.missing.is_empty());
        Verdict {
            claim: self.claim.clone(),
            status: interval.map_or(Status::Undecided, |interval| self.status(interval)),
            values,
            interval,
            confidence,
            missing: self.missing,
        }
    }

    fn status(&self, (low, high): (f64, f64)) -> Status {
        let Some((least, most)) = self.claim.bounds() else {
            return Status::Undecided;
        };
        if least <= low && high <= most {
            Status::Supported
        } else if high < least || most < low {
            Status::Refuted
        } else {
            Status::Undecided
        }
    }

    /// Whether no cell of the claim is random.
    fn is_certain(&self) -> bool {
        self.certain.len() == self.records.len()
    }

    /// The seeds that all cells have; seed 0 where nothing is random.
    fn seeds(&self) -> Vec<u64> {
        if self.is_certain() {
            return vec![0];
        }
        let mut seeds: Option<BTreeSet<u64>> = None;
        for (cell, runs) in &self.records {
            if !self.certain.contains(cell) {
                let own: BTreeSet<u64> = runs.keys().copied().collect();
                seeds = Some(seeds.map_or(own.clone(), |seeds| &seeds & &own));
            }
        }
        seeds.into_iter().flatten().collect()
    }

    fn record(&self, cell: &str, seed: u64) -> Option<&'a Record> {
        let runs = self.records.get(cell)?;
        let own = runs.get(&seed).copied();
        own.or_else(|| {
            let certain = self.certain.contains(cell);
            runs.values().next().copied().filter(|_| certain)
        })
    }

    /// The claim's value for a seed, or what it lacks.
    fn value(&self, seed: u64) -> Result<f64, String> {
        let left = self.term(&self.claim.left, seed)?;
        let Some(right) = &self.claim.right else {
            return Ok(left);
        };
        let right = self.term(right, seed)?;
        let value = match self.claim.by {
            Comparison::Difference => left - right,
            Comparison::Ratio => left / right,
        };
        if Scale::of(self.claim).to(value).is_finite() {
            Ok(value)
        } else {
            Err(format!(
                "{left} over {right}, of seed {seed}, has no logarithm"
            ))
        }
    }

    fn term(&self, term: &Term, seed: u64) -> Result<f64, String> {
        let of = |cell: &str, name: &str| {
            self.record(cell, seed)
                .and_then(|record| figure(record, name))
                .filter(|value| value.is_finite())
                .ok_or_else(|| format!("{cell} seed {seed} has no {name}"))
        };
        let mut values = Vec::new();
        let best = match term.within {
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
            if term.within.is_none() || of(cell, "test_accuracy")? >= best {
                values.push(of(cell, &term.of)?);
            }
        }
        let value = match term.take {
            Take::Mean => Spread::of(&values).map(|spread| spread.mean),
            Take::Smallest => values.iter().copied().reduce(f64::min),
            Take::Largest => values.iter().copied().reduce(f64::max),
        };
        value.ok_or_else(|| format!("no cell of seed {seed} is near enough to the best"))
    }

    fn interval(&self, values: &BTreeMap<u64, f64>) -> (Option<(f64, f64)>, f64) {
        let numbers: Vec<f64> = values.values().copied().collect();
        if self.is_certain() {
            return (numbers.first().map(|&value| (value, value)), 1.0);
        }
        let look = (numbers.len() + 1).saturating_sub(self.first_look).max(1) as f64;
        let confidence = 1.0 - ERROR_RATE / (look * (look + 1.0));
        let scale = Scale::of(self.claim);
        let scaled: Vec<f64> = numbers.iter().map(|&value| scale.to(value)).collect();
        let interval = t_interval(&scaled, confidence);
        let interval = interval.map(|(low, high)| (scale.from(low), scale.from(high)));
        (interval, confidence)
    }
}

/// The two-sided interval for the mean of `values`; `None` for fewer than two.
fn t_interval(values: &[f64], confidence: f64) -> Option<(f64, f64)> {
    let spread = Spread::of(values)?;
    let deviation = spread.deviation?;
    let count = spread.count as f64;
    let student = StudentsT::new(0.0, 1.0, count - 1.0).ok()?;
    let reach = student.inverse_cdf(0.5 + confidence / 2.0) * deviation / count.sqrt();
    Some((spread.mean - reach, spread.mean + reach))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake;

    fn study(claims: &str) -> (tempfile::TempDir, Study) {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            std::fs::write(folder.path().join(name), text).expect("writes");
        };
        write(
            "study.toml",
            "title = \"t\"\nseeds = 3\n[[section]]\nid = \"2.5\"\ntitle = \"s\"\n\
             [quick]\nseeds = 1\n",
        );
        for (cell, more) in [("linear", ""), ("mlp", ""), ("sure", "seeds = 1\n")] {
            let text = format!(
                "cell = \"{cell}\"\nsection = \"2.5\"\nabout = \"a\"\nfamily = \"classifier\"\n\
                 {more}[data]\n[model]\nhidden = []\ndropout = 0.0\n[train]\nepochs = 1\n\
                 batch_size = 1\noptimizer.sgd = {{ learning_rate = 0.1, momentum = 0.0 }}\n"
            );
            write(&format!("{cell}.toml"), &text);
        }
        write("claims.toml", claims);
        let study = Study::read(folder.path()).expect("a study");
        (folder, study)
    }

    fn with_accuracy(cell: &str, seed: u64, accuracy: f64) -> Record {
        let mut record = fake::record(cell, seed);
        record.test_accuracy = Some(accuracy);
        record
    }

    fn claim(bound: &str, rest: &str) -> String {
        format!(
            "[[claim]]\nid = \"c\"\nsection = \"2.5\"\nsays = \"s\"\n\
             left = {{ cells = [\"mlp\"], of = \"test_accuracy\" }}\n{rest}\n{bound}\n"
        )
    }

    const RIGHT: &str = "right = { cells = [\"linear\"], of = \"test_accuracy\" }";

    /// Three seeds, paired differences 0.05, 0.06, 0.07.
    fn records() -> Vec<Record> {
        [(0, 0.90, 0.95), (1, 0.92, 0.98), (2, 0.91, 0.98)]
            .into_iter()
            .flat_map(|(seed, linear, mlp)| {
                [
                    with_accuracy("linear", seed, linear),
                    with_accuracy("mlp", seed, mlp),
                ]
            })
            .collect()
    }

    fn one(claims: &str, records: &[Record]) -> Verdict {
        let (_folder, study) = study(claims);
        judge(&study, records).remove(0)
    }

    #[test]
    fn the_interval_is_that_of_scipy() {
        let verdict = one(&claim("at_least = 0.0", RIGHT), &records());
        // scipy.stats.t.interval(0.975, 2, 0.06, 0.01 / sqrt(3))
        let (low, high) = verdict.interval.expect("an interval");
        assert!((low - 0.024_173_413_45).abs() < 1e-8, "{low}");
        assert!((high - 0.095_826_586_55).abs() < 1e-8, "{high}");
        assert_eq!(verdict.confidence, 0.975);
    }

    #[test]
    fn a_verdict_needs_the_whole_interval() {
        for (bound, status) in [
            ("at_least = 0.02", Status::Supported),
            ("at_least = 0.05", Status::Undecided),
            ("at_least = 0.1", Status::Refuted),
            ("at_most = 0.1", Status::Supported),
            ("at_most = 0.02", Status::Refuted),
            ("at_least = 0.02\nat_most = 0.1", Status::Supported),
            ("at_least = 0.05\nat_most = 0.07", Status::Undecided),
        ] {
            assert_eq!(
                one(&claim(bound, RIGHT), &records()).status,
                status,
                "{bound}"
            );
        }
    }

    #[test]
    fn ratios_are_averaged_as_logarithms() {
        let mut records = Vec::new();
        for (seed, factor) in [(0, 1.0), (1, 2.0), (2, 4.0)] {
            records.push(with_accuracy("linear", seed, 0.1));
            records.push(with_accuracy("mlp", seed, 0.1 * factor));
        }
        let rest = format!("{RIGHT}\nby = \"ratio\"");
        let verdict = one(&claim("at_least = 0.01", &rest), &records);
        assert!((verdict.mean().expect("a mean") - 2.0).abs() < 1e-12);
        let (low, high) = verdict.interval.expect("an interval");
        assert!((low * high - 4.0).abs() < 1e-9 && low > 0.0);
    }

    #[test]
    fn what_is_missing_leaves_a_claim_undecided_and_is_named() {
        let verdict = one(&claim("at_least = 0.0", RIGHT), &[fake::record("mlp", 0)]);
        assert_eq!(verdict.status, Status::Undecided);
        assert_eq!(verdict.missing, ["no finished run of linear"]);
        let mut records = records();
        records[1].test_accuracy = None;
        let verdict = one(&claim("at_least = 0.0", RIGHT), &records);
        assert_eq!(verdict.status, Status::Undecided);
        assert_eq!(verdict.missing, ["mlp seed 0 has no test_accuracy"]);
        // One seed has no spread.
        let verdict = one(&claim("at_least = 0.0", RIGHT), &self::records()[..2]);
        assert_eq!(
            (verdict.status, verdict.interval),
            (Status::Undecided, None)
        );
    }

    #[test]
    fn a_failed_run_says_nothing() {
        let mut records = records();
        records.push(fake::failed("mlp", 3, "no"));
        records.push(with_accuracy("linear", 3, 0.99));
        let verdict = one(&claim("at_least = 0.0", RIGHT), &records);
        assert_eq!(verdict.values.len(), 3);
        assert_eq!(verdict.status, Status::Supported);
    }

    #[test]
    fn a_cell_in_which_nothing_is_random_counts_for_every_seed() {
        let right = "right = { cells = [\"sure\"], of = \"test_accuracy\" }";
        let mut records = records();
        records.push(with_accuracy("sure", 0, 0.5));
        let verdict = one(&claim("at_least = 0.3", right), &records);
        assert_eq!(verdict.values.len(), 3);
        assert_eq!(verdict.status, Status::Supported);
        let sure = claim("at_least = 0.4", "").replace("mlp", "sure");
        let verdict = one(&sure, &records);
        assert_eq!(
            (verdict.status, verdict.confidence),
            (Status::Supported, 1.0)
        );
    }

    #[test]
    fn every_further_look_asks_for_more_confidence() {
        let mut records = records();
        for seed in 3..5 {
            records.push(with_accuracy("linear", seed, 0.9));
            records.push(with_accuracy("mlp", seed, 0.96));
        }
        let verdict = one(&claim("at_least = 0.0", RIGHT), &records);
        // The third look: 1 - 0.05 / (3 * 4).
        assert!((verdict.confidence - (1.0 - 0.05 / 12.0)).abs() < 1e-12);
        let all: f64 = (1..10_000).map(|k| 0.05 / f64::from(k * (k + 1))).sum();
        assert!(all < 0.05);
    }

    #[test]
    fn one_of_several_cells_is_taken_and_those_far_below_the_best_are_not() {
        let take = |take: &str, within: &str| {
            let right = format!(
                "right = {{ cells = [\"mlp\", \"linear\"], of = \"test_accuracy\", \
                 take = \"{take}\"{within} }}"
            );
            one(&claim("at_least = -1.0", &right), &records()).values
        };
        assert_eq!(take("largest", "")[&0], 0.0);
        assert!((take("smallest", "")[&0] - 0.05).abs() < 1e-12);
        assert!((take("mean", "")[&0] - 0.025).abs() < 1e-12);
        assert_eq!(take("smallest", ", within = 0.01")[&0], 0.0);
    }
}
