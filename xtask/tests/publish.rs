//! `cargo xtask report --publish`, and the commands that read what was published.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use common::{Place, configs, copy, stderr, stdout};
use kindling_formats::VERSION;

const README: &str = "# R\n\n<!-- findings:begin -->\n- <!-- convnet-is-small -->\n\
                      <!-- findings:end -->\n\nmore\n";

/// A repository with the configs of this one, and a README that names one claim.
fn repository(place: &Place) -> PathBuf {
    let root = place.path("repository");
    copy(&configs(), &root.join("configs"));
    std::fs::write(root.join("README.md"), README).unwrap();
    root
}

/// Runs xtask in the repository `root`.
fn xtask(place: &Place, root: &Path, words: &str) -> Output {
    command(place, root, words).output().unwrap()
}

fn command(place: &Place, root: &Path, words: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command
        .args(words.split(' '))
        .current_dir(root)
        .env("CARGO_MANIFEST_DIR", root.join("xtask"))
        .env("KINDLING_BIN", place.path("kindling"))
        .env("FAKE_LOG", place.path("log"))
        .env("FAKE_VERSION", VERSION);
    command
}

#[test]
fn published_results_are_judged_as_those_that_they_come_from() {
    let place = Place::new();
    let root = repository(&place);
    let succeed = |words: &str| {
        let output = xtask(&place, &root, words);
        assert!(output.status.success(), "{words}: {}", stderr(&output));
        stdout(&output)
    };
    succeed("experiments");
    succeed("report --publish");
    let own = succeed("claims --json");
    assert_eq!(succeed("claims --json --out artifacts/reference"), own);
    let reference = root.join("artifacts/reference");
    let page = std::fs::read_to_string(reference.join("README.md")).unwrap();
    assert!(page.contains("of 31 cells, seeds 0 to 2"), "{page}");
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let sentence = "at most a tenth as many parameters as the MLP 784-512-128-10. (written: **";
    assert!(readme.contains(sentence), "{readme}");
    assert!(readme.ends_with("<!-- convnet-is-small -->\n<!-- findings:end -->\n\nmore\n"));

    // The tuned runs of the same program are published beside it, with their choices.
    succeed("tune --cell mlp");
    succeed("experiments --protocol tuned --cell mlp");
    succeed("report --publish --protocol tuned");
    assert!(reference.join("tuned/choices.toml").exists());
    let page = std::fs::read_to_string(reference.join("README.md")).unwrap();
    assert!(
        page.contains("**written**") && page.contains("**tuned**"),
        "{page}"
    );
    let compared = succeed("compare artifacts/reference artifacts/reference/tuned");
    assert!(compared.contains("mlp"), "{compared}");

    // Nothing is written to what was published.
    for words in [
        "experiments --cell pca --out artifacts/reference",
        "report --out artifacts/reference",
    ] {
        let output = xtask(&place, &root, words);
        assert_eq!(output.status.code(), Some(2), "{words}");
        assert!(
            stderr(&output).contains("holds published results"),
            "{words}"
        );
    }
}

#[test]
fn nothing_is_published_of_another_program_or_with_a_wrong_readme() {
    let place = Place::new();
    let root = repository(&place);
    let fail = |words: &str| {
        let output = xtask(&place, &root, words);
        assert_eq!(output.status.code(), Some(1), "{words}");
        stderr(&output)
    };
    assert!(
        xtask(&place, &root, "experiments --cell pca --set components=3")
            .status
            .success()
    );
    let variant = "report --publish --variant components=3";
    assert!(fail(variant).contains("holds no results of the study; publish those first"));
    assert!(
        xtask(&place, &root, "experiments --cell pca")
            .status
            .success()
    );
    std::fs::write(root.join("README.md"), "# R\n").unwrap();
    assert!(fail("report --publish").contains("nothing was published"));
    assert!(!root.join("artifacts/reference").exists());
    std::fs::write(root.join("README.md"), README).unwrap();
    assert!(xtask(&place, &root, "report --publish").status.success());
    assert!(xtask(&place, &root, variant).status.success());
    let other = |words: &str| {
        let mut command = command(&place, &root, words);
        command.env("FAKE_PROGRAM", "another").output().unwrap()
    };
    assert!(
        other("experiments --cell pca --set components=4")
            .status
            .success()
    );
    let printed = fail("report --publish --variant components=4");
    assert!(printed.contains("trained by another program"), "{printed}");
    // Nor is the study, while runs of another program stay beside it.
    std::fs::remove_dir_all(root.join("artifacts/runs")).unwrap();
    assert!(other("experiments --cell pca").status.success());
    let printed = fail("report --publish");
    assert!(
        printed.contains("variants/components=3 were trained by another program"),
        "{printed}"
    );
}
