//! From claims and records to verdicts: supported, refuted or undecided.

use std::collections::{BTreeMap, BTreeSet};

use kindling_formats::{Claim, Comparison, Over, Record, Size, Study, Take, Term, figure};
use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::Spread;
use crate::tables::complete;

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
    /// The runs are short ones, which show nothing but that they run.
    NotJudged,
}

impl Status {
    /// `supported`, `refuted`, `undecided` or `not judged`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Supported => "supported",
            Self::Refuted => "refuted",
            Self::Undecided => "undecided",
            Self::NotJudged => "not judged",
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
    /// The interval for the mean of the values; `None` where the values themselves are
    /// compared, or nothing is.
    pub interval: Option<(f64, f64)>,
    /// The confidence of the interval, in (0, 1]; 1 where values are compared.
    pub confidence: f64,
    /// Cells and figures that it lacks, a phrase each.
    pub missing: Vec<String>,
    /// Why it is undecided although nothing is missing, where the interval does not say.
    pub why: Option<&'static str>,
}

impl Verdict {
    /// The mean of the values; of ratios the geometric one.
    pub fn mean(&self) -> Option<f64> {
        let scale = Scale::of(&self.claim);
        let values: Vec<f64> = self.values.values().copied().collect();
        if let [first, rest @ ..] = values.as_slice()
            && rest.iter().all(|value| value == first)
        {
            return Some(*first);
        }
        let values: Vec<f64> = values.into_iter().map(|value| scale.to(value)).collect();
        Spread::of(&values).map(|spread| scale.from(spread.mean))
    }
}

/// Why equal values of all seeds decide nothing.
const NO_SPREAD: &str = "no spread between seeds: an interval needs values that differ";
/// Why two equal sides decide nothing.
const TIE: &str = "both sides are equal, and a tie shows no difference";
/// Why a fact is open that has held so far.
const FEW_RUNS: &str =
    "it holds in the runs there are, and they are fewer than the study has seeds";

/// Differences of rounding, relative to what is compared: no spread.
const ROUNDING: f64 = 1e-12;

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

