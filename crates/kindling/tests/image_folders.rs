//! Folders of images that are accepted, with and without warnings, through the real binary.
//! `failures.rs` has the folders that are refused.

mod common;

use std::path::Path;
use std::process::Output;

use common::{kindling, stderr, train, write_config, write_images};

const IMAGES: &str = "train-images-idx3-ubyte";

/// Runs `kindling data` on a folder.
fn check_folder(images: &Path) -> Output {
    let checked = kindling().arg("data").arg("--dir").arg(images).output();
    checked.expect("kindling starts")
}

/// Asserts that a program succeeded, and returns the lines that it printed to standard error.
fn warnings(output: &Output) -> Vec<String> {
    let printed = stderr(output);
    assert!(output.status.success(), "{printed}");
    printed.lines().map(str::to_string).collect()
}

#[test]
fn warnings_go_to_standard_error_and_the_command_succeeds() {
    let folder = tempfile::tempdir().expect("a folder");
    let images = write_images(&folder.path().join("images"), 60, 20);
    let plain = check_folder(&images);
    assert!(warnings(&plain).is_empty());

    // A folder has the name of an image file, and a line of SHA256SUMS names a file that is
    // not read.
    let packed = std::process::Command::new("gzip")
        .arg(images.join(IMAGES))
        .status();
    assert!(packed.expect("gzip").success());
    std::fs::create_dir(images.join(IMAGES)).expect("makes");
    let sum = "0".repeat(64);
    std::fs::write(images.join("SHA256SUMS"), format!("{sum}  README\n")).expect("sums");
    let warned = check_folder(&images);
    let lines = warnings(&warned);
    assert_eq!(warned.stdout, plain.stdout);
    for (line, words) in lines.iter().zip([
        &format!("{IMAGES} is a folder, so "),
        "SHA256SUMS: the sums in line 1 (`README`) were not used",
        &format!(
            "SHA256SUMS: files without a line here were not checked: {IMAGES}.gz, \
             train-labels-idx1-ubyte, "
        ),
    ]) {
        assert!(line.starts_with("warning: "), "{line}");
        assert!(line.contains(words), "`{words}` in: {line}");
    }
    assert_eq!(lines.len(), 3);

    for (name, family, task) in [
        (
            "classifier",
            "classifier",
            "[model]\nhidden = []\ndropout = 0.0\n[train]\nepochs = 2\nbatch_size = 32\n\
             optimizer.adam = { learning_rate = 0.001, beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-7 }",
        ),
        (
            "pca",
            "pca",
            "[model]\ncomponents = 2\n[scatter]\nimages = 20",
        ),
    ] {
        let task = format!("[data]\ndir = {images:?}\n{task}");
        let dir = write_config(&folder.path().join(name), family, &task);
        assert_eq!(warnings(&train(&dir)), lines, "{name}");
    }
}

#[test]
fn files_compressed_and_checksummed_by_other_programs_are_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let images = write_images(&folder.path().join("images"), 60, 20);
    let plain = check_folder(&images);
    let shell = |script: &str| {
        let done = std::process::Command::new("sh")
            .args(["-ec", script])
            .current_dir(&images)
            .status();
        assert!(done.expect("a shell").success(), "{script}");
    };
    // A gzip file of two members, and checksums in all formats that sha256sum writes.
    shell(
        "head -c 9999 train-images-idx3-ubyte | gzip > a; \
         tail -c +10000 train-images-idx3-ubyte | gzip > b; \
         cat a b > train-images-idx3-ubyte.gz; rm a b train-images-idx3-ubyte",
    );
    for sums in [
        "sha256sum *ubyte* > SHA256SUMS",
        "rm SHA256SUMS; sha256sum ./*ubyte* > sums; mv sums SHA256SUMS",
        "rm SHA256SUMS; sha256sum --tag *ubyte* > sums; mv sums SHA256SUMS",
        "rm SHA256SUMS; sha256sum \"$PWD\"/*ubyte* > sums; mv sums SHA256SUMS",
    ] {
        shell(sums);
        let read = check_folder(&images);
        assert!(warnings(&read).is_empty(), "{sums}");
        assert_eq!(read.stdout, plain.stdout);
    }
    shell("printf 'x' >> train-images-idx3-ubyte.gz");
    let altered = check_folder(&images);
    assert_eq!(altered.status.code(), Some(2));
    let message = stderr(&altered);
    assert!(
        message.contains("train-images-idx3-ubyte.gz: its bytes have"),
        "{message}"
    );
}
