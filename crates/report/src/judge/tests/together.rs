//! Verdicts together, looks, and the seeds that open claims need.

use kindling_formats::Layout;

use super::*;
use crate::judge::look::look;
use crate::judge::statistics::Needed;

/// `count` claims that mlp is better than linear by at least the given numbers.
fn claims_at_least(bounds: &[f64]) -> String {
    let each = bounds.iter().enumerate().map(|(place, bound)| {
        claim(&format!("at_least = {bound:?}"), RIGHT).replace("\"c\"", &format!("\"c{place}\""))
    });
    each.collect()
}

/// `seeds` seeds with paired differences around 0.06, with a deviation near 0.01.
fn many(seeds: u64) -> Vec<Record> {
    let steps = [0.0, 0.01, -0.01, 0.01, -0.01, 0.0, 0.01, -0.01, 0.01, -0.01];
    (0..seeds)
        .flat_map(|seed| {
            let step = steps[seed as usize % 10];
            [
                with_accuracy("linear", seed, 0.9),
                with_accuracy("mlp", seed, 0.96 + step),
            ]
        })
        .collect()
}

/// Writes a finished run with results of 100 test images.
fn finish(layout: &Layout, study: &Study, record: Record) {
    let dir = layout.finished(&record.cell, record.seed);
    let record = fake::with_config_of(study, Size::Full, record);
    fake::finish(
        layout,
        &fake::with_test_images(record, &dir, &[0.5; 100], &[0; 100]),
    );
}

fn judged(claims: &str, records: &[Record], looks: &Looks) -> Vec<Judgement> {
    let (_folder, study) = study(claims);
    judge(&study, Size::Full, records, &Evidence::default(), looks)
}

#[test]
fn a_verdict_together_needs_more_than_one_alone() {
    // The risk of the first claim with three seeds is 0.0091: 2 * t.sf(0.06 * 3**0.5 / 0.01, 2).
    let one = judged(&claims_at_least(&[0.0]), &many(3), &Looks::default());
    assert_eq!(one[0].verdict, Verdict::Supported);
    // 0.0091 * 1 * 2 <= 0.05: the only claim at its first look.
    assert_eq!(one[0].together, Verdict::Supported);
    assert_eq!((one[0].needed, one[0].needed_together), (None, None));
    // Of four claims, the first needs 0.0125.
    let four = judged(&claims_at_least(&[0.0; 4]), &many(3), &Looks::default());
    for judgement in &four {
        assert_eq!(judgement.verdict, Verdict::Supported);
        assert_eq!(judgement.together, Verdict::Undecided);
        assert_eq!(judgement.look, Some(1));
        assert_eq!(judgement.needed, None);
        // At the second look the level is 0.05 / 4 / 6 = 0.0021, and with n seeds the risk is
        // 2 * t.sf(0.06 * n**0.5 / 0.01, n - 1): 0.0091 with 3 seeds, 0.0012 with 4.
        assert_eq!(judgement.needed_together, Some(Needed::Seeds(4)));
    }
    // Ten seeds decide together.
    let four = judged(&claims_at_least(&[0.0; 4]), &many(10), &Looks::default());
    assert!(four.iter().all(|one| one.together == Verdict::Supported));
}

#[test]
fn certain_claims_are_not_corrected_and_missing_ones_count() {
    let parameters = claim("at_most = 7850.0", "").replace("test_accuracy", "parameters");
    let certain = parameters.replace("\"c\"", "\"p\"");
    let two = judged(
        &format!("{}{certain}", claims_at_least(&[0.0])),
        &many(3),
        &Looks::default(),
    );
    assert_eq!(two[0].together, Verdict::Supported);
    assert_eq!((two[1].together, two[1].risk), (Verdict::Supported, None));
    // A claim without runs could still be judged, so it counts in the correction.
    let lacking = claim("at_least = 0.0", "").replace("\"c\"", "\"l\"");
    let lacking = lacking.replace("test_accuracy", "balanced_accuracy");
    let four = format!("{}{}", claims_at_least(&[0.0; 3]), lacking);
    let four = judged(&four, &many(3), &Looks::default());
    assert_eq!(four[0].together, Verdict::Undecided);
    assert_eq!(four[3].missing.len(), 3);
    // So does a claim about test images of a cell in which nothing is random: the images could
    // have been others.
    let (exact, by_images) = (
        lacking_fixed("train_accuracy"),
        lacking_fixed("test_accuracy"),
    );
    for (lacking, together) in [(exact, Verdict::Supported), (by_images, Verdict::Undecided)] {
        let claims = format!("{}{lacking}", claims_at_least(&[0.0; 2]));
        let judged = judged(&claims, &many(3), &Looks::default());
        assert_eq!(judged[2].missing, ["no finished run of fixed"]);
        assert_eq!(judged[0].together, together, "{lacking}");
    }
}

