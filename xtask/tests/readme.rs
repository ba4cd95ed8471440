//! Runs every command of the README and of docs/ as written, in a copy of the repository's configs.
//! A script stands in for kindling.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{Place, copy, stderr};
use kindling_formats::VERSION;

/// Commands that this test does not run. Some build or test this repository, which the gate
/// does. The others take long and have their own tests.
const ELSEWHERE: [&str; 11] = [
    "cargo bench",
    "cargo bolero",
    "cargo build",
    "cargo install",
    "cargo kindling", // by kindling's own tests
    "cargo test",
    "cargo xtask bench",
    "cargo xtask chaos",
    "cargo xtask ci",
    "cargo xtask pictures", // needs Chromium
    "cargo xtask-pdf",      // another build of xtask
];

/// The README and the pages in docs/, each with its path.
fn documents() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let docs = std::fs::read_dir(root.join("docs")).unwrap();
    let docs = docs.map(|entry| entry.unwrap().path());
    let docs = docs.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    let paths = docs.chain([root.join("README.md")]);
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        (path, text)
    };
    paths.map(read).collect()
}

/// The cargo commands in a text: in blocks of code and between backticks.
fn commands(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    // Lines of blocks, without their comments.
    for block in text.split("```console\n").skip(1) {
        let lines = block.split("```").next().unwrap().lines();
        found.extend(lines.map(|line| line.split(" #").next().unwrap().trim().to_string()));
    }
    // Between backticks, where a line may break.
    let inline = text.split('`').skip(1).step_by(2);
    found.extend(inline.map(|code| code.split_whitespace().collect::<Vec<_>>().join(" ")));
    found.retain(|command| command.starts_with("cargo "));
    found
}

#[test]
fn every_command_runs_as_written() {
    let documents = documents();
    assert!(documents.len() > 10, "{documents:?}");
    let texts = documents.iter().map(|(_, text)| commands(text));
    let commands: BTreeSet<String> = texts.flatten().collect();
    assert!(commands.len() > 50, "{commands:?}");
    let (mine, others): (Vec<_>, Vec<_>) = commands.into_iter().partition(|command| {
        let begins = |start: &&str| command.starts_with(*start);
        !ELSEWHERE.iter().any(begins)
    });
    assert!(others.len() > 5, "{others:?}");
    // Each command has a folder of its own, so two threads share them.
    let (first, second) = mine.split_at(mine.len() / 2);
    std::thread::scope(|scope| {
        for half in [first, second] {
            scope.spawn(|| half.iter().for_each(|command| run(command)));
        }
    });
}

/// Runs a command, and before it the commands that it needs.
fn run(command: &str) {
    let Some(words) = command.strip_prefix("cargo xtask ") else {
        panic!("the documents have `{command}`, which no test runs");
    };
    // NAME, NAMES, CELL, DIR and SHELL are placeholders.
    let words = words.replace("NAMES", "flex").replace("NAME", "flex");
    let words = words.replace("CELL", "mlp").replace("DIR", "data");
    let words = words.replace("SHELL", "bash");
    let place = Place::new();
    let root = place.path("repository");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for folder in ["configs", "artifacts/reference"] {
        copy(&source.join(folder), &root.join(folder));
    }
    std::fs::copy(source.join("README.md"), root.join("README.md")).unwrap();
    for images in ["data", "pictures"] {
        std::fs::create_dir_all(root.join(images)).unwrap();
    }
    let xtask = |words: &str| {
        Command::new(env!("CARGO_BIN_EXE_xtask"))
            .args(words.split(' '))
            .current_dir(&root)
            .env("CARGO_MANIFEST_DIR", root.join("xtask"))
            .env("KINDLING_BIN", place.path("kindling"))
            .env("FAKE_LOG", place.path("log"))
            .env("FAKE_VERSION", VERSION)
            .env("FAKE_GPU", "yes")
            .output()
            .unwrap()
    };
    let succeed = |words: &str| {
        let output = xtask(words);
        assert!(output.status.success(), "{words}: {}", stderr(&output));
    };
    // These commands need a study of one's own.
    if words.contains("my-study") && !words.starts_with("new") {
        succeed("new my-study");
    }
    let study = match words.contains("--configs my-study") {
        true => " --configs my-study",
        false => "",
    };
    let begins = |start: &str| words.starts_with(start);
    // Other trees are published beside the study itself.
    if begins("report --publish") {
        std::fs::remove_dir_all(root.join("artifacts/reference")).unwrap();
    }
    if begins("report --publish ") {
        succeed("experiments");
        succeed("report --publish");
    }
    // These commands need a matrix.
    if begins("report") || begins("claims") || begins("watch") {
        succeed(&format!("experiments{study}"));
    }
    // Tuned runs need choices, and a comparison needs both trees.
    if words.contains("--protocol tuned") && begins("experiments") {
        let without = words.replace(" --protocol tuned", "");
        succeed(&without.replace("experiments", "tune"));
    }
    if begins("compare") {
        succeed(&format!("experiments --cell mlp{study}"));
        succeed(&format!("tune --cell mlp{study}"));
        succeed(&format!("experiments --protocol tuned --cell mlp{study}"));
    }
    // A command with --variant needs this variant.
    if let Some((_, setting)) = words.split_once("--variant ") {
        succeed(&format!("experiments --cell mlp --set {setting}"));
    }
    // These have tests of their own: one serves until Ctrl-C, one needs Slurm.
    if words.starts_with("serve") || words.contains("slurm") {
        return;
    }
    succeed(&words);
}

#[test]
fn commands_are_found_in_blocks_and_lines() {
    let text = "a `cargo xtask\nbackends` b\n```console\ncargo a   # why\nls\n```\n`x`";
    let found: Vec<String> = commands(text).into_iter().collect();
    assert_eq!(found, ["cargo a", "cargo xtask backends"]);
}

/// The targets of the links in a text of Markdown that lead to a file of the repository.
fn links(text: &str) -> Vec<&str> {
    let targets = text.split("](").skip(1);
    let targets = targets.filter_map(|rest| rest.split(')').next());
    targets.filter(|target| !target.contains("://")).collect()
}

/// The names by which the headings of a text are linked to, as GitHub makes them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let name = |heading: &str| {
        let words = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = words
            .chars()
            .filter(|&c| c.is_alphanumeric() || " -_".contains(c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(name).collect()
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let others = [
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "artifacts/reference/README.md",
    ];
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        (path, text)
    };
    let others = others.map(|name| read(root.join(name)));
    let mut seen = 0;
    for (path, text) in documents().into_iter().chain(others) {
        for link in links(&text) {
            seen += 1;
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => path.clone(),
                file => path.parent().unwrap().join(file),
            };
            assert!(target.exists(), "{}: {link}", path.display());
            if !anchor.is_empty() {
                let (_, text) = read(target);
                assert!(
                    anchors(&text).contains(anchor),
                    "{}: {link}",
                    path.display()
                );
            }
        }
    }
    assert!(seen > 40, "{seen}");
}

#[test]
fn links_and_anchors_are_found() {
    assert_eq!(
        links("[a](b.md#c) [d](https://e) ![f](g.png)"),
        ["b.md#c", "g.png"]
    );
    let found: Vec<String> = anchors("# A `b` c\ntext\n## D: e").into_iter().collect();
    assert_eq!(found, ["a-b-c", "d-e"]);
}
