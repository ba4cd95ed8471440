//! Claims about the smallest or the largest of several cells.

use super::*;

/// Records of three seeds: the accuracy of each cell is `mean`, `mean + step` and
/// `mean - step`.
fn with_means(means: &[(&str, f64, f64)]) -> Vec<Record> {
    let steps = [0.0, 1.0, -1.0];
    let seeds = steps.into_iter().zip(0..);
    seeds
        .flat_map(|(sign, seed)| {
            let of = means.iter();
            of.map(move |(cell, mean, step)| with_accuracy(cell, seed, mean + sign * step))
        })
        .collect()
}

/// A study of four cells in which everything is random.
fn judged(claims: &str, records: &[Record]) -> Judgement {
    let folder = tempfile::tempdir().expect("a folder");
    let cells = ["a", "b", "c", "d"];
    let named = cells.map(|cell| (format!("{cell}.toml"), fake::classifier(cell, "")));
    let mut files = vec![("study.toml", fake::STUDY), ("claims.toml", claims)];
    files.extend(named.iter().map(|(name, text)| (&**name, &**text)));
    let study = fake::study_of(folder.path(), &files);
    judge(
        &study,
        Size::Full,
        records,
        &Evidence::default(),
        &Looks::default(),
    )
    .remove(0)
}

fn best(bound: &str, take: &str) -> String {
    format!(
        "[[claim]]\nid = \"c\"\nsection = \"2.5\"\nsays = \"s\"\n{bound}\n\
         left = {{ cells = [\"a\"], of = \"test_accuracy\" }}\n\
         right = {{ cells = [\"b\", \"c\", \"d\"], of = \"test_accuracy\", take = \"{take}\" }}\n"
    )
}

#[test]
fn the_best_is_better_than_each_of_the_others() {
    // Each difference has the values mean + step, so its standard error is step / sqrt(3).
    let means = |b: f64| {
        [
            ("a", 0.9, 0.001),
            ("b", b, 0.0),
            ("c", 0.5, 0.0),
            ("d", 0.5, 0.0),
        ]
    };
    let claim = best("at_least = 0.0", "largest");
    let judgement = judged(&claim, &with_means(&means(0.89)));
    assert_eq!(judgement.verdict, Verdict::Supported);
    assert_eq!(judgement.decisive.as_deref(), Some("a and b"));
    assert!((judgement.mean().expect("a mean") - 0.01).abs() < 1e-12);
    // The full level for the least sure of them: 2 * scipy.stats.t.sf(0.01 * 3**0.5 / 0.001, 2)
    assert!((judgement.risk.expect("a risk") - 0.003_316_758_722).abs() < 1e-8);
    // One that is too near.
    let judgement = judged(&claim, &with_means(&means(0.899)));
    assert_eq!(judgement.verdict, Verdict::Undecided);
    // One that is better refutes the claim, at a third of the level.
    let judgement = judged(&claim, &with_means(&means(0.91)));
    assert_eq!(judgement.verdict, Verdict::Refuted);
    let risk = judgement.risk.expect("a risk");
    assert!((risk - 3.0 * 0.003_316_758_722).abs() < 1e-8, "{risk}");
}

#[test]
fn at_most_the_smallest_is_at_most_each_and_at_least_the_smallest_is_at_least_one() {
    let means = [
        ("a", 0.9, 0.001),
        ("b", 0.95, 0.0),
        ("c", 0.97, 0.0),
        ("d", 0.5, 0.0),
    ];
    for (bound, take, verdict) in [
        // 0.9 is not at most 0.5.
        ("at_most = 0.0", "smallest", Verdict::Refuted),
        ("at_least = 0.0", "smallest", Verdict::Supported),
        ("at_most = 0.0", "largest", Verdict::Supported),
        ("at_least = 0.0", "largest", Verdict::Refuted),
        (
            "at_least = 0.35\nat_most = 0.45",
            "smallest",
            Verdict::Supported,
        ),
        (
            "at_least = 0.45\nat_most = 0.5",
            "smallest",
            Verdict::Refuted,
        ),
    ] {
        let judgement = judged(&best(bound, take), &with_means(&means));
        assert_eq!(judgement.verdict, verdict, "{bound} {take}");
    }
}

