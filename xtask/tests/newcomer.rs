//! The worked example of docs/families.md, a new family. These tests check that its patch applies
//! and is as short as the document says. In the gate, the example is also built and run.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::path::{Path, PathBuf};
use std::process::Command;

use kindling_formats::{ResultRow, VERSION, read_csv};

/// The variable that `cargo xtask ci` sets.
const GATE: &str = "KINDLING_GATE";
/// Folders at the top of the repository that no build reads.
const NOT_COPIED: [&str; 3] = ["target", ".git", "artifacts"];

fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap().into()
}

fn patch() -> PathBuf {
    root().join("xtask/tests/newcomer/neighbours.patch")
}

/// The text of docs/families.md on one line.
fn page() -> String {
    let text = std::fs::read_to_string(root().join("docs/families.md")).unwrap();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Checks that docs/families.md contains `words`.
#[track_caller]
fn page_says(words: &str) {
    let text = page();
    assert!(text.contains(words), "docs/families.md must say `{words}`");
}

/// A command `git apply` that ignores any repository. The sources may come from an archive, and
/// the folder around them may belong to another repository.
fn git_apply(git: &Path, folder: &Path) -> Command {
    let mut command = Command::new(git);
    command
        .arg("apply")
        .arg(patch())
        .current_dir(folder)
        .env("GIT_DIR", folder.join("target").join("no-repository"));
    command
}

#[test]
fn the_example_of_a_new_family_is_as_short_as_the_document_says() {
    let patch = std::fs::read_to_string(patch()).unwrap();
    let (mut family, mut program, mut elsewhere) = (0, 0, 0);
    for file in patch.split("diff --git ").skip(1) {
        let name = file.split_whitespace().next().unwrap();
        let added = file.lines().filter(|line| line.starts_with('+'));
        let added = added.filter(|line| !line.starts_with("+++")).count();
        match name {
            "a/crates/formats/src/configs/families/neighbours.rs" => family = added,
            "a/crates/neighbours/src/lib.rs" => program = added,
            "a/crates/neighbours/Cargo.toml" | "a/configs/2.5-classifiers/70-neighbours.toml" => {}
            _ => elsewhere += added,
        }
    }
    page_says(&format!(
        "to a new family a crate, a file of {family} lines and {elsewhere} lines elsewhere"
    ));
    page_says(&format!("(`crates/neighbours`, {program} lines)"));
}

#[test]
fn the_example_of_a_new_family_applies() {
    let Some(git) = kindling_testing::program("git", "install git") else {
        return;
    };
    let output = git_apply(&git, &root()).arg("--check").output().unwrap();
    let why = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{why}");
}

/// Copies a folder with all its files, except the entries named in `without`.
fn copy(from: &Path, to: &Path, without: &[&str]) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        if without.iter().any(|&skipped| name == skipped) {
            continue;
        }
        let (from, to) = (entry.path(), to.join(&name));
        if from.is_dir() {
            copy(&from, &to, &[]);
        } else {
            std::fs::copy(from, to).unwrap();
        }
    }
}

/// Builds the example, trains its cells, and compares their accuracies with those in
/// docs/families.md. This takes minutes, so only the gate does it.
#[test]
fn the_example_of_a_new_family_gives_the_accuracies_of_the_document() {
    if std::env::var_os(GATE).is_none() {
        let remedy = format!("`cargo xtask ci` runs this test and sets {GATE}");
        kindling_testing::skipped("gate", &remedy);
        return;
    }
    let Some(git) = kindling_testing::program("git", "install git") else {
        return;
    };
    let xtask = Path::new(env!("CARGO_BIN_EXE_xtask"));
    let target = xtask.parent().unwrap().parent().unwrap();
    // The folder is always the same, so that a build replaces the build before.
    let folder = target.join("newcomer");
    let _ = std::fs::remove_dir_all(&folder);
    let tree = folder.join("kindling");
    copy(&root(), &tree, &NOT_COPIED);
    assert!(git_apply(&git, &tree).status().unwrap().success());
    // The build below reuses the compiled crates of Burn, and writes its programs to another
    // folder. The copies of our crates need another version: otherwise cargo would mix them up
    // with the originals.
    let manifest = tree.join("Cargo.toml");
    let text = std::fs::read_to_string(&manifest).unwrap();
    let version = format!("version = \"{VERSION}");
    let other = text.replacen(&version, &format!("{version}-newcomer"), 1);
    assert_ne!(other, text);
    std::fs::write(&manifest, other).unwrap();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["xtask", "experiments", "--quick", "--only", "neighbours"])
        .arg("--out")
        .arg(folder.join("out"))
        .current_dir(&tree)
        .env("CARGO_BUILD_BUILD_DIR", target)
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .env("CARGO_NET_OFFLINE", "true")
        .env_remove("KINDLING_BIN")
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    let why = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{printed}{why}");
    let results: Vec<ResultRow> = read_csv(&folder.join("out/quick/results.csv")).unwrap();
    let accuracy = |cell: &str| -> String {
        let result = results.iter().find(|result| result.cell == cell).unwrap();
        let shown = format!("{:.4}", result.test_accuracy.unwrap());
        let shows = |line: &str| line.contains(cell) && line.contains(&shown);
        assert!(printed.lines().any(shows), "{cell} {shown} in: {printed}");
        shown
    };
    page_says(&format!(
        "It prints an accuracy of {} for one neighbour and {} for five, on 2,000 images.",
        accuracy("neighbours-1"),
        accuracy("neighbours-5")
    ));
}