/// A claim about a cell in which nothing is random, and which has no run.
fn lacking_fixed(figure: &str) -> String {
    let claim = claim("at_least = 0.0", "").replace("\"c\"", "\"l\"");
    claim
        .replace("mlp", "fixed")
        .replace("test_accuracy", figure)
}

#[test]
fn a_claim_that_is_judged_again_by_earlier_evidence_needs_as_much_as_the_next_look_asks() {
    let four = claims_at_least(&[0.0; 4]);
    let first = judged(&four, &many(3), &Looks::default()).remove(0);
    let look = |evidence: String| kindling_formats::Look {
        id: "c0".into(),
        claim: first.claim.digest(),
        evidence,
    };
    let own = first.evidence.clone().expect("a look");
    let others = (1..21).map(|other| look(other.to_string()));
    let looks: Vec<_> = std::iter::once(look(own)).chain(others).collect();
    let folder = tempfile::tempdir().expect("a folder");
    let layout = Layout::new(folder.path(), Size::Full);
    Looks::add(&layout, &looks, "file").expect("writes");
    let ledger = Looks::read(&layout).expect("a ledger");
    let again = judged(&four, &many(3), &ledger).remove(0);
    assert_eq!(again.look, Some(1));
    // The next look is the 22nd: 2 * scipy.stats.t.sf(0.06 * n**0.5 / 0.01, n - 1) is at most
    // 0.05 / 4 / (22 * 23) = 2.47e-5 from n = 7 on. At the second look n = 4 would do.
    assert_eq!(first.needed_together, Some(Needed::Seeds(4)));
    assert_eq!(again.needed_together, Some(Needed::Seeds(7)));
}

#[test]
fn each_look_at_new_evidence_spends_more() {
    let folder = tempfile::tempdir().expect("a folder");
    let layout = Layout::new(folder.path(), Size::Full);
    let (_study_folder, study) = study(&claims_at_least(&[0.0]));
    for record in many(3) {
        finish(&layout, &study, record);
    }
    let now = || look(&study, &layout, &crate::read(&study, &layout));
    assert_eq!(now().problem, None);
    // The same evidence is no new look.
    let judgement = now().judgements.remove(0);
    assert_eq!((judgement.look, judgement.is_changed), (Some(1), false));
    for record in many(4) {
        finish(&layout, &study, record);
    }
    assert_eq!(now().judgements[0].look, Some(2));
    let ledger = Looks::read(&layout).expect("a ledger");
    let entry = ledger.claim("c0").expect("an entry");
    assert_eq!(entry.looks.len(), 2);
    assert_eq!(entry.claims_file, study.claims_digest());
    // A claim that is changed after the first look is marked.
    let (_other, changed) = super::study(&claims_at_least(&[0.01]));
    let looked = look(&changed, &layout, &crate::read(&changed, &layout));
    assert!(looked.judgements[0].is_changed);
    assert_eq!(looked.judgements[0].look, Some(2));
}

#[test]
fn a_ledger_that_is_damaged_gives_a_warning_and_the_claims_are_judged() {
    let folder = tempfile::tempdir().expect("a folder");
    let layout = Layout::new(folder.path(), Size::Full);
    let (_study_folder, study) = study(&claims_at_least(&[0.0]));
    for record in many(3) {
        finish(&layout, &study, record);
    }
    std::fs::write(layout.looks(), "{").expect("writes");
    let looked = look(&study, &layout, &crate::read(&study, &layout));
    assert!(
        looked
            .problem
            .is_some_and(|problem| problem.contains("looks.json"))
    );
    assert_eq!(looked.judgements[0].verdict, Verdict::Supported);
    // A folder in the place of the ledger's lock: the look cannot be counted.
    std::fs::remove_file(layout.looks()).expect("removes");
    std::fs::create_dir(layout.root().join(".looks.lock")).expect("makes");
    let looked = look(&study, &layout, &crate::read(&study, &layout));
    assert!(
        looked
            .problem
            .is_some_and(|problem| problem.contains("not counted"))
    );
    assert_eq!(looked.judgements[0].verdict, Verdict::Supported);
}

#[test]
fn quick_runs_are_no_look() {
    let folder = tempfile::tempdir().expect("a folder");
    let layout = Layout::new(folder.path(), Size::Quick);
    let (_study_folder, study) = study(&claims_at_least(&[0.0]));
    fake::finish(
        &layout,
        &fake::with_config_of(&study, Size::Quick, many(1).remove(0)),
    );
    look(&study, &layout, &crate::read(&study, &layout));
    assert!(!layout.looks().exists());
}