/// Judges each claim of the study by the complete ones of `records`, which are runs of
/// `size`: only whole ones are judged.
///
/// A claim has a value for each seed that all its cells have been trained with;
/// cells in which nothing is random count for every seed. Where nothing in a claim is
/// random, its one value is compared with the bounds, exactly. Otherwise seeds are the
/// only thing that varies, and a verdict is about the mean over seeds, by the interval
/// of Student's t with n - 1 degrees of freedom, two-sided, for ratios of their
/// logarithms. Values that are equal for all seeds have no such interval. To look again
/// after more seeds raises the chance to be wrong once; so look k, which is the one with
/// k - 1 seeds more than the study has, may be wrong with a probability of
/// 0.05 / (k (k + 1)), and all looks together with 0.05.
///
/// A claim over every run is refuted by one run, and supported by as many as the study
/// has seeds.
pub fn judge<'a>(
    study: &Study,
    size: Size,
    records: impl IntoIterator<Item = &'a Record>,
) -> Vec<Verdict> {
    let mut by_cell: BTreeMap<&str, BTreeMap<u64, &Record>> = BTreeMap::new();
    for record in complete(records) {
        let of_cell = by_cell.entry(&record.cell).or_default();
        of_cell.insert(record.seed, record);
    }
    let one = |claim: &Claim| {
        let verdict = Case::new(study, claim, &by_cell).verdict();
        if size == Size::Full {
            return verdict;
        }
        Verdict {
            status: Status::NotJudged,
            interval: None,
            missing: Vec::new(),
            why: None,
            ..verdict
        }
    };
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
        let (mut values, mut rounding) = (BTreeMap::new(), 0.0_f64);
        if self.missing.is_empty() {
            for seed in self.seeds() {
                match self.value(seed) {
                    Ok(value) => {
                        values.insert(seed, value.value);
                        rounding = rounding.max(value.rounding);
                    }
                    Err(lacks) => self.missing.push(lacks),
                }
            }
            if values.is_empty() && self.missing.is_empty() {
                self.missing
                    .push("its cells have no seed in common".to_string());
            }
        }
        let numbers: Vec<f64> = values.values().copied().collect();
        // A figure that some seed lacks may lack it because the run went astray:
        // what the others say is then no fair sample.
        let judged = if self.missing.is_empty() {
            self.judged(&numbers, rounding)
        } else {
            Judged::open(None)
        };
        Verdict {
            claim: self.claim.clone(),
            status: judged.status,
            values,
            interval: judged.interval,
            confidence: judged.confidence,
            missing: self.missing,
            why: judged.why,
        }
    }

    /// What the values of all seeds, of which there is one at least, say.
    fn judged(&self, values: &[f64], rounding: f64) -> Judged {
        match self.claim.over {
            Over::EveryRun => self.every_run(values),
            Over::Seeds if self.is_exact(values) => self.exactly(values[0]),
            Over::Seeds if has_no_spread(values, rounding) => Judged::open(Some(NO_SPREAD)),
            Over::Seeds => self.by_interval(values),
        }
    }

    /// Each value for itself.
    fn every_run(&self, values: &[f64]) -> Judged {
        let statuses = values.iter().map(|&value| self.status((value, value)));
        let holds = statuses.clone().all(|status| status == Status::Supported);
        let enough = self.is_certain() || values.len() >= self.first_look;
        match (holds, enough) {
            (false, _) => Judged::certain(Status::Refuted),
            (true, true) => Judged::certain(Status::Supported),
            (true, false) => Judged::open(Some(FEW_RUNS)),
        }
    }

    /// A value that is the same whatever the seed.
    fn exactly(&self, value: f64) -> Judged {
        let equal = match self.claim.by {
            Comparison::Difference => 0.0,
            Comparison::Ratio => 1.0,
        };
        // A claim that one side is above the other.
        let is_one_sided = self.claim.at_least.is_some() != self.claim.at_most.is_some();
        let bound = self.claim.at_least.or(self.claim.at_most);
        if self.claim.right.is_some() && value == equal && is_one_sided && bound == Some(equal) {
            return Judged::open(Some(TIE));
        }
        Judged::certain(self.status((value, value)))
    }

    fn by_interval(&self, values: &[f64]) -> Judged {
        let look = (values.len() + 1).saturating_sub(self.first_look).max(1) as f64;
        let confidence = 1.0 - ERROR_RATE / (look * (look + 1.0));
        let scale = Scale::of(self.claim);
        let scaled: Vec<f64> = values.iter().map(|&value| scale.to(value)).collect();
        let interval = t_interval(&scaled, confidence);
        let interval = interval.map(|(low, high)| (scale.from(low), scale.from(high)));
        Judged {
            status: interval.map_or(Status::Undecided, |interval| self.status(interval)),
            interval,
            confidence,
            why: None,
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

    /// Whether a seed changes nothing of the claim's value.
    fn is_exact(&self, values: &[f64]) -> bool {
        let is_one = values.iter().all(|value| *value == values[0]);
        self.is_certain() || (self.claim.is_of_parameters() && is_one)
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
        let of = match self.claim.by {
            Comparison::Difference => left.abs().max(right.abs()),
            Comparison::Ratio => value,
        };
        if Scale::of(self.claim).to(value).is_finite() {
            Ok(Value::new(value, of))
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
}

/// Whether several values, all of them finite, differ by no more than rounding.
fn has_no_spread(values: &[f64], rounding: f64) -> bool {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    values.len() > 1 && most - least <= rounding
}

/// The value of a claim for a seed.
struct Value {
    value: f64,
    /// What rounding alone may have changed it by.
    rounding: f64,
}

impl Value {
    /// `of` is the size of the numbers that it came from.
    fn new(value: f64, of: f64) -> Self {
        Self {
            value,
            rounding: ROUNDING * of.abs(),
        }
    }
}

/// A verdict before it is set beside its claim.
struct Judged {
    status: Status,
    interval: Option<(f64, f64)>,
    confidence: f64,
    why: Option<&'static str>,
}

impl Judged {
    /// Undecided, and why.
    fn open(why: Option<&'static str>) -> Self {
        Self {
            status: Status::Undecided,
            interval: None,
            confidence: 1.0,
            why,
        }
    }

    /// By values, not by an interval.
    fn certain(status: Status) -> Self {
        Self {
            status,
            ..Self::open(None)
        }
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
        let one = "seeds = 1\n";
        for (cell, more) in [("linear", ""), ("mlp", ""), ("sure", one), ("certain", one)] {
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
        judge(&study, Size::Full, records).remove(0)
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
    fn equal_values_of_what_is_random_decide_nothing() {
        // Three times 0.1: a sum over three is 0.10000000000000002.
        let records = |values: [f64; 3]| -> Vec<Record> {
            let seeds = values.into_iter().zip(0..);
            seeds
                .flat_map(|(value, seed)| {
                    [
                        with_accuracy("mlp", seed, value),
                        with_accuracy("linear", seed, value - 0.05),
                    ]
                })
                .collect()
        };
        for (bound, rest) in [
            ("at_most = 0.1", ""),
            ("at_least = 0.1", ""),
            ("at_least = 0.0", ""),
            ("at_least = 0.0", RIGHT),
            ("at_most = 0.05", RIGHT),
        ] {
            let verdict = one(&claim(bound, rest), &records([0.1; 3]));
            assert_eq!(verdict.status, Status::Undecided, "{bound} {rest}");
            assert_eq!(verdict.why, Some(NO_SPREAD));
            assert_eq!(verdict.interval, None);
        }
        assert_eq!(
            one(&claim("at_most = 0.1", ""), &records([0.1; 3])).mean(),
            Some(0.1)
        );
        // Differences of 0.05, each rounded in its own way.
        let verdict = one(&claim("at_most = 0.05", RIGHT), &records([0.1, 0.97, 0.5]));
        assert!(verdict.values[&0] != verdict.values[&1]);
        assert_eq!(verdict.why, Some(NO_SPREAD), "{:?}", verdict.values);
        // Equal cells.
        let mut equal = self::records();
        for seed in 0..3 {
            equal[2 * seed + 1].test_accuracy = equal[2 * seed].test_accuracy;
        }
        let verdict = one(&claim("at_least = 0.0", RIGHT), &equal);
        assert_eq!(verdict.why, Some(NO_SPREAD));
        // What differs is judged as ever.
        let verdict = one(&claim("at_most = 0.1", ""), &records([0.05, 0.06, 0.05]));
        assert_eq!(verdict.status, Status::Supported);
    }

    #[test]
    fn what_is_certain_is_compared_exactly_and_a_tie_shows_nothing() {
        let sure = |bound: &str, value: f64, rest: &str| {
            let text = claim(bound, rest).replace("mlp", "sure");
            let records = [
                with_accuracy("sure", 0, value),
                with_accuracy("certain", 0, 0.1),
            ];
            one(&text, &records)
        };
        let right = "right = { cells = [\"certain\"], of = \"test_accuracy\" }";
        let ratio = format!("{right}\nby = \"ratio\"");
        for (bound, value, rest, status) in [
            ("at_most = 0.1", 0.1, "", Status::Supported),
            ("at_least = 0.1", 0.1, "", Status::Supported),
            ("at_least = 0.1", 0.099_999_999, "", Status::Refuted),
            ("at_least = 0.0", 0.2, right, Status::Supported),
            ("at_least = 0.0", 0.1, right, Status::Undecided),
            ("at_most = 0.0", 0.1, right, Status::Undecided),
            ("at_most = 1.0", 0.1, &ratio, Status::Undecided),
            ("at_most = 0.5", 0.1, &ratio, Status::Refuted),
            // That they are equal is what is claimed.
            (
                "at_least = 0.0\nat_most = 0.0",
                0.1,
                right,
                Status::Supported,
            ),
        ] {
            let verdict = sure(bound, value, rest);
            assert_eq!(verdict.status, status, "{value} {bound} {rest}");
            assert_eq!(verdict.confidence, 1.0);
            let is_tie = status == Status::Undecided;
            assert_eq!(verdict.why, is_tie.then_some(TIE));
        }
    }

    #[test]
    fn numbers_of_parameters_are_certain_whatever_the_seeds() {
        let text = claim("at_most = 7850.0", "").replace("test_accuracy", "parameters");
        assert_eq!(one(&text, &records()).status, Status::Supported);
        let text = text.replace("7850.0", "7849.0");
        assert_eq!(one(&text, &records()).status, Status::Refuted);
    }

    #[test]
    fn a_fact_has_to_hold_in_every_run() {
        let fact = |bound: &str| claim(&format!("over = \"every run\"\n{bound}"), RIGHT);
        assert_eq!(
            one(&fact("at_least = 0.05"), &equal_gap(3)).status,
            Status::Supported
        );
        assert_eq!(
            one(&fact("at_least = 0.07"), &equal_gap(3)).status,
            Status::Refuted
        );
        let verdict = one(&fact("at_least = 0.05"), &equal_gap(2));
        assert_eq!(
            (verdict.status, verdict.why),
            (Status::Undecided, Some(FEW_RUNS))
        );
        // One run is enough to show that it is none.
        assert_eq!(
            one(&fact("at_least = 0.07"), &equal_gap(1)).status,
            Status::Refuted
        );
        let mut records = equal_gap(3);
        records[5].test_accuracy = records[4].test_accuracy;
        assert_eq!(
            one(&fact("at_least = 0.05"), &records).status,
            Status::Refuted
        );
    }

    /// So many seeds, in each of which mlp is better by 0.0625, which is no rounded
    /// number.
    fn equal_gap(seeds: u64) -> Vec<Record> {
        (0..seeds)
            .flat_map(|seed| {
                [
                    with_accuracy("linear", seed, 0.5),
                    with_accuracy("mlp", seed, 0.5625),
                ]
            })
            .collect()
    }

    #[test]
    fn short_runs_are_not_judged() {
        let (_folder, study) = study(&claim("at_least = 0.0", RIGHT));
        for size in [Size::Quick, Size::Smoke] {
            for records in [records(), Vec::new()] {
                let verdict = judge(&study, size, &records).remove(0);
                assert_eq!(verdict.status, Status::NotJudged);
                assert!(verdict.missing.is_empty() && verdict.interval.is_none());
                assert_eq!(verdict.values.len(), records.len() / 2);
            }
        }
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
