//! `cargo xtask ci`: runs all checks that a change has to pass.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, anyhow};
use kindling_formats::{Backend, if_there};

use crate::cli::Ci;
use crate::error::{CommandError, CommandResult};
use crate::steps::{Build, PROGRAM, build_slow_program, cargo as cargo_program, workspace};
use crate::ui::{self, output};

/// Checks that cargo runs before the tests, the fastest first.
const CHECKS: [&[&str]; 3] = [
    &["fmt", "--all", "--check"],
    &["machete"],
    &["deny", "check", "licenses", "bans", "sources"],
];
/// The test command of the README.
const TESTS: &[&str] = &["test", "--release"];
/// The tests of the code that only the feature `pdf` compiles.
const PDF_TESTS: &[&str] = &[
    "test",
    "--release",
    "--package",
    "kindling-report",
    "--lib",
    "--features",
    "pdf",
];
/// Checks that cargo runs after the tests.
const LINTS: [&[&str]; 2] = [
    &[
        "clippy",
        "--release",
        "--workspace",
        "--all-targets",
        "--features",
        "kindling-report/pdf",
        "--",
        "-D",
        "warnings",
    ],
    &[
        "doc",
        "--release",
        "--no-deps",
        "--workspace",
        "--features",
        "kindling-report/pdf",
    ],
];

/// Cargo commands that have to be installed.
const TOOLS: [&str; 2] = ["cargo-machete", "cargo-deny"];

/// The environment variable with the path of the list of skipped tests. A test that is skipped,
/// because the machine lacks a program, adds a line to this file; see `crates/testing`.
const SKIPPED: &str = "KINDLING_SKIPPED";

/// The environment variable that enables tests that take minutes.
const GATE: &str = "KINDLING_GATE";

/// The cells that train on a GPU backend: one of each family, since the backend may be slow.
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

/// Runs the checks one after the other and stops at the first that fails.
pub fn ci(flags: &Ci) -> CommandResult {
    // The path is read now: the tests build this program again, and Linux then says that the
    // program which runs was deleted. The new one has the same path.
    let program = std::env::current_exe().context("cannot find this program")?;
    for tool in TOOLS {
        if Command::new(tool).arg("--version").output().is_err() {
            let install = format!("{tool} is missing: cargo install --locked {tool}");
            return Err(CommandError::bad_input(install));
        }
    }
    let out = tempfile::tempdir().context("cannot make a temporary folder")?;
    let skipped = out.path().join("skipped.txt");
    for words in CHECKS {
        cargo(words, &skipped)?;
    }
    for words in [TESTS, PDF_TESTS] {
        cargo(words, &skipped)?;
        refuse_skipped(&skipped)?;
    }
    for words in LINTS {
        cargo(words, &skipped)?;
    }
    // The list of known vulnerabilities may be unreachable where crates are available: it comes
    // from another server.
    match cargo(&["deny", "fetch", "db"], &skipped) {
        Ok(()) => cargo(&["deny", "check", "advisories"], &skipped)?,
        Err(_) => output::warn(
            "the list of security advisories cannot be downloaded here, so it is not checked",
        ),
    }
    let flex = out.path().join("flex");
    xtask(&program, None, &flex, &["experiments", "--quick"])?;
    on_backends(&program, &flags.backend, out.path())?;
    Ok(ExitCode::SUCCESS)
}

/// Trains on the backends besides flex, and compares them: the quick matrix on each backend for
/// CPUs, smoke runs on each backend for GPUs. One program with all these backends does it. It is
/// built with the profile `gate`, because the optimizations of `release` take most of the time of
/// such a build.
fn on_backends(program: &Path, backends: &[Backend], out: &Path) -> Result<(), CommandError> {
    if backends.iter().all(|&backend| backend == Backend::Flex) {
        return Ok(());
    }
    let trainer = build_slow_program(&Build::with(backends, &[]))?;
    let built = names(backends);
    let run = |name: &str, words: &[&str]| {
        let words = [words, &["--backend", built.as_str()]].concat();
        xtask(program, Some(&trainer), &out.join(name), &words)
    };
    let (gpus, cpus): (Vec<Backend>, Vec<Backend>) =
        backends.iter().partition(|backend| backend.is_for_gpus());
    for cpu in cpus.iter().filter(|&&cpu| cpu != Backend::Flex) {
        run(
            cpu.name(),
            &["experiments", "--quick", "--device", cpu.name()],
        )?;
    }
    if let [one, other, ..] = cpus[..] {
        let pair = names(&[one, other]);
        for command in ["parity", "converge"] {
            run("both", &[command, "--device", &pair])?;
        }
    }
    for gpu in gpus {
        let words = ["experiments", "--smoke", "--device", gpu.name()];
        run(gpu.name(), &[&words[..], &ON_GPUS].concat())?;
        if let Some(&cpu) = cpus.first() {
            let pair = names(&[cpu, gpu]);
            let words = ["parity", "--smoke", "--steps", "5", "--device", &pair];
            run(gpu.name(), &words)?;
        }
    }
    Ok(())
}

/// The names of backends, as the flag `--backend` takes them.
fn names(backends: &[Backend]) -> String {
    let names: Vec<&str> = backends.iter().map(|backend| backend.name()).collect();
    names.join(",")
}

/// Checks that no test was skipped.
fn refuse_skipped(list: &Path) -> Result<(), CommandError> {
    let lines = if_there("read", list, std::fs::read_to_string(list))?.unwrap_or_default();
    let count = lines.lines().count();
    if count == 0 {
        return Ok(());
    }
    let was = if count == 1 { "was" } else { "were" };
    Err(CommandError::Failure(anyhow!(
        "{} {was} skipped, but `cargo xtask ci` needs all tests to run:\n{}",
        ui::count(count, "test"),
        lines.trim_end()
    )))
}

/// A command line as text.
fn line(words: &[impl AsRef<OsStr>]) -> String {
    let words = words.iter().map(|word| word.as_ref().to_string_lossy());
    words.collect::<Vec<_>>().join(" ")
}

/// Runs cargo. Tests that are skipped are listed in the file `skipped`.
fn cargo(words: &[&str], skipped: &Path) -> Result<(), CommandError> {
    let line = format!("cargo {}", line(words));
    output::warn(format_args!("\n$ {line}"));
    let status = Command::new(cargo_program())
        .args(words)
        // If this variable is set, cargo-machete takes its own name for a folder.
        .env_remove("CARGO_PKG_NAME")
        .env("RUSTDOCFLAGS", "-D warnings")
        .env(SKIPPED, skipped)
        .env(GATE, "1")
        .current_dir(workspace::root())
        .status()
        .context("cannot start cargo")?;
    if status.success() {
        return Ok(());
    }
    Err(CommandError::Failure(anyhow!("`{line}` failed")))
}

/// Runs this program with the arguments `words` and the output folder `out`. If `trainer` is
/// given, the command trains with this program and builds none.
fn xtask(
    program: &Path,
    trainer: Option<&Path>,
    out: &Path,
    words: &[&str],
) -> Result<(), CommandError> {
    let mut all: Vec<OsString> = words.iter().map(OsString::from).collect();
    all.extend(["--out".into(), out.into()]);
    let line = format!("cargo xtask {}", line(&all));
    output::warn(format_args!("\n$ {line}"));
    let trainer = trainer.map(|trainer| (PROGRAM, trainer));
    let status = Command::new(program).args(&all).envs(trainer).status();
    if status.context("cannot start this program")?.success() {
        return Ok(());
    }
    Err(CommandError::Failure(anyhow!("`{line}` failed")))
}
