//! `cargo xtask ci`: what the gate runs, the cheapest first.

use std::process::{Command, ExitCode};

use anyhow::{Context, anyhow};
use clap::Parser;

use crate::flags::{self, Cli};
use crate::stop::{Outcome, Stop};
use crate::{experiments, kindling, say, workspace};

/// Cargo's part of it.
const CHECKS: [&[&str]; 3] = [
    &["fmt", "--all", "--check"],
    &[
        "clippy",
        "--workspace",
        "--all-targets",
        "--release",
        "--",
        "-D",
        "warnings",
    ],
    &["test", "--release"],
];

/// Runs every check, until one fails.
pub fn run() -> Outcome {
    for check in CHECKS {
        let words = check.join(" ");
        say::err(format_args!("$ cargo {words}"));
        let status = Command::new(kindling::cargo())
            .args(check)
            .current_dir(workspace::root())
            .status()
            .context("cannot start cargo")?;
        if !status.success() {
            return Err(Stop::Failure(anyhow!("`cargo {words}` failed")));
        }
    }
    let out = tempfile::tempdir().context("cannot make a temporary folder")?;
    let path = out.path().display().to_string();
    let words = ["xtask", "experiments", "--quick", "--out", &path];
    say::err(format_args!("$ cargo {}", words.join(" ")));
    let flags::Command::Experiments(flags) = Cli::try_parse_from(words)?.command else {
        return Err(Stop::Failure(anyhow!("these are the words of experiments")));
    };
    let code = experiments::run(&flags)?;
    if code == ExitCode::SUCCESS {
        return Ok(code);
    }
    Err(Stop::Failure(anyhow!("`cargo {}` failed", words.join(" "))))
}
