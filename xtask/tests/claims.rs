//! `cargo xtask claims` on records of a fake kindling. All runs have the same losses, except
//! those of the cell in `FAKE_SPREAD`.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use std::process::{Command, Output};

use common::{Place, configs, copy, stderr, stdout};

const RIGHT: &str = "right = { cells = [\"linear\"], of = \"test_loss\" }";

/// Runs xtask on the study with one claim about the test loss of mlp. `rest` completes the claim.
fn claims(place: &Place, words: &str, rest: &str) -> Output {
    claims_of(place, words, rest, "mlp")
}

/// Runs xtask on the study with one claim about the test loss of `cell`. `rest` completes the
/// claim.
fn claims_of(place: &Place, words: &str, rest: &str, cell: &str) -> Output {
    let folder = place.path("configs");
    if !folder.exists() {
        copy(&configs(), &folder);
    }
    let text = format!(
        "[[claim]]\nid = \"the-claim\"\nsection = \"2.5\"\nsays = \"s\"\n\
         left = {{ cells = [\"{cell}\"], of = \"test_loss\" }}\n{rest}\n"
    );
    std::fs::write(folder.join("claims.toml"), text).unwrap();
    let mut command: Command = place.xtask(words);
    command.env("FAKE_SPREAD", "mlp");
    command.arg("--configs").arg(&folder).output().unwrap()
}

/// The words before the id of a claim in the table of `text`: its verdicts alone and together.
fn verdicts<'a>(text: &'a str, id: &str) -> Vec<&'a str> {
    let mut lines = text.lines().map(str::split_whitespace);
    let line = lines.find(|words| words.clone().any(|word| word == id));
    line.into_iter()
        .flatten()
        .take_while(|word| *word != id)
        .collect()
}

#[test]
fn judging_again_is_no_new_look_and_a_changed_claim_is_marked() {
    let place = Place::new();
    let mut train = place.xtask("experiments --only mlp --only linear");
    assert!(
        train
            .env("FAKE_SPREAD", "mlp")
            .output()
            .unwrap()
            .status
            .success()
    );
    let rest = |bound: f64| format!("{RIGHT}\nat_least = {bound:?}");
    for _ in 0..2 {
        let output = claims(&place, "claims --json", &rest(0.1));
        let text = stdout(&output);
        assert!(text.contains("\"look\":1"), "{text}");
        assert!(text.contains("\"changed\":false"), "{text}");
    }
    let output = claims(&place, "claims", &rest(0.2));
    let text = stdout(&output);
    assert!(
        text.contains("the-claim (changed after its first look)"),
        "{text}"
    );
    let output = claims(&place, "report", &rest(0.2));
    assert!(output.status.success(), "{}", stderr(&output));
    for file in ["report.md", "index.html"] {
        let text = std::fs::read_to_string(place.out().join("report").join(file)).unwrap();
        assert!(text.contains("(changed after its first look)"), "{file}");
    }
    let ledger = std::fs::read_to_string(place.out().join("looks.json")).unwrap();
    assert!(ledger.contains("the-claim"), "{ledger}");
}

#[test]
fn without_records_claims_are_undecided_and_the_exit_code_is_0() {
    let place = Place::new();
    let output = place.xtask("claims").output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let text = stdout(&output);
    assert!(text.contains("0 supported, 0 refuted,"), "{text}");
    let verdicts = verdicts(&text, "mlp-beats-linear");
    assert_eq!(verdicts, ["undecided", "undecided"], "{text}");
    assert!(stderr(&output).contains("no finished run of mlp"));
    assert!(place.trained().is_empty());
}

