//! Runs every command of the README as written, in a copy of the repository's configs. A script
//! stands in for kindling.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use common::{Place, stderr};
use kindling_formats::VERSION;

/// Commands that this test does not run. Some build or test this repository, which the gate
/// does. The others take long and have their own tests.
const ELSEWHERE: [&str; 10] = [
    "cargo bench",
    "cargo bolero",
    "cargo build",
    "cargo install",
    "cargo kindling", // by kindling's own tests
    "cargo test",
    "cargo xtask bench",
    "cargo xtask chaos",
    "cargo xtask ci",
    "cargo xtask-pdf", // another build of xtask
];

fn readme() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    std::fs::read_to_string(path).unwrap()
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

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &to);
        } else {
            std::fs::copy(&path, &to).unwrap();
        }
    }
}

#[test]
fn every_command_runs_as_written() {
    let commands = commands(&readme());
    assert!(commands.len() > 25, "{commands:?}");
    let (mine, others): (Vec<_>, Vec<_>) = commands.into_iter().partition(|command| {
        let begins = |start: &&str| command.starts_with(*start);
        !ELSEWHERE.iter().any(begins)
    });
    assert!(others.len() > 5, "{others:?}");
    for command in mine {
        let Some(words) = command.strip_prefix("cargo xtask ") else {
            panic!("the README has `{command}`, which no test runs");
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
        std::fs::create_dir_all(root.join("data")).unwrap();
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
        // These commands need a matrix.
        if ["report", "claims", "watch"]
            .iter()
            .any(|start| words.starts_with(start))
        {
            assert!(xtask("experiments").status.success());
        }
        // Tuned runs need choices, and a comparison needs both trees.
        if let Some(rest) = words.strip_prefix("experiments --protocol tuned") {
            assert!(xtask(&format!("tune{rest}")).status.success(), "{words}");
        }
        if words.starts_with("compare") {
            let needed = [
                "experiments --cell mlp",
                "tune --cell mlp",
                "experiments --protocol tuned --cell mlp",
            ];
            for needed in needed {
                assert!(xtask(needed).status.success(), "{needed}");
            }
        }
        // A command with --variant needs this variant.
        if let Some((_, setting)) = words.split_once("--variant ") {
            let words = format!("experiments --cell mlp --set {setting}");
            assert!(xtask(&words).status.success(), "{words}");
        }
        // These have tests of their own: one serves until Ctrl-C, one needs Slurm.
        if words.starts_with("serve") || words.contains("slurm") {
            continue;
        }
        let output = xtask(&words);
        assert!(output.status.success(), "{command}: {}", stderr(&output));
    }
}

#[test]
fn commands_are_found_in_blocks_and_lines() {
    let text = "a `cargo xtask\nbackends` b\n```console\ncargo a   # why\nls\n```\n`x`";
    let found: Vec<String> = commands(text).into_iter().collect();
    assert_eq!(found, ["cargo a", "cargo xtask backends"]);
}
