//! `cargo xtask compare` on trees of a fake kindling.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use std::path::Path;
use std::process::{Command, Output};

use common::{Place, stderr, stdout};

/// Runs `xtask compare` with the folders `trees` below the temporary folder.
fn compare(place: &Place, trees: &[&str], flags: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.arg("compare").args(flags);
    command.args(trees.iter().map(|tree| place.path(tree)));
    command.output().unwrap()
}

/// Trains two cells with the fake kindling. `spread` is the cell whose losses differ by seed.
fn train(place: &Place, words: &str, spread: &str) {
    let words = format!("experiments --only mlp --cell linear {words}");
    let mut command = place.xtask(words.trim());
    let output = command.env("FAKE_SPREAD", spread).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
}

fn copy(place: &Place, from: &str, to: &str) {
    common::copy(&place.path(from), &place.path(to));
}

#[test]
fn trees_of_two_backends_are_compared() {
    let place = Place::new();
    train(&place, "", "mlp");
    train(&place, "--backend ndarray", "linear");
    let trees = ["out", "out/variants/ndarray"];
    let output = compare(&place, &trees, &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    let text = stdout(&output);
    assert!(text.contains("The trees differ in: backend.\n"), "{text}");
    assert!(
        text.contains("out/variants/ndarray: written, variant ndarray; "),
        "{text}"
    );
    assert!(text.contains("mlp-beats-linear"), "{text}");
    let row = text.lines().find(|line| line.starts_with("mlp     loss"));
    let row = row.unwrap_or_else(|| panic!("{text}"));
    // 0.150, 0.151, 0.152 with flex, and 0.15 three times with ndarray.
    assert!(row.contains("0.1510  0.1500  -0.0010"), "{row}");
    let json = compare(&place, &trees, &["--json"]);
    let json: serde_json::Value = serde_json::from_str(&stdout(&json)).unwrap();
    assert_eq!(json["trees"][1]["variant"], "ndarray");
    assert_eq!(json["differ_in"], serde_json::json!(["backend"]));
    // The command wrote nothing.
    assert!(!place.path("out/variants/ndarray/compare").exists());
}

#[test]
fn quick_trees_are_compared_without_verdicts() {
    let place = Place::new();
    train(&place, "--quick", "mlp");
    // Quick runs are not set beside the original study, either.
    let report = place.xtask("report --quick").output().unwrap();
    assert!(!stdout(&report).contains("the original study"));
    let full = place.xtask("experiments --cell mlp").output().unwrap();
    assert!(stdout(&full).contains("the original study"));
    copy(&place, "out/quick", "moved");
    let output = compare(&place, &["out/quick", "moved"], &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    let text = stdout(&output);
    assert!(
        text.contains("Quick and smoke runs do not judge claims."),
        "{text}"
    );
}

#[test]
fn wrong_trees_are_refused_with_a_remedy() {
    let place = Place::new();
    train(&place, "", "mlp");
    train(&place, "--quick", "mlp");
    std::fs::create_dir_all(place.path("empty/runs")).unwrap();
    std::fs::create_dir_all(place.path("outer/quick/runs")).unwrap();
    std::fs::create_dir_all(place.path("out/trials/runs")).unwrap();
    copy(&place, "out/runs", "old/runs");
    let record = place.path("old/runs/mlp/seed-0/record.json");
    let text = r#"{"version": "0.0.1", "cell": "mlp"}"#;
    std::fs::write(record, text).unwrap();
    for (trees, words) in [
        (vec!["out"], "2"),
        (vec!["out", "nowhere"], "there is no such folder"),
        (vec!["out", "out"], "named twice"),
        (vec!["out", "out/quick/.."], "named twice"),
        (vec!["out", "kindling"], "it is not a tree of results"),
        (vec!["out", "outer"], "name one of"),
        (vec!["out", "out/quick"], "name trees of one size"),
        (vec!["out", "out/trials"], "it holds trials"),
        (
            vec!["out", "empty"],
            "it holds no complete run of the study",
        ),
        (vec!["out", "old"], "version"),
    ] {
        let output = compare(&place, &trees, &[]);
        assert_eq!(
            output.status.code(),
            Some(2),
            "{trees:?}: {}",
            stdout(&output)
        );
        let printed = stderr(&output);
        assert!(printed.contains(words), "`{words}` in: {printed}");
        let name = Path::new(trees[trees.len() - 1]);
        assert!(
            trees.len() == 1 || printed.contains(name.to_str().unwrap()),
            "{printed}"
        );
        assert!(stdout(&output).is_empty());
    }
}