#[test]
fn a_refuted_claim_is_not_an_error() {
    let place = Place::new();
    let train = "experiments --only mlp --only linear";
    let mut train = place.xtask(train);
    let train = train.env("FAKE_SPREAD", "mlp").output().unwrap();
    assert!(train.status.success());
    // The differences are 0, 0.001 and 0.002.
    let output = claims(&place, "claims", &format!("{RIGHT}\nat_least = 0.1"));
    assert!(output.status.success(), "{}", stderr(&output));
    let text = stdout(&output);
    assert_eq!(
        verdicts(&text, "the-claim"),
        ["refuted", "refuted"],
        "{text}"
    );
    assert!(
        text.contains("alone: 0 supported, 1 refuted, 0 undecided; together: 0 supported, 1"),
        "{text}"
    );
    assert!(text.contains("with a probability of at most 5 %"), "{text}");
    assert!(text.contains("With 3 seeds few claims can hold"), "{text}");
}

#[test]
fn a_malformed_claim_is_an_error_that_names_the_remedy() {
    for (rest, words) in [
        ("", "give `at_least`, `at_most`, or both"),
        ("at_least = 1.0\nat_most = 0.0", "not above `at_most`"),
        ("at_least = nan", "must be a number"),
        ("at_least = 0.0\nby = \"ratio\"", "a ratio needs `right`"),
        ("at_least = 0.0\nat_lest = 1.0", "at_lest"),
        (
            "at_least = 0.0\nright = { cells = [\"mpl\"], of = \"test_loss\" }",
            "did you mean `mlp`?",
        ),
        (
            "at_least = 0.0\nright = { cells = [\"mlp\"], of = \"tests_loss\" }",
            "did you mean `test_loss`?",
        ),
        (
            "at_least = 0.0\nright = { cells = [], of = \"test_loss\" }",
            "name at least one cell",
        ),
        (
            "at_least = 0.0\nright = { cells = [\"mlp\"], of = \"test_loss\", within = -1.0 }",
            "at least 0",
        ),
        (
            "at_least = 0.0\nright = { cells = [\"mlp\", \"linear\"], of = \"test_loss\", within = 0.1 }",
            "a mean of several cells leaves none out",
        ),
    ] {
        let place = Place::new();
        // With a malformed claim, nothing is trained.
        for command in ["claims", "experiments"] {
            let output = claims(&place, command, rest);
            assert_eq!(output.status.code(), Some(2), "{rest}");
            let text = stderr(&output);
            assert!(
                text.contains("claims.toml") && text.contains(words),
                "{text}"
            );
        }
        assert!(place.trained().is_empty());
    }
}

#[test]
fn seeds_are_added_until_a_claim_is_decided() {
    let place = Place::new();
    let rest = format!("{RIGHT}\nat_most = 0.1");
    let output = claims(&place, "claims --until-decided", &rest);
    assert!(output.status.success(), "{}", stderr(&output));
    let text = stdout(&output);
    assert_eq!(
        verdicts(&text, "the-claim"),
        ["supported", "supported"],
        "{text}"
    );
    assert_eq!(
        place.trained(),
        [
            "linear 0", "linear 1", "linear 2", "mlp 0", "mlp 1", "mlp 2"
        ]
    );
    // The claim is decided, so no more seeds are trained.
    claims(&place, "claims --until-decided", &rest);
    assert!(place.trained().is_empty());
}

#[test]
fn a_claim_is_undecided_if_all_seeds_have_equal_losses() {
    let place = Place::new();
    let train = place
        .xtask("experiments --cell depth-1 --cell linear")
        .output()
        .unwrap();
    assert!(train.status.success());
    assert_eq!(place.trained().len(), 6);
    let right = RIGHT.replace("linear", "depth-1");
    let rest = format!("{right}\nat_most = 0.0").replace("mlp", "linear");
    let output = claims_of(&place, "claims", &rest, "linear");
    let text = stdout(&output);
    assert_eq!(
        verdicts(&text, "the-claim"),
        ["undecided", "undecided"],
        "{text}"
    );
    let printed = stderr(&output);
    assert!(
        printed.contains("the-claim: no spread between seeds"),
        "{printed}"
    );
}

