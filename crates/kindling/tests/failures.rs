//! Bad data, bad configs and diverging trainings, through the real binary: the error message,
//! the exit code, and the files that are left.

mod common;

use std::path::Path;

use common::{kindling, stderr, train, write_config, write_images};
use kindling_formats::{RunDir, RunStatus};

const TRAIN_IMAGES: &str = "train-images-idx3-ubyte";
const TEST_LABELS: &str = "t10k-labels-idx1-ubyte";

fn classifier(folder: &Path, images: &Path, rate: &str) -> RunDir {
    let task = format!(
        "[data]\ndir = {images:?}\n[model]\nhidden = [8]\ndropout = 0.0\n[train]\nepochs = 3\n\
         batch_size = 32\noptimizer.sgd = {{ learning_rate = {rate}, momentum = 0.9, nesterov = false, weight_decay = 0.0 }}"
    );
    write_config(folder, "classifier", &task)
}

/// The number of files and folders in the folder of a run.
fn entries(dir: &RunDir) -> usize {
    std::fs::read_dir(dir.path()).expect("a folder").count()
}

/// Damages a small data set, and asserts that `kindling train` and `kindling data` refuse it
/// with a message that contains `file` and `words`, and write nothing.
fn refused(file: &str, words: &str, damage: impl Fn(&Path)) {
    let folder = tempfile::tempdir().expect("a folder");
    let images = write_images(&folder.path().join("images"), 60, 20);
    damage(&images);
    let dir = classifier(&folder.path().join("run"), &images, "0.1");
    let checked = kindling().arg("data").arg("--dir").arg(&images).output();
    for output in [train(&dir), checked.expect("kindling starts")] {
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(message.contains(file), "`{file}` in: {message}");
        assert!(message.contains(words), "`{words}` in: {message}");
        assert!(!message.contains("panicked"), "{message}");
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
fn a_file_with_the_wrong_content_is_named() {
    refused(TEST_LABELS, "magic number", |dir| {
        std::fs::copy(dir.join(TRAIN_IMAGES), dir.join(TEST_LABELS)).expect("copies");
    });
    refused(TEST_LABELS, "label 77", |dir| {
        edit(&dir.join(TEST_LABELS), |bytes| bytes[9] = 77);
    });
}

#[test]
fn a_file_with_a_wrong_checksum_is_named() {
    refused(TRAIN_IMAGES, "was changed", |dir| {
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
fn unequal_numbers_of_images_and_labels_are_refused() {
    refused(TEST_LABELS, "20 images", |dir| {
        edit(&dir.join(TEST_LABELS), |bytes| {
            bytes[7] = 19;
            bytes.pop();
        });
    });
}

#[test]
fn an_invalid_config_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let images = write_images(&folder.path().join("images"), 60, 20);
    let run = folder.path().join("run");
    let dir = classifier(&run, &images, "0.1");
    let config = std::fs::read_to_string(dir.config()).expect("a config");
    for (from, to, words) in [
        (
            "[data]",
            "[data]\ntrain = 61",
            "`data.train`: asks for 61 images",
        ),
        ("dropout = 0.0", "dropout = 1.5", "model.dropout"),
        ("backend = ", "backend = \"cuda\" #", "cuda"),
        ("hidden", "hiden", "hiden"),
    ] {
        std::fs::write(dir.config(), config.replace(from, to)).expect("writes");
        let output = train(&dir);
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(message.contains(words), "`{words}` in: {message}");
        assert_eq!(entries(&dir), 1, "only the config");
    }
}

#[test]
fn a_training_that_diverges_names_the_epoch_and_batch() {
    let folder = tempfile::tempdir().expect("a folder");
    let images = write_images(&folder.path().join("images"), 60, 20);
    let dir = classifier(&folder.path().join("run"), &images, "1e30");
    let output = train(&dir);
    let message = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(
        message.contains("epoch 1, batch 2 of the training images"),
        "{message}"
    );
    let record = dir.read_record().expect("readable").expect("a record");
    assert_eq!(record.status, RunStatus::Diverged);
    assert!(record.error.expect("an error").contains("epoch 1, batch 2"));
    assert!(!dir.model().exists());

    let task = "[data]\nfunction = \"y2\"\ntrain = 50\ntest = 20\nx_range = 2.5\nw_range = 2.0\n\
                noise = 0.01\n[model]\nkind = \"convnet\"\n[train]\niterations = 300\nl2 = 0.0\n\
                optimizer.sgd = { learning_rate = 1e20, momentum = 0.0, nesterov = false, weight_decay = 0.0 }";
    let dir = write_config(&folder.path().join("toy"), "regression", task);
    let output = train(&dir);
    assert_eq!(output.status.code(), Some(1));
    let message = stderr(&output);
    assert!(message.contains("in iteration"), "{message}");
}
