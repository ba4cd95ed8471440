//! Standard output through the real binary: results that go to it, a full disk, and a pipe
//! that its reader closed.

mod common;

use std::fs::File;
use std::process::Stdio;

use common::drawn_digits::drawn_five;
use common::{kindling, save, stderr, text, train_classifier, train_pca};

#[test]
fn exported_weights_on_standard_output_equal_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let network = train_classifier(&folder.path().join("run"), "train = 200\ntest = 50");
    let export = |more: &[&str]| {
        let mut command = kindling();
        command.args(["export", text(network.path())]).args(more);
        let output = command.current_dir(folder.path()).output();
        output.expect("kindling starts")
    };
    for format in ["json", "safetensors"] {
        let output = export(&["--format", format, "--to", "-"]);
        assert!(output.status.success(), "{}", stderr(&output));
        assert!(
            export(&["--format", format, "--to", "file"])
                .status
                .success()
        );
        let file = std::fs::read(folder.path().join("file")).expect("reads");
        // The JSON is the same byte for byte. The entries of the safetensors metadata can be in
        // another order.
        assert_eq!(output.stdout.len(), file.len());
        assert!(format != "json" || output.stdout == file);
    }
    assert!(!folder.path().join("-").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_and_a_closed_pipe_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let network = train_classifier(&folder.path().join("run"), "train = 200\ntest = 50");
    let coder = train_pca(&folder.path().join("pca"));
    let picture = save(drawn_five(), folder.path().join("a.png"));
    let (network, coder, picture) = (text(network.path()), text(coder.path()), text(&picture));
    let to = text(folder.path());
    for arguments in [
        vec!["predict", network, picture],
        vec!["predict", network, picture, "--json"],
        vec!["embed", coder],
        vec!["embed", coder, picture],
        vec!["reconstruct", coder, picture, "--to", to],
        vec!["reconstruct", coder, picture, "--to", "-"],
        vec!["export", network, "--to", "-"],
        vec!["data"],
        vec![
            "parity",
            network,
            common::BACKEND,
            common::BACKEND,
            "--steps",
            "2",
        ],
        vec!["completions", "bash"],
        vec!["--help"],
        vec!["--version"],
        vec!["predict", "--help"],
    ] {
        let full = File::options()
            .write(true)
            .open("/dev/full")
            .expect("opens");
        let output = kindling().args(&arguments).stdout(full).output();
        let output = output.expect("kindling starts");
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {message}");
        assert!(
            message.contains("standard output") && message.contains("No space left"),
            "{arguments:?}: {message}"
        );
        let mut child = kindling()
            .args(&arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("kindling starts");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("ends");
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            stderr(&output)
        );
        assert_eq!(stderr(&output), "", "{arguments:?}");
    }
}
