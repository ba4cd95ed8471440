//! Checks invariants of ARCHITECTURE.md: the dependencies between crates, and the crates that may
//! name a backend.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Each crate, and the crates of this workspace that it may depend on. Dependencies have no
/// circles.
const MAY_USE: &[(&str, &[&str])] = &[
    ("kindling-formats", &[]),
    ("kindling-datasets", &["kindling-formats"]),
    (
        "kindling-harness",
        &["kindling-formats", "kindling-datasets", "kindling-ops"],
    ),
    ("kindling-ops", &[]),
    ("kindling-regression", FAMILY),
    ("kindling-classifiers", FAMILY),
    ("kindling-autoencoder", FAMILY),
    (
        "kindling",
        &[
            "kindling-formats",
            "kindling-datasets",
            "kindling-harness",
            "kindling-ops",
            "kindling-regression",
            "kindling-classifiers",
            "kindling-autoencoder",
            "kindling-terminal",
        ],
    ),
    (
        "kindling-bench",
        &[
            "kindling-formats",
            "kindling-datasets",
            "kindling-harness",
            "kindling-ops",
            "kindling-regression",
            "kindling-classifiers",
            "kindling-autoencoder",
        ],
    ),
    ("kindling-report", &["kindling-formats"]),
    ("kindling-runner", &["kindling-formats"]),
    ("kindling-terminal", &[]),
    ("kindling-testing", &[]),
    (
        "xtask",
        &[
            "kindling-formats",
            "kindling-report",
            "kindling-runner",
            "kindling-terminal",
        ],
    ),
];

/// The crates that the crate of a family may depend on. No family depends on another.
const FAMILY: &[&str] = &[
    "kindling-formats",
    "kindling-datasets",
    "kindling-harness",
    "kindling-ops",
];
/// The folders of the families.
const FAMILIES: [&str; 3] = ["regression", "classifiers", "autoencoder"];
/// The crates without Burn, which build in seconds.
const WITHOUT_BURN: [&str; 6] = [
    "kindling-formats",
    "kindling-report",
    "kindling-runner",
    "kindling-terminal",
    "kindling-testing",
    "xtask",
];
/// The Cargo features that choose a backend.
const BACKENDS: [&str; 4] = ["flex", "ndarray", "wgpu", "cuda"];
/// The crates that have all of these features.
const WITH_BACKENDS: [&str; 2] = ["kindling-harness", "kindling"];
/// The crate with faster operations for some backends.
const WITH_OPERATIONS: &str = "kindling-ops";
/// The backends that have such operations.
const OF_OPERATIONS: [&str; 2] = ["flex", "ndarray"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .into()
}

/// The packages of the workspace, from `cargo metadata`.
fn packages() -> Vec<Value> {
    metadata()["packages"].as_array().unwrap().clone()
}

/// The output of `cargo metadata` for the workspace.
fn metadata() -> Value {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn plain_cargo_commands_build_all_crates_except_the_benchmarks() {
    let metadata = metadata();
    let names = |key: &str| -> BTreeSet<String> {
        let ids = metadata[key].as_array().unwrap().iter();
        // `path+file:///.../crates/formats#kindling-formats@0.2.0`
        let folder = |id: &Value| -> String {
            let id = id.as_str().unwrap();
            let path = id.split('#').next().unwrap();
            path.rsplit('/').next().unwrap().into()
        };
        ids.map(folder).collect()
    };
    let mut all = names("workspace_members");
    assert!(all.remove("bench"), "{all:?}");
    assert_eq!(names("workspace_default_members"), all);
}

/// The dependencies of a package, without those that only its tests use.
fn dependencies(package: &Value) -> BTreeSet<&str> {
    let all = package["dependencies"].as_array().unwrap().iter();
    all.filter(|dependency| dependency["kind"] != "dev")
        .map(|dependency| dependency["name"].as_str().unwrap())
        .collect()
}

/// Every source file that is built, with its text.
fn sources() -> Vec<(PathBuf, String)> {
    let mut folders = vec![root().join("xtask").join("src")];
    for entry in std::fs::read_dir(root().join("crates")).unwrap() {
        folders.push(entry.unwrap().path().join("src"));
    }
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                sources.push((path, text));
            }
        }
    }
    sources.sort();
    assert!(sources.len() > 20, "the sources are elsewhere");
    sources
}

#[test]
fn dependencies_point_one_way() {
    let packages = packages();
    let ours: BTreeSet<&str> = packages
        .iter()
        .map(|package| package["name"].as_str().unwrap())
        .collect();
    let known: BTreeSet<&str> = MAY_USE.iter().map(|(name, _)| *name).collect();
    assert_eq!(ours, known, "MAY_USE in tidy.rs has to name every crate");
    for package in &packages {
        let name = package["name"].as_str().unwrap();
        let (_, may_use) = MAY_USE.iter().find(|(known, _)| *known == name).unwrap();
        for dependency in dependencies(package) {
            assert!(
                !ours.contains(dependency) || may_use.contains(&dependency),
                "{name} must not depend on {dependency}"
            );
            assert!(
                !WITHOUT_BURN.contains(&name) || !dependency.starts_with("burn"),
                "{name} must not depend on {dependency}: it builds without Burn"
            );
        }
    }
}

