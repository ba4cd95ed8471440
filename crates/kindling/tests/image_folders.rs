//! What both commands that read a folder of images say of it where nothing stops them,
//! through the real binary.

mod common;

use std::path::Path;
use std::process::Output;

use common::{kindling, train, write_config, write_images};

const IMAGES: &str = "train-images-idx3-ubyte";

fn data(images: &Path) -> Output {
    let checked = kindling().arg("data").arg("--dir").arg(images).output();
    checked.expect("kindling starts")
}

/// The lines of standard error, of an end that is a success.
fn said(output: &Output) -> Vec<String> {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    said.lines().map(str::to_string).collect()
}

#[test]
fn a_warning_is_a_line_on_standard_error_and_costs_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let images = write_images(&folder.path().join("images"), 60, 20);
    let plain = data(&images);
    assert!(said(&plain).is_empty());

    // A folder in the file's place, and a line that names no file.
    let packed = std::process::Command::new("gzip")
        .arg(images.join(IMAGES))
        .status();
    assert!(packed.expect("gzip").success());
    std::fs::create_dir(images.join(IMAGES)).expect("makes");
    let sum = "0".repeat(64);
    std::fs::write(images.join("SHA256SUMS"), format!("{sum}  README\n")).expect("sums");
    let warned = data(&images);
    let lines = said(&warned);
    assert_eq!(warned.stdout, plain.stdout);
    for (line, words) in lines.iter().zip([
        &format!("{IMAGES} is a folder, so "),
        "SHA256SUMS: no file that is read has the name in line 1 (`README`)",
        &format!("SHA256SUMS: no line names {IMAGES}.gz, train-labels-idx1-ubyte, "),
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
             optimizer.adam = { learning_rate = 0.001 }",
        ),
        (
            "pca",
            "pca",
            "[model]\ncomponents = 2\n[scatter]\nimages = 20",
        ),
    ] {
        let task = format!("[data]\ndir = {images:?}\n{task}");
        let dir = write_config(&folder.path().join(name), family, &task);
        assert_eq!(said(&train(&dir)), lines, "{name}");
    }
}

#[test]
fn files_that_other_programs_packed_and_summed_are_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let images = write_images(&folder.path().join("images"), 60, 20);
    let plain = data(&images);
    let shell = |script: &str| {
        let done = std::process::Command::new("sh")
            .args(["-ec", script])
            .current_dir(&images)
            .status();
        assert!(done.expect("a shell").success(), "{script}");
    };
    // Two members, then sums in the three ways of sha256sum.
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
        let read = data(&images);
        assert!(said(&read).is_empty(), "{sums}");
        assert_eq!(read.stdout, plain.stdout);
    }
    shell("printf 'x' >> train-images-idx3-ubyte.gz");
    let altered = data(&images);
    assert_eq!(altered.status.code(), Some(2));
    let said = String::from_utf8_lossy(&altered.stderr);
    assert!(
        said.contains("train-images-idx3-ubyte.gz: its bytes have"),
        "{said}"
    );
}
