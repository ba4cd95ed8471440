//! A trial learns without the validation images and is evaluated on them. Nothing that it
//! leaves depends on a test image.

mod common;

use std::path::Path;

use common::{
    stderr, stdout, successful, train, train_classifier, train_successfully, write_config,
    write_images,
};
use kindling_formats::{History, Record, RunDir, RunStatus, Split, TimingRow, read_csv};

/// The names of the files in the folder of a run, without folders.
fn files(dir: &RunDir) -> Vec<String> {
    let entries = std::fs::read_dir(dir.path()).expect("a folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut names: Vec<String> = paths
        .filter(|path| path.is_file())
        .map(|path| {
            path.file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into()
        })
        .collect();
    names.sort_unstable();
    names
}

/// Checks that a trial has the columns, the figures and the files of a trial.
fn check_trial(dir: &RunDir, record: &Record) {
    assert_eq!(record.status, RunStatus::Complete);
    assert!(record.validation_loss.is_some(), "{record:?}");
    assert_eq!((record.test_loss, record.test_accuracy), (None, None));
    let names = record.metrics.keys();
    let of_tests = names.filter(|name| name.starts_with("test") || name.contains("accuracy"));
    assert_eq!(of_tests.count(), 0, "{record:?}");
    let config = dir.read_config().expect("a config");
    assert!(config.is_trial());
    let mut expected = config.task.files();
    expected.push("record.json");
    expected.sort_unstable();
    assert_eq!(files(dir), expected);
    assert!(!dir.test_evidence().exists());
    if config.task.epochs() > 0 {
        let history = History::read(&dir.history()).expect("a history");
        assert_eq!(history.split, Split::Validation);
        let last = history.rows.last().expect("a row");
        assert_eq!(record.validation_loss, Some(last.evaluated_loss));
        assert_eq!(record.validation_accuracy, last.evaluated_accuracy);
    }
}

#[test]
fn test_files_change_no_byte_of_a_trial() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut results = Vec::new();
    // The images of the second folder differ only in the test files.
    for (name, tests) in [("few", 7), ("many", 90), ("one", 1)] {
        let images = write_images(&folder.path().join(format!("images-{name}")), 300, tests);
        let data = format!("dir = {images:?}\nvalidation = 100");
        let dir = train_classifier(&folder.path().join(name), &data);
        let record = dir.read_record().expect("readable").expect("a record");
        check_trial(&dir, &record);
        assert!(record.validation_accuracy > Some(0.5), "{record:?}");
        let read = |file| std::fs::read(file).expect("a file");
        results.push((read(dir.history()), read(dir.weights()), record.metrics));
        assert!(dir.file("valid/epoch-3/Accuracy.log").exists());
        assert!(!dir.file("test").exists());
        let timing: Vec<TimingRow> = read_csv(&dir.timing()).expect("a timing");
        assert_eq!(timing.len(), 3);
    }
    assert_eq!(results[0], results[1]);
    assert_eq!(results[0], results[2]);
    // A final run on these images learns from more of them.
    let images = folder.path().join("images-many");
    let dir = train_classifier(&folder.path().join("final"), &format!("dir = {images:?}"));
    let weights = std::fs::read(dir.weights()).expect("a file");
    assert_ne!(weights, results[0].1);
}

/// Writes the config of a small autoencoder.
fn autoencoder(dir: &Path, images: &Path) -> RunDir {
    let task = format!(
        "[data]\ndir = {images:?}\nvalidation = 50\n[model]\nhidden = [16]\ncode = 2\n\
         activation = \"relu\"\ncode_activation = \"none\"\noutput = \"sigmoid\"\n[train]\n\
         epochs = 2\nbatch_size = 50\noptimizer.sgd = {{ learning_rate = 0.1, momentum = 0.9, nesterov = false, weight_decay = 0.0 }}\n\
         [scatter]\nimages = 40"
    );
    write_config(dir, "autoencoder", &task)
}

#[test]
fn autoencoders_and_pca_are_evaluated_on_validation_images() {
    let folder = tempfile::tempdir().expect("a folder");
    let images = write_images(&folder.path().join("images"), 300, 60);
    let dir = autoencoder(&folder.path().join("ae"), &images);
    let output = train(&dir);
    let lines = successful(&output);
    assert!(lines.contains("  validation 0."), "{lines}");
    assert!(!lines.contains("test"), "{lines}");
    let record = dir.read_record().expect("readable").expect("a record");
    check_trial(&dir, &record);
    // Not even TensorBoard's projector shows test images.
    assert!(!dir.tensorboard().join("codes.tsv").exists());

    let task = format!(
        "[data]\ndir = {images:?}\nvalidation = 50\n[model]\ncomponents = 2\n[scatter]\nimages = 9"
    );
    let dir = write_config(&folder.path().join("pca"), "pca", &task);
    let record = train_successfully(&dir);
    check_trial(&dir, &record);
}

/// Writes the config of a toy function. `data` are further keys of `[data]`.
fn toy(dir: &Path, data: &str) -> RunDir {
    let task = format!(
        "[data]\nfunction = \"y1\"\ntrain = 50\ntest = 20\nx_range = 1.0\nw_range = 1.0\n\
         noise = 0.01\n{data}\n[model]\nkind = \"linear\"\n[train]\niterations = 30\nl2 = 0.0\n\
         optimizer.sgd = {{ learning_rate = 0.01, momentum = 0.0, nesterov = false, weight_decay = 0.0 }}"
    );
    write_config(dir, "regression", &task)
}

#[test]
fn a_toy_function_is_evaluated_on_rows_that_it_does_not_learn_from() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = toy(&folder.path().join("trial"), "validation = 10");
    let lines = successful(&train(&dir));
    assert!(lines.contains("  validation 0."), "{lines}");
    let record = dir.read_record().expect("readable").expect("a record");
    check_trial(&dir, &record);
    assert!(record.metrics.contains_key("validation_noise_floor"));

    for held_out in [50, 51] {
        let name = format!("all-{held_out}");
        let dir = toy(
            &folder.path().join(name),
            &format!("validation = {held_out}"),
        );
        let output = train(&dir);
        let message = stderr(&output);
        assert_eq!(
            output.status.code(),
            Some(2),
            "{message}{}",
            stdout(&output)
        );
        let words = format!("{held_out} validation rows of 50 training rows leave none");
        assert!(message.contains(&words), "{message}");
    }
}

#[test]
fn a_trial_that_holds_out_every_image_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let images = write_images(&folder.path().join("images"), 40, 10);
    let dir = autoencoder(&folder.path().join("ae"), &images);
    let output = train(&dir);
    let message = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{message}");
    let words = "`data.validation` holds out 50 of 40 training images, which leaves none to learn \
                 from; use a number below 40";
    assert!(message.contains(words), "{message}");
    assert_eq!(files(&dir), ["config.toml"]);
}
