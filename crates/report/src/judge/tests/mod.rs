//! Verdicts by records, compared with numbers from SciPy and with calculations by hand.

use kindling_formats::{Looks, Record, Size, Study};

mod images;
mod several;
mod together;

use crate::fake;
use crate::judge::comparison::JudgedBy;
use crate::judge::decision::{FEW_RUNS, NO_SPREAD, ONE_SEED, TIE};
use crate::judge::judgement::{Judgement, Verdict};
use crate::judge::study_claims::judge;
use crate::read::Evidence;

/// A study of four classifiers with the given claims. In the cells `fixed` and `constant`
/// nothing is random.
fn study(claims: &str) -> (tempfile::TempDir, Study) {
    let folder = tempfile::tempdir().expect("a folder");
    let one_seed = "seeds = 1\n";
    let study = fake::study_of(
        folder.path(),
        &[
            ("study.toml", fake::STUDY),
            ("claims.toml", claims),
            ("linear.toml", &fake::classifier("linear", "")),
            ("mlp.toml", &fake::classifier("mlp", "")),
            ("fixed.toml", &fake::classifier("fixed", one_seed)),
            ("constant.toml", &fake::classifier("constant", one_seed)),
        ],
    );
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

fn judgement_of(claims: &str, records: &[Record]) -> Judgement {
    let (_folder, study) = study(claims);
    judge(
        &study,
        Size::Full,
        records,
        &Evidence::default(),
        &Looks::default(),
    )
    .remove(0)
}

#[test]
fn the_interval_is_that_of_scipy() {
    let judgement = judgement_of(&claim("at_least = 0.0", RIGHT), &records());
    // scipy.stats.t.interval(0.95, 2, 0.06, 0.01 / sqrt(3))
    let (low, high) = judgement.interval.expect("an interval");
    assert!((low - 0.035_158_622_882).abs() < 1e-8, "{low}");
    assert!((high - 0.084_841_377_118).abs() < 1e-8, "{high}");
    assert_eq!(judgement.confidence, 0.95);
    // 2 * scipy.stats.t.sf(0.06 * sqrt(3) / 0.01, 2)
    let risk = judgement.risk.expect("an interval");
    assert!((risk - 0.009_132_611_386).abs() < 1e-8, "{risk}");
    assert_eq!(judgement.judged_by, JudgedBy::Seeds);
    let errors = judgement.standard_errors().expect("an interval");
    assert_eq!((errors.seeds, errors.images), (Some(errors.both), None));
    assert!((errors.both - 0.01 / 3.0_f64.sqrt()).abs() < 1e-12);
}

#[test]
fn a_verdict_needs_the_whole_interval() {
    for (bound, verdict) in [
        ("at_least = 0.02", Verdict::Supported),
        ("at_least = 0.05", Verdict::Undecided),
        ("at_least = 0.1", Verdict::Refuted),
        ("at_most = 0.1", Verdict::Supported),
        ("at_most = 0.02", Verdict::Refuted),
        ("at_least = 0.02\nat_most = 0.1", Verdict::Supported),
        ("at_least = 0.05\nat_most = 0.07", Verdict::Undecided),
    ] {
        assert_eq!(
            judgement_of(&claim(bound, RIGHT), &records()).verdict,
            verdict,
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
    let judgement = judgement_of(&claim("at_least = 0.01", &rest), &records);
    assert!((judgement.mean().expect("a mean") - 2.0).abs() < 1e-12);
    let (low, high) = judgement.interval.expect("an interval");
    assert!((low * high - 4.0).abs() < 1e-9 && low > 0.0);
}

#[test]
fn missing_numbers_leave_a_claim_undecided_and_are_named() {
    let judgement = judgement_of(&claim("at_least = 0.0", RIGHT), &[fake::record("mlp", 0)]);
    assert_eq!(judgement.verdict, Verdict::Undecided);
    assert_eq!(judgement.missing, ["no finished run of linear"]);
    let mut records = records();
    records[1].test_accuracy = None;
    let judgement = judgement_of(&claim("at_least = 0.0", RIGHT), &records);
    assert_eq!(judgement.verdict, Verdict::Undecided);
    assert_eq!(judgement.missing, ["mlp seed 0 has no test_accuracy"]);
    // One seed has no spread.
    let judgement = judgement_of(&claim("at_least = 0.0", RIGHT), &self::records()[..2]);
    assert_eq!(
        (judgement.verdict, judgement.interval),
        (Verdict::Undecided, None)
    );
    assert_eq!(judgement.why, Some(ONE_SEED));
}

#[test]
fn equal_values_of_random_cells_leave_a_claim_undecided() {
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
        let judgement = judgement_of(&claim(bound, rest), &records([0.1; 3]));
        assert_eq!(judgement.verdict, Verdict::Undecided, "{bound} {rest}");
        assert_eq!(judgement.why, Some(NO_SPREAD));
        assert_eq!(judgement.interval, None);
    }
    assert_eq!(
        judgement_of(&claim("at_most = 0.1", ""), &records([0.1; 3])).mean(),
        Some(0.1)
    );
    // Differences of 0.05 that are rounded differently.
    let judgement = judgement_of(&claim("at_most = 0.05", RIGHT), &records([0.1, 0.97, 0.5]));
    assert!(judgement.values[&0] != judgement.values[&1]);
    assert_eq!(judgement.why, Some(NO_SPREAD), "{:?}", judgement.values);
    // Equal cells.
    let mut equal = self::records();
    for seed in 0..3 {
        equal[2 * seed + 1].test_accuracy = equal[2 * seed].test_accuracy;
    }
    let judgement = judgement_of(&claim("at_least = 0.0", RIGHT), &equal);
    assert_eq!(judgement.why, Some(NO_SPREAD));
    // Values that differ are judged.
    let judgement = judgement_of(&claim("at_most = 0.1", ""), &records([0.05, 0.06, 0.05]));
    assert_eq!(judgement.verdict, Verdict::Supported);
}

#[test]
fn values_without_randomness_are_compared_exactly_and_a_tie_is_undecided() {
    let fixed = |bound: &str, value: f64, rest: &str| {
        let text = claim(bound, rest).replace("mlp", "fixed");
        let records = [
            with_accuracy("fixed", 0, value),
            with_accuracy("constant", 0, 0.1),
        ];
        judgement_of(&text, &records)
    };
    let right = "right = { cells = [\"constant\"], of = \"test_accuracy\" }";
    let ratio = format!("{right}\nby = \"ratio\"");
    for (bound, value, rest, verdict) in [
        ("at_most = 0.1", 0.1, "", Verdict::Supported),
        ("at_least = 0.1", 0.1, "", Verdict::Supported),
        ("at_least = 0.1", 0.099_999_999, "", Verdict::Refuted),
        ("at_least = 0.0", 0.2, right, Verdict::Supported),
        ("at_least = 0.0", 0.1, right, Verdict::Undecided),
        ("at_most = 0.0", 0.1, right, Verdict::Undecided),
        ("at_most = 1.0", 0.1, &ratio, Verdict::Undecided),
        ("at_most = 0.5", 0.1, &ratio, Verdict::Refuted),
        // The claim is that both sides are equal.
        (
            "at_least = 0.0\nat_most = 0.0",
            0.1,
            right,
            Verdict::Supported,
        ),
    ] {
        let judgement = fixed(bound, value, rest);
        assert_eq!(judgement.verdict, verdict, "{value} {bound} {rest}");
        assert_eq!(judgement.confidence, 1.0);
        let is_tie = verdict == Verdict::Undecided;
        assert_eq!(judgement.why, is_tie.then_some(TIE));
    }
}

#[test]
fn numbers_of_parameters_are_compared_exactly() {
    let text = claim("at_most = 7850.0", "").replace("test_accuracy", "parameters");
    assert_eq!(judgement_of(&text, &records()).verdict, Verdict::Supported);
    let text = text.replace("7850.0", "7849.0");
    assert_eq!(judgement_of(&text, &records()).verdict, Verdict::Refuted);
}

#[test]
fn a_claim_over_every_run_has_to_hold_in_every_run() {
    let fact = |bound: &str| claim(&format!("over = \"every run\"\n{bound}"), RIGHT);
    assert_eq!(
        judgement_of(&fact("at_least = 0.05"), &equal_gap(3)).verdict,
        Verdict::Supported
    );
    assert_eq!(
        judgement_of(&fact("at_least = 0.07"), &equal_gap(3)).verdict,
        Verdict::Refuted
    );
    let judgement = judgement_of(&fact("at_least = 0.05"), &equal_gap(2));
    assert_eq!(
        (judgement.verdict, judgement.why),
        (Verdict::Undecided, Some(FEW_RUNS))
    );
    // One run is enough to refute the claim.
    assert_eq!(
        judgement_of(&fact("at_least = 0.07"), &equal_gap(1)).verdict,
        Verdict::Refuted
    );
    let mut records = equal_gap(3);
    records[5].test_accuracy = records[4].test_accuracy;
    assert_eq!(
        judgement_of(&fact("at_least = 0.05"), &records).verdict,
        Verdict::Refuted
    );
}

/// Records of `seeds` seeds. With each seed, mlp is better than linear by 0.0625, which an
/// f64 represents exactly.
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
fn quick_and_smoke_runs_are_not_judged() {
    let (_folder, study) = study(&claim("at_least = 0.0", RIGHT));
    for size in [Size::Quick, Size::Smoke] {
        for records in [records(), Vec::new()] {
            let judgement = judge(
                &study,
                size,
                &records,
                &Evidence::default(),
                &Looks::default(),
            )
            .remove(0);
            assert_eq!(judgement.verdict, Verdict::NotJudged);
            assert!(judgement.missing.is_empty() && judgement.interval.is_none());
            assert_eq!(judgement.values.len(), records.len() / 2);
        }
    }
}

#[test]
fn a_failed_run_does_not_count() {
    let mut records = records();
    records.push(fake::failed("mlp", 3, "no"));
    records.push(with_accuracy("linear", 3, 0.99));
    let judgement = judgement_of(&claim("at_least = 0.0", RIGHT), &records);
    assert_eq!(judgement.values.len(), 3);
    assert_eq!(judgement.verdict, Verdict::Supported);
}

#[test]
fn a_cell_in_which_nothing_is_random_is_used_for_every_seed() {
    let right = "right = { cells = [\"fixed\"], of = \"test_accuracy\" }";
    let mut records = records();
    records.push(with_accuracy("fixed", 0, 0.5));
    let judgement = judgement_of(&claim("at_least = 0.3", right), &records);
    assert_eq!(judgement.values.len(), 3);
    assert_eq!(judgement.verdict, Verdict::Supported);
    let fixed = claim("at_least = 0.4", "").replace("mlp", "fixed");
    let judgement = judgement_of(&fixed, &records);
    assert_eq!(
        (judgement.verdict, judgement.confidence),
        (Verdict::Supported, 1.0)
    );
}

#[test]
fn the_smallest_largest_or_mean_of_several_cells_near_the_best_is_taken() {
    let take = |take: &str, within: &str| {
        let right = format!(
            "right = {{ cells = [\"mlp\", \"linear\"], of = \"test_accuracy\", \
             take = \"{take}\"{within} }}"
        );
        judgement_of(&claim("at_least = -1.0", &right), &records()).values
    };
    assert_eq!(take("largest", "")[&0], 0.0);
    assert!((take("smallest", "")[&0] - 0.05).abs() < 1e-12);
    assert!((take("mean", "")[&0] - 0.025).abs() < 1e-12);
    assert_eq!(take("smallest", ", within = 0.01")[&0], 0.0);
}
