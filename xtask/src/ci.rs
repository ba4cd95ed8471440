//! `cargo xtask ci`: what the gate runs.

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, anyhow};
use clap::Parser;
use kindling_spec::Backend;

use crate::flags::{Ci, Cli};
use crate::stop::{Outcome, Stop};
use crate::{kindling, say, workspace};

/// Cargo's part of it, the cheapest first.
const CHECKS: [&str; 6] = [
    "fmt --all --check",
    "machete",
    "deny check licenses bans sources",
    "test --release",
    "clippy --release --workspace --all-targets -- -D warnings",
    "doc --release --no-deps --workspace",
];

/// Commands of cargo that come on their own.
const TOOLS: [&str; 2] = ["cargo-machete", "cargo-deny"];

/// What trains on a GPU backend, which may be a slow one: of each family one.
const ON_GPUS: &str = "--only gradients --only convnet-y1 --only mlp-10 --only ae-naive-adam";

/// Runs every check, until one fails.
pub fn run(flags: &Ci) -> Outcome {
    for tool in TOOLS {
        if Command::new(tool).arg("--version").output().is_err() {
            let install = format!("{tool} is missing: cargo install --locked {tool}");
            return Err(Stop::BadInput(anyhow!(install)));
        }
    }
    for words in CHECKS {
        cargo(words)?;
    }
    // The list of known vulnerabilities is fetched anew, and from elsewhere than crates.
    match cargo("deny fetch db") {
        Ok(()) => cargo("deny check advisories")?,
        Err(_) => say::err("no list of advisories can be had here: they are not checked"),
    }
    let out = tempfile::tempdir().context("cannot make a temporary folder")?;
    xtask(out.path(), "flex", "experiments --quick")?;
    let built: Vec<&str> = flags.backend.iter().map(|backend| backend.name()).collect();
    let built = built.join(",");
    let (gpus, cpus): (Vec<Backend>, Vec<Backend>) = flags
        .backend
        .iter()
        .partition(|backend| backend.is_for_gpus());
    // One build with all of them does everything below.
    for device in cpus.iter().filter(|&&cpu| cpu != Backend::Flex) {
        let words = format!("experiments --quick --backend {built} --device {device}");
        xtask(out.path(), device.name(), &words)?;
    }
    if let [one, other, ..] = cpus[..] {
        for command in ["parity", "converge"] {
            let words = format!("{command} --backend {built} --device {one},{other}");
            xtask(out.path(), "both", &words)?;
        }
    }
    for gpu in gpus {
        let words = format!("experiments --smoke --backend {built} --device {gpu} {ON_GPUS}");
        xtask(out.path(), gpu.name(), &words)?;
        if let Some(cpu) = cpus.first() {
            let words = format!("parity --smoke --steps 5 --backend {built} --device {cpu},{gpu}");
            xtask(out.path(), gpu.name(), &words)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs cargo.
fn cargo(words: &str) -> Result<(), Stop> {
    say::err(format_args!("\n$ cargo {words}"));
    let status = Command::new(kindling::cargo())
        .args(words.split(' '))
        // By this machete thinks that it is being developed, and takes its own name
        // for a folder.
        .env_remove("CARGO_PKG_NAME")
        .env("RUSTDOCFLAGS", "-D warnings")
        .current_dir(workspace::root())
        .status()
        .context("cannot start cargo")?;
    if status.success() {
        return Ok(());
    }
    Err(Stop::Failure(anyhow!("`cargo {words}` failed")))
}

/// Runs one of our own commands, with its results below `out`.
fn xtask(out: &Path, below: &str, words: &str) -> Result<(), Stop> {
    let words = format!("xtask {words} --out {}", out.join(below).display());
    say::err(format_args!("\n$ cargo {words}"));
    let flags = Cli::try_parse_from(words.split(' '))?;
    if crate::run(flags.command)? == ExitCode::SUCCESS {
        return Ok(());
    }
    Err(Stop::Failure(anyhow!("`cargo {words}` failed")))
}
