//! What tests need that not every machine has: each function finds it, or says that the
//! test is skipped, which `cargo xtask ci` takes for a failure.

use std::fs::File;
use std::io::Write;
use std::panic::Location;
use std::path::PathBuf;
use std::process::Command;

/// Names the file to which a line is added for each test that is skipped.
/// `cargo xtask ci` sets it.
pub const SKIPPED: &str = "KINDLING_SKIPPED";
/// Names the Python that tests use in place of `python3`.
pub const PYTHON: &str = "KINDLING_PYTHON";
/// Names the browser that tests use in place of Chromium.
pub const BROWSER: &str = "KINDLING_BROWSER";

/// Says that the test which calls it is skipped, since this machine lacks `what`, and
/// how to get it: `remedy` is a clause as "install tmux".
///
/// The line goes to standard error past the test harness, which hides what a test that
/// passes prints, and to the file that [`SKIPPED`] names.
///
/// # Panics
///
/// If that file cannot be written: a gate must not miss the line.
#[track_caller]
pub fn skipped(what: &str, remedy: &str) {
    let place = Location::caller();
    let thread = std::thread::current();
    // The harness names a test's thread after the test.
    let test = thread.name().unwrap_or("a test");
    let file = place.file();
    let line = format!("skipped {test} ({file}): there is no {what}; {remedy}\n");
    // One write: other tests write beside this one.
    let _ = std::io::stderr().write_all(format!("\n{line}").as_bytes());
    if let Some(path) = std::env::var_os(SKIPPED) {
        let added = File::options().create(true).append(true).open(&path);
        let added = added.and_then(|mut file| file.write_all(line.as_bytes()));
        assert!(added.is_ok(), "cannot write {}: {added:?}", path.display());
    }
}

/// Finds `program` on the path, or says that the test is skipped.
#[track_caller]
pub fn program(program: &str, remedy: &str) -> Option<PathBuf> {
    let found = on_path(&[program]);
    if found.is_none() {
        skipped(program, remedy);
    }
    found
}

/// Finds a browser: the one that [`BROWSER`] names, or Chromium; or says that the test
/// is skipped.
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

/// Finds a Python that can import `packages`, as in `numpy, safetensors`: the one that
/// [`PYTHON`] names, or python3; or says that the test is skipped.
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

/// The first of `programs` on the path.
fn on_path(programs: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .flat_map(|folder| programs.iter().map(move |program| folder.join(program)))
        .find(|program| program.is_file())
}
