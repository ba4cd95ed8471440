//! Verdicts on means over test images, in which seeds and images are crossed.

use super::*;
use crate::read::TestImages;

/// The evidence of a classifier: `correct` says which images were classified rightly.
fn of_classifier(correct: &[f32], losses: &[f32]) -> TestImages {
    TestImages {
        labels: Some((0..correct.len()).map(|image| (image % 10) as u8).collect()),
        correct: Some(correct.to_vec()),
        losses: losses.to_vec(),
    }
}

/// Judges by records and evidence of the given losses, by cell and seed.
fn by_losses(claims: &str, losses: &[(&str, u64, [f32; 5])]) -> Judgement {
    let (_folder, study) = study(claims);
    let mut evidence = Evidence::default();
    let mut records = Vec::new();
    for (cell, seed, losses) in losses {
        let mut record = fake::record(cell, *seed);
        record.test_loss = Some(losses.iter().map(|loss| f64::from(*loss)).sum::<f64>() / 5.0);
        records.push(record);
        evidence.insert(cell, *seed, Ok(of_classifier(&[1.0; 5], losses)));
    }
    judge(&study, Size::Full, &records, &evidence, &Looks::default()).remove(0)
}

const LINEAR: [f32; 5] = [1.0, 2.0, 1.5, 0.5, 1.0];
const MLP: [[f32; 5]; 3] = [
    [0.5, 1.5, 1.0, 0.25, 0.5],
    [0.75, 1.0, 1.0, 0.5, 0.75],
    [0.5, 1.75, 0.5, 0.25, 1.0],
];

fn losses() -> Vec<(&'static str, u64, [f32; 5])> {
    (0..3)
        .flat_map(|seed| [("mlp", seed, MLP[seed as usize]), ("linear", seed, LINEAR)])
        .collect()
}

fn loss_claim(bound: &str, rest: &str) -> String {
    claim(bound, rest).replace("test_accuracy", "test_loss")
}

#[test]
fn a_difference_is_judged_by_seeds_and_images() {
    let judgement = by_losses(&loss_claim("at_most = 0.0", RIGHT), &losses());
    // NumPy and SciPy, as in statistics/crossed.rs, with d = mlp - linear.
    let (low, high) = judgement.interval.expect("an interval");
    assert!((low + 0.680_469_539_840).abs() < 1e-9, "{low}");
    assert!((high + 0.152_863_793_493).abs() < 1e-9, "{high}");
    let risk = judgement.risk.expect("an interval");
    assert!((risk - 0.011_825_975_658).abs() < 1e-9, "{risk}");
    assert_eq!(judgement.judged_by, JudgedBy::SeedsAndImages);
    let errors = judgement.standard_errors().expect("an interval");
    let (seeds, images) = (errors.seeds.expect("seeds"), errors.images.expect("images"));
    assert!((seeds - 0.016_666_666_667).abs() < 1e-9, "{seeds}");
    assert!((images - 0.095_014_618_758).abs() < 1e-9, "{images}");
}

#[test]
fn a_ratio_is_judged_on_logarithms_by_the_delta_method() {
    let rest = format!("{RIGHT}\nby = \"ratio\"");
    let judgement = by_losses(&loss_claim("at_most = 0.9", &rest), &losses());
    // NumPy and SciPy, as above, with d = mlp/mean(mlp of the seed) - linear/mean(linear)
    // + log(mean(mlp of the seed)/mean(linear)); the ends are exponentials.
    let (low, high) = judgement.interval.expect("an interval");
    assert!((low - 0.549_837_227_476).abs() < 1e-9, "{low}");
    assert!((high - 0.774_279_079_638).abs() < 1e-9, "{high}");
    let mean = judgement.mean().expect("a mean");
    assert!((mean - 0.652_477_940_195).abs() < 1e-9, "{mean}");
}

#[test]
fn equal_values_of_seeds_have_an_interval_if_images_differ() {
    let equal: Vec<_> = losses()
        .into_iter()
        .map(|(cell, seed, own)| (cell, seed, if cell == "mlp" { MLP[0] } else { own }))
        .collect();
    let judgement = by_losses(&loss_claim("at_most = 0.0", RIGHT), &equal);
    // The differences are -0.5, -0.5, -0.5, -0.25 and -0.5 with every seed:
    // scipy.stats.t.interval(0.95, 4, d.mean(), scipy.stats.sem(d))
    let (low, high) = judgement.interval.expect("an interval");
    assert!((low + 0.588_822_255_260).abs() < 1e-9 && (high + 0.311_177_744_740).abs() < 1e-9);
    assert_eq!(judgement.verdict, Verdict::Supported);
    // The same difference for every image shows no spread.
    let constant: Vec<_> = (0..3)
        .flat_map(|seed| [("mlp", seed, [0.5; 5]), ("linear", seed, [1.0; 5])])
        .collect();
    let judgement = by_losses(&loss_claim("at_most = 0.0", RIGHT), &constant);
    assert_eq!(judgement.why, Some(NO_SPREAD));
    assert_eq!(judgement.verdict, Verdict::Undecided);
}