#[test]
fn a_claim_about_exact_numbers_with_random_conditions_is_decided_by_chance() {
    let text = best("at_most = 1.0", "smallest").replace(
        "of = \"test_accuracy\"",
        "of = \"parameters\", within = 0.05",
    );
    let means = [
        ("a", 0.7, 0.001),
        ("b", 0.9, 0.0),
        ("c", 0.9, 0.0),
        ("d", 0.9, 0.0),
    ];
    let judgement = judged(&text, &with_means(&means));
    // The numbers of parameters are equal, but the accuracy of a is too far from the best.
    assert_eq!(judgement.verdict, Verdict::Refuted);
    assert_eq!(judgement.judged_by, JudgedBy::Value);
    // 4 * 2 * scipy.stats.t.sf(0.15 * 3**0.5 / 0.001, 2): one of four
    // statements refutes the claim, and three of the four are conditions.
    let risk = judgement.risk.expect("a risk");
    assert!((risk / 5.925_794_242e-5 - 1.0).abs() < 1e-6, "{risk}");
    assert_eq!(judgement.look, Some(1));
}

#[test]
fn a_tie_of_exact_values_does_not_make_a_cell_the_best() {
    let claim = |bound: &str| {
        super::claim(
            bound,
            "right = { cells = [\"constant\", \"fixed\"], of = \"test_accuracy\", take = \"largest\" }",
        )
        .replace("left = { cells = [\"mlp\"]", "left = { cells = [\"fixed\"]")
    };
    let records = [
        with_accuracy("fixed", 0, 0.9),
        with_accuracy("constant", 0, 0.8),
    ];
    let judgement = judgement_of(&claim("at_least = 0.0"), &records);
    assert_eq!(
        (judgement.verdict, judgement.why),
        (Verdict::Undecided, Some(TIE))
    );
    assert_eq!(judgement.decisive.as_deref(), Some("fixed and fixed"));
    let judgement = judgement_of(&claim("at_least = 0.1"), &records);
    assert_eq!(judgement.verdict, Verdict::Refuted);
}

#[test]
fn a_cell_is_left_out_only_if_its_accuracy_is_surely_too_low() {
    // a has the smallest training loss but for d, which is left out if it is far from the best.
    let text = best("at_most = 0.0", "smallest").replace(
        "of = \"test_accuracy\"",
        "of = \"train_loss\", within = 0.05",
    );
    let judged = |accuracy: f64, step: f64, loss: f64| {
        let means = [
            ("a", 0.9, 0.0001),
            ("b", 0.9, 0.0002),
            ("c", 0.9, 0.0003),
            ("d", accuracy, step),
        ];
        let mut records = with_means(&means);
        for record in &mut records {
            let mean = match record.cell.as_str() {
                "a" => 0.1,
                "d" => loss,
                _ => 0.2,
            };
            record.train_loss =
                Some(mean + 0.001 * f64::from(record.cell == "a") * record.seed as f64);
        }
        judged(&text, &records)
    };
    // It is near: the claim is refuted by its loss.
    assert_eq!(judged(0.9, 0.0004, 0.01).verdict, Verdict::Refuted);
    // It is surely far: its loss does not matter.
    assert_eq!(judged(0.5, 0.0004, 0.01).verdict, Verdict::Supported);
    // It may be far: the claim stays open, unless its loss is larger in any case.
    assert_eq!(judged(0.86, 0.01, 0.01).verdict, Verdict::Undecided);
    assert_eq!(judged(0.86, 0.01, 0.3).verdict, Verdict::Supported);
}

#[test]
fn a_cell_that_is_itself_too_far_from_the_best_refutes_the_claim() {
    let text = best("at_most = 0.0", "smallest").replace(
        "of = \"test_accuracy\"",
        "of = \"train_loss\", within = 0.05",
    );
    let means = [
        ("a", 0.7, 0.0001),
        ("b", 0.9, 0.0),
        ("c", 0.9, 0.0),
        ("d", 0.9, 0.0),
    ];
    let mut records = with_means(&means);
    for record in &mut records {
        let mean = if record.cell == "a" { 0.1 } else { 0.2 };
        record.train_loss = Some(mean + 0.001 * record.seed as f64 * mean);
    }
    assert_eq!(judged(&text, &records).verdict, Verdict::Refuted);
}
