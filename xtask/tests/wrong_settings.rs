//! Wrong settings, cells and numbers are refused before the first run. The error names the
//! remedy.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::{Place, stderr, stdout};

#[test]
fn too_many_images_and_too_large_numbers_are_refused_before_training() {
    let place = Place::new();
    for (words, expected) in [
        (
            "experiments --cell pca --set data.train=99999",
            "`data.train`: asks for 99999 images",
        ),
        (
            "experiments --cell mlp --set data.test=10001",
            "`data.test`: asks for 10001 images",
        ),
        (
            "experiments --cell pca --set components=6 --set data.train=5",
            "asks for 6 components, and 5 images of 784 numbers have at most 5",
        ),
        (
            "experiments --cell mlp --set data.validation=60000",
            "mlp: `data.validation`: holds out 60000 of 60000 training images",
        ),
        (
            "train mlp --set data.train=60001",
            "mlp: `data.train`: asks for 60001",
        ),
        (
            "converge linear --set data.train=60001",
            "linear: `data.train`: asks for 60001",
        ),
        (
            "parity mlp --set data.train=60001",
            "mlp: `data.train`: asks for 60001",
        ),
        (
            "experiments --cell linear-y0 --set x_range=1e308",
            "must be at most 1000000",
        ),
        (
            "experiments --cell linear-y0 --set w_range=1e7",
            "must be at most 1000000",
        ),
        (
            "experiments --cell linear-y0 --set noise=1e200",
            "must be at most 1000000",
        ),
        (
            "experiments --cell gradients --set range=1e308",
            "must be at most 1000000",
        ),
        (
            "experiments --cell gradients --set line_reach=1e308",
            "must be at most 1000000",
        ),
    ] {
        let output = place.xtask(words).output().unwrap();
        assert_eq!(
            output.status.code(),
            Some(2),
            "{words}: {}",
            stderr(&output)
        );
        assert!(
            stderr(&output).contains(expected),
            "{words}: {}",
            stderr(&output)
        );
        assert!(!place.out().exists(), "{words}");
    }
}

#[test]
fn cells_are_selected_by_name_or_by_a_part_of_the_name() {
    let place = Place::new();
    let listed = |words: &str| {
        let words = format!("experiments --list --json --seeds 1 {words}");
        let output = place.xtask(&words).output().unwrap();
        let listed: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
        let names = listed
            .as_array()
            .unwrap()
            .iter()
            .map(|run| run["cell"].to_string());
        names.collect::<Vec<_>>().join(" ").replace('"', "")
    };
    assert_eq!(listed("--cell linear"), "linear");
    assert_eq!(listed("--cell mlp --cell linear"), "linear mlp");
    assert_eq!(listed("--cell linear --only mlp"), "linear mlp-10 mlp");
    assert_eq!(listed("--only linear").split(' ').count(), 5);
    let output = place.xtask("experiments --cell liner").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("did you mean `linear`?"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn errors_about_wrong_settings_name_the_remedy() {
    let place = Place::new();
    for (words, expected) in [
        ("--cell mlp --set adam.learning_rate=0.1", "adam"),
        (
            "--cell mlp --set train.optimizer.adam.learning_rate=0.1",
            "the cell trains with sgd; set a key of train.optimizer.sgd",
        ),
        ("--cell mlp --set epochs=many", "must be a whole number"),
        ("--cell mlp --set epochs=1.5", "must be a whole number"),
        ("--cell mlp --set hidden=8", "must be a list, as [32, 16]"),
    ] {
        let output = place
            .xtask(&format!("experiments {words}"))
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{words}");
        assert!(
            stderr(&output).contains(expected),
            "{words}: {}",
            stderr(&output)
        );
    }
    let words = "experiments --list --cell mlp --set learning_rate=.01 --set epochs=1e1";
    let output = place.xtask(words).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let printed = stdout(&output);
    assert!(printed.contains(" 10 "), "{printed}");
}
