//! A test that is skipped says so, past the harness that hides what tests print, and in
//! the file that the gate reads. The tests run this file's own binary again.

use std::path::Path;
use std::process::Command;

/// Set for the binary that is run again.
const AGAIN: &str = "KINDLING_TESTING_AGAIN";

#[test]
fn what_is_looked_for_in_vain() {
    // By itself this shows what a machine without the programs shows.
    if std::env::var_os(AGAIN).is_none() {
        return;
    }
    assert!(kindling_testing::program("no-such-program", "install it").is_none());
    assert!(kindling_testing::python("no_such_package").is_none());
    assert!(kindling_testing::browser().is_none());
}

#[test]
fn what_is_skipped_is_shown_and_listed() {
    let list = Path::new(env!("CARGO_TARGET_TMPDIR")).join("skipped.txt");
    let _ = std::fs::remove_file(&list);
    let output = Command::new(std::env::current_exe().expect("this program"))
        .args(["what_is_looked_for_in_vain", "--exact"])
        .env(AGAIN, "yes")
        .env("PATH", "/nowhere")
        .env_remove(kindling_testing::BROWSER)
        .env(kindling_testing::PYTHON, "/nowhere/python")
        .env(kindling_testing::SKIPPED, &list)
        .output()
        .expect("it runs");
    assert!(output.status.success(), "{output:?}");
    let shown = String::from_utf8_lossy(&output.stderr).into_owned();
    let listed = std::fs::read_to_string(&list).expect("a list");
    for text in [&shown, &listed] {
        assert_eq!(text.matches("skipped").count(), 6, "{text}");
        for words in [
            "skipped what_is_looked_for_in_vain (crates/testing/tests/skipped.rs): ",
            "there is no no-such-program; install it",
            "there is no Python with no_such_package; install the packages, or name",
            "there is no browser; install chromium, or name a browser in KINDLING_BROWSER",
        ] {
            assert!(text.contains(words), "{words} in: {text}");
        }
    }
    assert_eq!(listed.lines().count(), 3, "{listed}");
}
