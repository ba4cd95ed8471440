//! `cargo xtask ci`, the gate. Scripts stand in for cargo and kindling.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use common::{Place, stderr};

fn script(path: &Path, text: &str) {
    std::fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
}

/// Runs the gate with a script as cargo. The script runs the shell line `test` as `cargo test`.
fn gate(place: &Place, test: &str) -> Output {
    let bin = place.path("bin");
    std::fs::create_dir_all(&bin).unwrap();
    for tool in ["cargo-machete", "cargo-deny"] {
        script(&bin.join(tool), "exit 0");
    }
    let cargo = place.path("cargo");
    let lines =
        format!("echo \"cargo $*\" >> \"$CARGO_LOG\"\nif [ \"$1\" = test ]; then {test}; fi");
    script(&cargo, &lines);
    // The name of the temporary folder has characters that are special in a shell.
    let temporary = place.path("a folder's $name");
    std::fs::create_dir_all(&temporary).unwrap();
    let path = std::env::var_os("PATH").unwrap();
    let path = std::env::join_paths(std::iter::once(bin).chain(std::env::split_paths(&path)));
    Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(["ci", "--backend", "flex,ndarray,wgpu"])
        .env("PATH", path.unwrap())
        .env("CARGO", cargo)
        .env("CARGO_LOG", place.path("cargo.log"))
        .env("TMPDIR", temporary)
        .env("KINDLING_BIN", place.path("kindling"))
        .env("FAKE_GPU", "yes")
        .env("FAKE_LOG", place.path("log"))
        .env("FAKE_VERSION", kindling_formats::VERSION)
        .output()
        .unwrap()
}

fn cargo_log(place: &Place) -> String {
    std::fs::read_to_string(place.path("cargo.log")).unwrap()
}

#[test]
fn the_gate_passes_in_a_folder_of_any_name() {
    let place = Place::new();
    let output = gate(&place, "true");
    let printed = stderr(&output);
    assert_eq!(output.status.code(), Some(0), "{printed}");
    for command in [
        "cargo fmt --all --check",
        "cargo test --release",
        "cargo test --release --package kindling-report --lib --features pdf",
        "cargo clippy --release --workspace --all-targets --features kindling-report/pdf -- -D warnings",
    ] {
        assert!(
            cargo_log(&place).lines().any(|line| line == command),
            "{command}"
        );
    }
    // The gate trained runs and removed their folders.
    assert!(place.trained().len() > 40);
    let left: Vec<PathBuf> = std::fs::read_dir(place.path("a folder's $name"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_skipped_test_fails_the_gate_and_is_named() {
    let place = Place::new();
    let skip =
        "printf 'skipped %s (there is no tmux; install tmux)\\n' a b >> \"$KINDLING_SKIPPED\"";
    let output = gate(&place, skip);
    let printed = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{printed}");
    assert!(printed.contains("2 tests were skipped"), "{printed}");
    assert!(
        printed.contains("skipped b (there is no tmux; install tmux)"),
        "{printed}"
    );
    assert!(!cargo_log(&place).contains("clippy"), "the gate stops");
    // A failed test fails the gate too.
    let output = gate(&place, "exit 1");
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("`cargo test --release` failed"));
}