/// The packages with their features, from `cargo tree` with the arguments `words`.
fn features(words: &[&str]) -> BTreeSet<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "tree",
            "--offline",
            "--prefix",
            "none",
            "--format",
            "{p} {f}",
        ])
        .args(words)
        .current_dir(root())
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && !printed.is_empty());
    printed
        .lines()
        .map(|line| line.trim_end_matches(" (*)").to_string())
        .collect()
}

#[test]
fn the_runner_reads_no_command_line_and_prints_nothing() {
    let packages = packages();
    let is_runner = |package: &&Value| package["name"] == "kindling-runner";
    let runner = packages.iter().find(is_runner).unwrap();
    for name in ["clap", "console", "indicatif", "anyhow"] {
        assert!(
            !dependencies(runner).contains(name),
            "the runner uses {name}"
        );
    }
    let folder = root().join("crates/runner/src");
    let files = sources();
    let of_runner = files.iter().filter(|(path, _)| path.starts_with(&folder));
    for (path, text) in of_runner.clone() {
        for word in [
            "println!",
            "print!(",
            "io::stdout",
            "io::stderr",
            "env::args",
        ] {
            assert!(
                !text.contains(word),
                "{} uses {word}; the runner reports to its observer",
                path.display()
            );
        }
    }
    assert!(of_runner.count() > 10);
}

#[test]
fn burn_is_built_once() {
    // If the features differed, `cargo test` and the build of kindling would each compile Burn.
    let all = features(&["--edges", "normal,build,dev"]);
    let alone = features(&["--package", "kindling", "--edges", "normal,build"]);
    let other: Vec<&String> = alone.difference(&all).collect();
    assert!(
        other.is_empty(),
        "kindling alone is built with other features than in the workspace: {other:#?}; make \
         them equal in its Cargo.toml"
    );
}

#[test]
fn only_the_harness_chooses_a_backend() {
    for package in packages() {
        let name = package["name"].as_str().unwrap();
        let features = package["features"].as_object().unwrap();
        for backend in BACKENDS {
            assert_eq!(
                features.contains_key(backend),
                WITH_BACKENDS.contains(&name)
                    || name == WITH_OPERATIONS && OF_OPERATIONS.contains(&backend),
                "feature `{backend}` of {name}"
            );
        }
        if name == "kindling" {
            for backend in BACKENDS {
                let mut forwarded = vec![format!("kindling-harness/{backend}")];
                if OF_OPERATIONS.contains(&backend) {
                    forwarded.push(format!("{WITH_OPERATIONS}/{backend}"));
                }
                assert_eq!(features[backend], serde_json::json!(forwarded));
            }
        }
    }
}

#[test]
fn no_family_names_a_backend() {
    for (path, text) in sources() {
        let family = FAMILIES
            .iter()
            .any(|family| path.starts_with(root().join("crates").join(family)));
        let words = text.split(|letter: char| !letter.is_ascii_alphanumeric());
        for word in words.filter(|_| family) {
            assert!(
                !BACKENDS.contains(&word.to_ascii_lowercase().as_str()),
                "{} contains `{word}`, but a family must not depend on a backend",
                path.display()
            );
        }
    }
}

/// Only MNIST's own file knows the shape of its images. Everything else reads it from the data.
#[test]
fn no_file_has_a_constant_for_the_size_of_images() {
    const BANNED: [&str; 3] = ["SIDE", "PIXELS", "CLASSES"];
    let mnist = root().join("crates/datasets/src/mnist.rs");
    for (path, text) in sources().into_iter().filter(|(path, _)| *path != mnist) {
        let is_in_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        for word in text.split(|letter: char| !is_in_name(letter)) {
            assert!(
                !BANNED.contains(&word),
                "{} contains `{word}`; take the shape and the classes from `DataInfo`",
                path.display()
            );
        }
    }
}

/// Every file of tests, with its text.
fn tests() -> Vec<(PathBuf, String)> {
    let mut folders = vec![root().join("xtask")];
    let crates = std::fs::read_dir(root().join("crates")).unwrap();
    folders.extend(crates.map(|entry| entry.unwrap().path()));
    let files = folders
        .iter()
        .filter_map(|folder| std::fs::read_dir(folder.join("tests")).ok())
        .flatten();
    let files = files.map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    let mut tests: Vec<(PathBuf, String)> = files
        .map(|path| (path.clone(), std::fs::read_to_string(&path).unwrap()))
        .collect();
    tests.extend(sources());
    assert!(tests.len() > 50, "the tests are elsewhere");
    tests
}

/// A test that needs a missing program has to use `crates/testing`, which reports the test as
/// skipped. Rust's own attribute to ignore a test would hide it.
#[test]
fn no_test_is_skipped_silently() {
    let mark = ["#[", "ignore"].concat();
    for (path, text) in tests() {
        let path = path.display();
        assert!(!text.contains(&mark), "{path} has a test that never runs");
        if text.contains("command -v") || text.contains("python3") {
            assert!(
                text.contains("kindling_testing::") || path.to_string().contains("src"),
                "{path} looks for a program by itself; use crates/testing, which reports skipped tests"
            );
        }
    }
}
