//! Checks the numbers in documents and comments. Each number has to match the code or the
//! published runs, or be next to the command that prints it.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may")]

#[path = "../common/mod.rs"]
mod common;
mod documents;
mod published;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use common::{Place, configs, stderr, stdout, study_without_figures};
use kindling_formats::{ResultRow, SMOKE_STEPS, SMOKE_TESTS, Study, read_csv, write_atomic};
use kindling_report::{ClaimRow, Spread, look, published_page, published_trees, read};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The text of a file of the repository.
fn file(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A file as one line, without the marks of comments. So a sentence is found even if it spans
/// several lines.
fn prose(path: &str) -> String {
    let lines = file(path);
    let lines = lines.lines().map(|line| {
        let line = line.trim();
        let comment = line.trim_start_matches("//").trim_start_matches(['/', '!']);
        if line.starts_with("//") {
            comment
        } else {
            line.trim_start_matches('#')
        }
        .trim()
    });
    lines.collect::<Vec<_>>().join(" ")
}

/// Checks that the file `path` contains each of `sentences`.
fn says(path: &str, sentences: &[&str]) {
    let text = prose(path);
    for sentence in sentences {
        assert!(text.contains(sentence), "{path} does not say `{sentence}`");
    }
}

/// A number with commas, as in `1,234,567`.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev();
    let groups: Vec<&str> = groups
        .map(|group| std::str::from_utf8(group).unwrap())
        .collect();
    groups.join(",")
}

/// The value in `const NAME: TYPE = VALUE;` in a source file.
fn constant(path: &str, name: &str) -> String {
    let text = file(path);
    let start = format!("const {name}: ");
    let rest = text.split(&start).nth(1);
    let line = rest.unwrap_or_else(|| panic!("{path} has no {name}"));
    let value = line.split(" = ").nth(1).unwrap().split(';').next().unwrap();
    value.replace('_', "")
}

/// The value in `key = value` in a TOML file.
fn value(path: &str, key: &str) -> String {
    let text = file(path);
    let start = format!("{key} = ");
    let rest = text.lines().find_map(|line| line.strip_prefix(&start));
    let rest = rest.unwrap_or_else(|| panic!("{path} has no {key}"));
    rest.split('#').next().unwrap().trim().into()
}

/// The published runs.
fn published() -> Vec<ResultRow> {
    read_csv(&root().join("artifacts/reference/results.csv")).unwrap()
}

/// Runs xtask, checks that it succeeded, and returns its standard output.
fn check_success(place: &Place, words: &str) -> String {
    let output = place.xtask(words).output().unwrap();
    assert!(output.status.success(), "{words}: {}", stderr(&output));
    stdout(&output)
}
