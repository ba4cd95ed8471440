//! A skipped test is reported on standard error, although the test harness hides the output
//! of tests that pass, and in the file that `cargo xtask ci` reads. The second test starts
//! the binary of this file again, and runs only the first test in it.

use std::path::Path;
use std::process::Command;

/// The environment variable that is set when the binary is started again.
const AGAIN: &str = "KINDLING_TESTING_AGAIN";

#[test]
fn programs_that_do_not_exist() {
    // This test does its work only when the second test starts it. In an ordinary run it must
    // not report that it is skipped.
    if std::env::var_os(AGAIN).is_none() {
        return;
    }
    assert!(kindling_testing::program("no-such-program", "install it").is_none());
    assert!(kindling_testing::python("no_such_package").is_none());
    assert!(kindling_testing::browser().is_none());
}

#[test]
fn skipped_tests_are_shown_and_listed() {
    let list = Path::new(env!("CARGO_TARGET_TMPDIR")).join("skipped.txt");
    let _ = std::fs::remove_file(&list);
    let output = Command::new(std::env::current_exe().expect("this program"))
        .args(["programs_that_do_not_exist", "--exact"])
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
            "skipped programs_that_do_not_exist (crates/testing/tests/skipped.rs): ",
            "there is no no-such-program; install it",
            "there is no Python with no_such_package; install the packages, or name",
            "there is no browser; install chromium, or name a browser in KINDLING_BROWSER",
        ] {
            assert!(text.contains(words), "{words} in: {text}");
        }
    }
    assert_eq!(listed.lines().count(), 3, "{listed}");
}