#[test]
fn short_runs_do_not_judge_claims() {
    let place = Place::new();
    let train = place
        .xtask("experiments --quick --only mlp --only linear")
        .output()
        .unwrap();
    assert!(train.status.success());
    let output = claims(
        &place,
        "claims --quick",
        &format!("{RIGHT}\nat_least = 0.0"),
    );
    assert!(output.status.success());
    let printed = stdout(&output) + &stderr(&output);
    assert!(
        !printed.contains("undecided") && !printed.contains("supported"),
        "{printed}"
    );
    assert!(
        printed.contains("quick and smoke runs do not judge claims"),
        "{printed}"
    );
    assert!(printed.contains("the-claim"), "{printed}");
    let output = claims(
        &place,
        "claims --quick --json",
        &format!("{RIGHT}\nat_least = 0.0"),
    );
    assert!(
        stdout(&output).contains("\"verdict\":\"not judged\""),
        "{}",
        stdout(&output)
    );
    let report = place.out().join("quick/report/report.md");
    let report = std::fs::read_to_string(report).unwrap();
    assert!(!report.contains("undecided"), "{report}");
}

#[test]
fn until_decided_stops_at_the_largest_number_of_seeds() {
    let place = Place::new();
    let right = "right = { cells = [\"linear\"], of = \"no_such_metric\" }\nat_least = 0.0";
    let output = claims(&place, "claims --until-decided --max-seeds 4", right);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stderr(&output).contains("linear seed 0 has no no_such_metric"));
    // The study's number of seeds is trained, and no training gives the metric.
    assert_eq!(place.trained().len(), 2 * 3);
}

#[test]
fn a_claim_gets_the_seeds_that_it_needs_at_todays_spread() {
    let place = Place::new();
    // The differences of the first three seeds are 0, 0.001 and 0.002. With a mean of 0.001, a
    // deviation of 0.001 and the second look's level of 0.05 / 6, SciPy gives 7 seeds:
    // next(n for n in range(4, 99) if 2 * t.sf(1.5 * sqrt(n), n - 1) <= 0.05 / 6)
    let rest = format!("{RIGHT}\nat_least = -0.0005");
    let output = claims(&place, "claims --until-decided", &rest);
    assert!(output.status.success(), "{}", stderr(&output));
    let printed = stderr(&output);
    for words in [
        "1 claim open; the-claim needs 3 seeds of mlp, linear: training 6 runs",
        "1 claim open; the-claim needs 7 seeds of mlp, linear: training 8 runs, which takes less \
         than a minute",
    ] {
        assert!(printed.contains(words), "`{words}` in: {printed}");
    }
    assert_eq!(place.trained().len(), 2 * 7);
    let text = stdout(&output);
    assert!(
        text.contains("the-claim") && text.contains("1 supported"),
        "{text}"
    );
}

#[test]
fn no_more_seeds_are_trained_than_allowed_and_the_open_claim_is_named() {
    let place = Place::new();
    let rest = format!("{RIGHT}\nat_least = -0.0005");
    let output = claims(&place, "claims --until-decided --max-seeds 4", &rest);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(place.trained().len(), 2 * 4);
    let printed = stderr(&output);
    assert!(printed.contains("1 claim left open:"), "{printed}");
    // As in the test above, the claim needs 7 seeds after the first look at 3.
    let needs = "the-claim needs 7 seeds of mlp, linear, but --max-seeds allows 4: training 2 runs";
    assert!(printed.contains(needs), "{printed}");
    assert!(
        printed.contains("the-claim: it needs about ") && printed.contains("--max-seeds allows 4"),
        "{printed}"
    );
}

#[test]
fn nothing_is_trained_that_takes_longer_than_the_minutes() {
    let place = Place::new();
    let words = "claims --until-decided --minutes 1";
    let output = claims_of(&place, words, "at_least = 0.0", "convnet-wide");
    assert!(output.status.success(), "{}", stderr(&output));
    let printed = stderr(&output);
    assert!(printed.contains("and --minutes leaves less"), "{printed}");
    assert!(place.trained().is_empty());
    for flag in ["--most 9", "--minutes 0"] {
        let output = claims(
            &place,
            &format!("claims --until-decided {flag}"),
            "at_least = 0.0",
        );
        assert_eq!(output.status.code(), Some(2), "{flag}");
    }
}
