//! Bad data, bad configs and diverging trainings, through the real binary: what
//! it says, how it exits, and what it leaves.

mod common;

use std::path::Path;
use std::process::Output;

use common::{kindling, train, write_config, write_images};
use kindling_formats::{RunDir, RunStatus};

const TRAIN_IMAGES: &str = "train-images-idx3-ubyte";
const TEST_LABELS: &str = "t10k-labels-idx1-ubyte";

fn classifier(folder: &Path, images: &Path, rate: &str) -> RunDir {
    let task = format!(
        "[data]\ndir = {images:?}\n[model]\nhidden = [8]\ndropout = 0.0\n[train]\nepochs = 3\n\
         batch_size = 32\noptimizer.sgd = {{ learning_rate = {rate}, momentum = 0.9 }}"
    );
    write_config(folder, "classifier", &task)
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn entries(dir: &RunDir) -> usize {
    std::fs::read_dir(dir.path()).expect("a folder").count()
}

/// Damages a small data set, then wants both commands to refuse it, naming
/// `file` and saying `words`, and to leave nothing behind.
fn refused(file: &str, words: &str, damage: impl Fn(&Path)) {
    let folder = tempfile::tempdir().expect("a folder");
    let images = write_images(&folder.path().join("images"), 60, 20);
    damage(&images);
    let dir = classifier(&folder.path().join("run"), &images, "0.1");
    let checked = kindling().arg("data").arg("--dir").arg(&images).output();
    for output in [train(&dir), checked.expect("kindling starts")] {
        let stderr = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(file), "`{file}` in: {stderr}");
        assert!(stderr.contains(words), "`{words}` in: {stderr}");
        assert!(!stderr.contains("panicked"), "{stderr}");
    }
    assert_eq!(entries(&dir), 1, "only the config");
}

fn edit(path: &Path, change: impl Fn(&mut Vec<u8>)) {
    let mut bytes = std::fs::read(path).expect("reads");
    change(&mut bytes);
    std::fs::write(path, bytes).expect("writes");
}

#[test]
fn a_missing_file_is_named() {
    refused(TRAIN_IMAGES, "must be a folder that holds", |dir| {
        std::fs::remove_file(dir.join(TRAIN_IMAGES)).expect("removes");
    });
}

#[test]
fn a_truncated_file_is_named() {
    refused(TRAIN_IMAGES, "copy the file again", |dir| {
        edit(&dir.join(TRAIN_IMAGES), |bytes| bytes.truncate(20_000));
    });
    refused(TEST_LABELS, "ends inside its header", |dir| {
        edit(&dir.join(TEST_LABELS), |bytes| bytes.truncate(5));
    });
}

#[test]
fn images_of_another_size_are_named() {
    refused(TRAIN_IMAGES, "32x28", |dir| {
        edit(&dir.join(TRAIN_IMAGES), |bytes| {
            bytes[11] = 32;
            bytes.resize(16 + 60 * 32 * 28, 0);
        });
    });
}

#[test]
fn another_kind_of_file_is_named() {
    refused(TEST_LABELS, "magic number", |dir| {
        std::fs::copy(dir.join(TRAIN_IMAGES), dir.join(TEST_LABELS)).expect("copies");
    });
    refused(TEST_LABELS, "label 77", |dir| {
        edit(&dir.join(TEST_LABELS), |bytes| bytes[9] = 77);
    });
}

#[test]
fn an_altered_file_is_named_where_sums_or_an_archive_tell() {
    refused(TRAIN_IMAGES, "was altered", |dir| {
        let sum = "0".repeat(64);
        std::fs::write(dir.join("SHA256SUMS"), format!("{sum}  {TRAIN_IMAGES}\n")).expect("sums");
    });
    refused(TRAIN_IMAGES, "gzip data is damaged", |dir| {
        let plain = std::fs::read(dir.join(TRAIN_IMAGES)).expect("reads");
        std::fs::remove_file(dir.join(TRAIN_IMAGES)).expect("removes");
        let mut packed = gzip(&plain);
        let middle = packed.len() / 2;
        packed[middle] ^= 0xff;
        std::fs::write(dir.join(format!("{TRAIN_IMAGES}.gz")), packed).expect("writes");
    });
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("compresses");
    encoder.finish().expect("compresses")
}

#[test]
fn images_and_labels_must_be_equally_many() {
    refused(TEST_LABELS, "20 images", |dir| {
        edit(&dir.join(TEST_LABELS), |bytes| {
            bytes[7] = 19;
            bytes.pop();
        });
    });
}

#[test]
fn a_config_that_wants_too_much_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let images = write_images(&folder.path().join("images"), 60, 20);
    let run = folder.path().join("run");
    let dir = classifier(&run, &images, "0.1");
    let config = std::fs::read_to_string(dir.config()).expect("a config");
    for (from, to, words) in [
        ("[data]", "[data]\ntrain = 61", "`data.train`: 61 images"),
        ("dropout = 0.0", "dropout = 1.5", "model.dropout"),
        ("backend = ", "backend = \"cuda\" #", "cuda"),
        ("hidden", "hiden", "hiden"),
    ] {
        std::fs::write(dir.config(), config.replace(from, to)).expect("writes");
        let output = train(&dir);
        let stderr = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(words), "`{words}` in: {stderr}");
        assert_eq!(entries(&dir), 1, "only the config");
    }
}

#[test]
fn a_training_that_diverges_fails_where_it_happened() {
    let folder = tempfile::tempdir().expect("a folder");
    let images = write_images(&folder.path().join("images"), 60, 20);
    let dir = classifier(&folder.path().join("run"), &images, "1e30");
    let output = train(&dir);
    let stderr = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(
        stderr.contains("epoch 1, batch 2 of the training images"),
        "{stderr}"
    );
    let record = dir.read_record().expect("readable").expect("a record");
    assert_eq!(record.status, RunStatus::Failed);
    assert!(record.error.expect("an error").contains("epoch 1, batch 2"));
    assert!(!dir.model().exists());

    let task = "[data]\nfunction = \"y2\"\ntrain = 50\ntest = 20\nx_range = 2.5\nw_range = 2.0\n\
                noise = 0.01\n[model]\nkind = \"convnet\"\n[train]\niterations = 300\nl2 = 0.0\n\
                optimizer.sgd = { learning_rate = 1e20, momentum = 0.0 }";
    let dir = write_config(&folder.path().join("toy"), "regression", task);
    let output = train(&dir);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("in iteration"), "{said}");
}