#[test]
fn a_cell_in_which_nothing_is_random_is_judged_by_images() {
    let right = "right = { cells = [\"constant\"], of = \"test_loss\" }";
    let text = loss_claim("at_most = 0.0", right).replace("mlp", "fixed");
    let judgement = by_losses(&text, &[("fixed", 0, MLP[0]), ("constant", 0, LINEAR)]);
    assert_eq!(judgement.judged_by, JudgedBy::Images);
    // As above.
    let (low, high) = judgement.interval.expect("an interval");
    assert!((low + 0.588_822_255_260).abs() < 1e-9 && (high + 0.311_177_744_740).abs() < 1e-9);
    // Such a cell is constant over the seeds of another.
    let text = loss_claim("at_most = 0.0", right);
    let mut all: Vec<_> = losses();
    all.push(("constant", 0, LINEAR));
    let judgement = by_losses(&text, &all);
    assert_eq!(judgement.values.len(), 3);
    assert!((judgement.interval.expect("an interval").0 + 0.680_469_539_840).abs() < 1e-9);
}

#[test]
fn a_single_seed_of_a_random_cell_has_no_interval() {
    let judgement = by_losses(&loss_claim("at_most = 0.0", RIGHT), &losses()[..2]);
    assert_eq!(
        (judgement.verdict, judgement.interval),
        (Verdict::Undecided, None)
    );
    assert_eq!((judgement.risk, judgement.look), (None, None));
}

#[test]
fn a_file_that_cannot_be_used_leaves_the_claim_undecided() {
    let (_folder, study) = study(&claim("at_least = 0.0", RIGHT));
    let records = records();
    let mut evidence = Evidence::default();
    for record in &records {
        let images = of_classifier(&[1.0, 0.0, 1.0], &[0.5; 3]);
        evidence.insert(&record.cell, record.seed, Ok(images));
    }
    let judged = |evidence: &Evidence| {
        judge(&study, Size::Full, &records, evidence, &Looks::default()).remove(0)
    };
    evidence.insert("mlp", 1, Err("mlp/test.safetensors: it is damaged".into()));
    let judgement = judged(&evidence);
    assert_eq!(judgement.verdict, Verdict::Undecided);
    assert_eq!(judgement.missing, ["mlp/test.safetensors: it is damaged"]);
    // Other images, by their number and by their labels.
    let fewer = of_classifier(&[1.0, 0.0], &[0.5; 2]);
    let mut others = of_classifier(&[1.0, 0.0, 1.0], &[0.5; 3]);
    others.labels = Some(vec![3, 4, 5]);
    for images in [fewer, others] {
        evidence.insert("mlp", 1, Ok(images));
        let missing = judged(&evidence).missing;
        assert_eq!(missing.len(), 1, "{missing:?}");
        assert!(missing[0].contains("tested on other images"), "{missing:?}");
    }
}

#[test]
fn seeds_that_were_tested_on_other_images_leave_the_claim_undecided() {
    let (_folder, study) = study(&claim("at_least = 0.0", ""));
    let mut evidence = Evidence::default();
    for seed in 0..3 {
        let images = if seed == 2 { 4 } else { 3 };
        let images = of_classifier(&vec![1.0; images], &vec![0.5; images]);
        evidence.insert("mlp", seed, Ok(images));
    }
    let judgement = judge(&study, Size::Full, &records(), &evidence, &Looks::default()).remove(0);
    assert_eq!(judgement.verdict, Verdict::Undecided);
    assert_eq!(
        judgement.missing,
        ["the seeds of mlp were tested on other images"]
    );
}

#[test]
fn figures_that_are_no_means_over_images_are_judged_by_seeds() {
    let text = claim("at_least = 0.0", RIGHT).replace("test_accuracy", "train_accuracy");
    let (_folder, study) = study(&text);
    let mut records = records();
    let mut evidence = Evidence::default();
    for (place, record) in records.iter_mut().enumerate() {
        record.train_accuracy = Some(0.9 + 0.01 * place as f64);
        let images = of_classifier(&[1.0, 0.0, 1.0], &[0.5; 3]);
        evidence.insert(&record.cell, record.seed, Ok(images));
    }
    records[5].train_accuracy = Some(0.99);
    let judgement = judge(&study, Size::Full, &records, &evidence, &Looks::default()).remove(0);
    assert_eq!(judgement.judged_by, JudgedBy::Seeds);
    assert!(judgement.interval.is_some());
}
