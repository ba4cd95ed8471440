//! `cargo xtask ci`: what the gate runs.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, anyhow};
use clap::Parser;
use kindling_formats::{Backend, if_there};

use crate::flags::{Ci, Cli};
use crate::stop::{Outcome, Stop};
use crate::{kindling, say, workspace};

/// Cargo's part of it, the cheapest first.
const CHECKS: [&[&str]; 3] = [
    &["fmt", "--all", "--check"],
    &["machete"],
    &["deny", "check", "licenses", "bans", "sources"],
];
const TESTS: &[&str] = &["test", "--release"];
const LINTS: [&[&str]; 2] = [
    &[
        "clippy",
        "--release",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ],
    &["doc", "--release", "--no-deps", "--workspace"],
];

/// Commands of cargo that come on their own.
const TOOLS: [&str; 2] = ["cargo-machete", "cargo-deny"];

/// Names the file to which a test adds a line that is skipped because the machine lacks
/// what it needs; `crates/testing` has the other end.
const SKIPPED: &str = "KINDLING_SKIPPED";

/// What trains on a GPU backend, which may be a slow one: of each family one.
const ON_GPUS: [&str; 8] = [
    "--only",
    "gradients",
    "--only",
    "convnet-y1",
    "--only",
    "mlp-10",
    "--only",
    "ae-naive-adam",
];

/// Runs every check, until one fails.
pub fn run(flags: &Ci) -> Outcome {
    for tool in TOOLS {
        if Command::new(tool).arg("--version").output().is_err() {
            let install = format!("{tool} is missing: cargo install --locked {tool}");
            return Err(Stop::BadInput(anyhow!(install)));
        }
    }
    let out = tempfile::tempdir().context("cannot make a temporary folder")?;
    let skipped = out.path().join("skipped.txt");
    for words in CHECKS {
        cargo(words, &skipped)?;
    }
    cargo(TESTS, &skipped)?;
    refuse_skipped(&skipped)?;
    for words in LINTS {
        cargo(words, &skipped)?;
    }
    // The list of known vulnerabilities is fetched anew, and from elsewhere than crates.
    match cargo(&["deny", "fetch", "db"], &skipped) {
        Ok(()) => cargo(&["deny", "check", "advisories"], &skipped)?,
        Err(_) => say::err("no list of advisories can be had here: they are not checked"),
    }
    let below = |name: &str| out.path().join(name);
    xtask(&below("flex"), &["experiments", "--quick"])?;
    let built: Vec<&str> = flags.backend.iter().map(|backend| backend.name()).collect();
    let built = built.join(",");
    let (gpus, cpus): (Vec<Backend>, Vec<Backend>) = flags
        .backend
        .iter()
        .partition(|backend| backend.is_for_gpus());
    // One build with all of them does everything below.
    let of_build = ["--backend", built.as_str()];
    for cpu in cpus.iter().filter(|&&cpu| cpu != Backend::Flex) {
        let words = ["experiments", "--quick", "--device", cpu.name()];
        xtask(&below(cpu.name()), &[&words[..], &of_build].concat())?;
    }
    if let [one, other, ..] = cpus[..] {
        for command in ["parity", "converge"] {
            let words = [command, "--device", &format!("{one},{other}")];
            xtask(&below("both"), &[&words[..], &of_build].concat())?;
        }
    }
    for gpu in gpus {
        let words = ["experiments", "--smoke", "--device", gpu.name()];
        let words = [&words[..], &of_build, &ON_GPUS].concat();
        xtask(&below(gpu.name()), &words)?;
        if let Some(cpu) = cpus.first() {
            let pair = format!("{cpu},{gpu}");
            let words = ["parity", "--smoke", "--steps", "5", "--device", &pair];
            xtask(&below(gpu.name()), &[&words[..], &of_build].concat())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Wants no test to have been skipped.
fn refuse_skipped(list: &Path) -> Result<(), Stop> {
    let lines = if_there("read", list, std::fs::read_to_string(list))?.unwrap_or_default();
    let count = lines.lines().count();
    if count == 0 {
        return Ok(());
    }
    let is = if count == 1 { "was" } else { "were" };
    Err(Stop::Failure(anyhow!(
        "{} {is} skipped, and the gate wants all of them:\n{}",
        say::count(count, "test"),
        lines.trim_end()
    )))
}

/// A command line as it is shown.
fn shown(words: &[impl AsRef<OsStr>]) -> String {
    let words = words.iter().map(|word| word.as_ref().to_string_lossy());
    words.collect::<Vec<_>>().join(" ")
}

/// Runs cargo. Tests that are skipped are listed in the file `skipped`.
fn cargo(words: &[&str], skipped: &Path) -> Result<(), Stop> {
    let line = format!("cargo {}", shown(words));
    say::err(format_args!("\n$ {line}"));
    let status = Command::new(kindling::cargo())
        .args(words)
        // By this machete thinks that it is being developed, and takes its own name
        // for a folder.
        .env_remove("CARGO_PKG_NAME")
        .env("RUSTDOCFLAGS", "-D warnings")
        .env(SKIPPED, skipped)
        .current_dir(workspace::root())
        .status()
        .context("cannot start cargo")?;
    if status.success() {
        return Ok(());
    }
    Err(Stop::Failure(anyhow!("`{line}` failed")))
}

/// Runs one of our own commands, with its results in `out`.
fn xtask(out: &Path, words: &[&str]) -> Result<(), Stop> {
    let mut all: Vec<OsString> = vec!["xtask".into()];
    all.extend(words.iter().map(OsString::from));
    all.extend(["--out".into(), out.into()]);
    let line = format!("cargo {}", shown(&all));
    say::err(format_args!("\n$ {line}"));
    let flags = Cli::try_parse_from(&all)?;
    if crate::run(flags.command)? == ExitCode::SUCCESS {
        return Ok(());
    }
    Err(Stop::Failure(anyhow!("`{line}` failed")))
}
