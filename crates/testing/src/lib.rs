//! Finds programs that tests need and that not every machine has. If a program is missing, the
//! function that searches for it reports that the calling test is skipped. `cargo xtask ci`
//! fails if a test was skipped.

use std::fs::File;
use std::io::Write;
use std::panic::Location;
use std::path::PathBuf;
use std::process::Command;

/// The environment variable that names a file. Each skipped test adds a line to this file.
/// `cargo xtask ci` sets the variable.
pub const SKIPPED: &str = "KINDLING_SKIPPED";
/// The environment variable that names the Python to use in place of `python3`.
pub const PYTHON: &str = "KINDLING_PYTHON";
/// The environment variable that names the browser to use in place of Chromium.
pub const BROWSER: &str = "KINDLING_BROWSER";

/// Reports that the calling test is skipped because this machine has no `what`. `remedy` says
/// how to get it, for example "install tmux".
///
/// The line is written to standard error, and to the file that [`SKIPPED`] names. It bypasses
/// the test harness, which hides the output of tests that pass.
///
/// # Panics
///
/// If that file cannot be written. Otherwise `cargo xtask ci` could not see that a test was
/// skipped.
#[track_caller]
pub fn skipped(what: &str, remedy: &str) {
    let place = Location::caller();
    let thread = std::thread::current();
    // The test harness gives the thread of a test the name of the test.
    let test = thread.name().unwrap_or("a test");
    let file = place.file();
    let line = format!("skipped {test} ({file}): there is no {what}; {remedy}\n");
    // A single write, so that lines of tests that run at the same time do not mix.
    let _ = std::io::stderr().write_all(format!("\n{line}").as_bytes());
    if let Some(path) = std::env::var_os(SKIPPED) {
        let added = File::options().create(true).append(true).open(&path);
        let added = added.and_then(|mut file| file.write_all(line.as_bytes()));
        assert!(added.is_ok(), "cannot write {}: {added:?}", path.display());
    }
}

/// Finds `program` in the folders of the variable `PATH`. If it is missing, the calling test
/// is reported as skipped, with `remedy` as in [`skipped`].
#[track_caller]
pub fn program(program: &str, remedy: &str) -> Option<PathBuf> {
    let found = on_path(&[program]);
    if found.is_none() {
        skipped(program, remedy);
    }
    found
}

/// Finds the browser that [`BROWSER`] names, or else Chromium or Chrome. If there is none, the
/// calling test is reported as skipped.
#[track_caller]
pub fn browser() -> Option<PathBuf> {
    let named = std::env::var_os(BROWSER).map(PathBuf::from);
    let found = named.or_else(|| on_path(&["chromium", "chromium-browser", "google-chrome"]));
    if found.is_none() {
        let remedy = format!("install chromium, or name a browser in {BROWSER}");
        skipped("browser", &remedy);
    }
    found
}

/// Finds a Python that can import `packages`, for example `numpy, safetensors`. It is the one
/// that [`PYTHON`] names, or else python3. If it cannot import them, the calling test is
/// reported as skipped.
#[track_caller]
pub fn python(packages: &str) -> Option<Command> {
    let python = std::env::var_os(PYTHON).unwrap_or("python3".into());
    let tried = Command::new(&python)
        .args(["-c", &format!("import {packages}")])
        .output();
    if tried.is_ok_and(|output| output.status.success()) {
        return Some(Command::new(python));
    }
    skipped(
        &format!("Python with {packages}"),
        &format!("install the packages, or name a Python that has them in {PYTHON}"),
    );
    None
}

/// The first of `programs` that is in a folder of the variable `PATH`.
fn on_path(programs: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .flat_map(|folder| programs.iter().map(move |program| folder.join(program)))
        .find(|program| program.is_file())
}
