//! What a final run did on each test image: `test.safetensors` and the accuracies by class.

mod common;

use common::{train_classifier, train_pca, train_successfully, write_config, write_images};
use kindling_formats::{Record, RunDir, read_numbers};
use safetensors::{Dtype, SafeTensors};

/// The bytes of a tensor of `test.safetensors` with one value for each of `count` images.
fn tensor(dir: &RunDir, name: &str, dtype: Dtype, count: usize) -> Vec<u8> {
    let bytes = std::fs::read(dir.test_evidence()).expect("evidence");
    let tensors = SafeTensors::deserialize(&bytes).expect("tensors");
    let tensor = tensors.tensor(name).expect("a tensor");
    assert_eq!((tensor.dtype(), tensor.shape()), (dtype, &[count][..]));
    tensor.data().to_vec()
}

fn floats(dir: &RunDir, name: &str, count: usize) -> Vec<f64> {
    let bytes = tensor(dir, name, Dtype::F32, count);
    let (values, _) = bytes.as_chunks();
    let values = values
        .iter()
        .map(|&four| f64::from(f32::from_le_bytes(four)));
    values.collect()
}

/// Checks that the mean of `values` is the record's test loss.
fn check_mean(values: &[f64], record: &Record) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let loss = record.test_loss.expect("a loss");
    assert!((mean - loss).abs() <= 1e-5 * loss, "{mean} is not {loss}");
}

fn record(dir: &RunDir) -> Record {
    dir.read_record().expect("readable").expect("a record")
}

#[test]
fn a_classifier_leaves_its_prediction_and_loss_of_every_test_image() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = "train = 2000\ntest = 1100";
    let dir = train_classifier(folder.path(), data);
    let record = record(&dir);
    check_mean(&floats(&dir, "loss", 1100), &record);
    let labels = tensor(&dir, "label", Dtype::U8, 1100);
    let predictions = tensor(&dir, "prediction", Dtype::U8, 1100);
    // The first labels of MNIST's test images.
    assert_eq!(labels[..10], [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]);

    // The loss of the first images, from the logits that the run wrote.
    let (_, logits) = read_numbers(&dir.file("logits.csv")).expect("logits");
    let losses = floats(&dir, "loss", 1100);
    for (row, loss) in logits.iter().zip(&losses) {
        let sum: f64 = row[1..].iter().map(|logit| logit.exp()).sum();
        let expected = sum.ln() - row[1 + row[0] as usize];
        assert!((loss - expected).abs() < 1e-6 * (1.0 + expected), "{loss}");
    }

    // The confusion matrix counts the same predictions.
    let (_, confusion) = read_numbers(&dir.file("confusion.csv")).expect("a matrix");
    let mut accuracies = Vec::new();
    for (class, row) in confusion.iter().enumerate() {
        let pairs = labels.iter().zip(&predictions);
        let of_class = pairs.filter(|&(&label, _)| usize::from(label) == class);
        let mut counts = [0.0; 10];
        of_class.for_each(|(_, &predicted)| counts[usize::from(predicted)] += 1.0);
        assert_eq!(row[1..], counts);
        let accuracy = counts[class] / counts.iter().sum::<f64>();
        let found = record
            .number(&format!("accuracy_{class}"))
            .expect("a metric");
        assert!(
            (found - accuracy).abs() < 1e-12,
            "{found} is not {accuracy}"
        );
        accuracies.push(accuracy);
    }
    let right = labels.iter().zip(&predictions);
    let right = right
        .filter(|(label, predicted)| label == predicted)
        .count();
    assert_eq!(record.test_accuracy, Some(right as f64 / 1100.0));
    let balanced = record.number("balanced_accuracy").expect("a metric");
    let expected = accuracies.iter().sum::<f64>() / 10.0;
    assert!(
        (balanced - expected).abs() < 1e-12,
        "{balanced} is not {expected}"
    );
}

#[test]
fn a_class_without_test_images_has_no_accuracy() {
    let folder = tempfile::tempdir().expect("a folder");
    // The labels of the first three test images are 0, 7 and 4.
    let images = write_images(&folder.path().join("images"), 100, 3);
    let dir = train_classifier(&folder.path().join("run"), &format!("dir = {images:?}"));
    let record = record(&dir);
    let names: Vec<&str> = record.metrics.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "accuracy_0",
            "accuracy_4",
            "accuracy_7",
            "balanced_accuracy"
        ]
    );
}

#[test]
fn an_autoencoder_leaves_its_error_of_every_test_image() {
    let folder = tempfile::tempdir().expect("a folder");
    let images = write_images(&folder.path().join("images"), 300, 100);
    // The codes of 30 images are written, and the errors of all 100.
    let task = format!(
        "[data]\ndir = {images:?}\n[model]\nhidden = [16]\ncode = 2\nactivation = \"relu\"\n\
         code_activation = \"none\"\noutput = \"sigmoid\"\n[train]\nepochs = 2\nbatch_size = 50\n\
         optimizer.sgd = {{ learning_rate = 0.1, momentum = 0.9, nesterov = false, weight_decay = 0.0 }}\n[scatter]\nimages = 30"
    );
    let dir = write_config(&folder.path().join("ae"), "autoencoder", &task);
    let record = train_successfully(&dir);
    let errors = floats(&dir, "error", 100);
    check_mean(&errors, &record);
    assert!(errors.iter().all(|&error| error > 0.0));
    assert!(errors.iter().any(|&error| error != errors[0]));
    let (_, codes) = read_numbers(&dir.file("codes.csv")).expect("codes");
    assert_eq!(codes.len(), 30);
}

#[test]
fn pca_leaves_its_error_of_every_test_image() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = train_pca(folder.path());
    check_mean(&floats(&dir, "error", 50), &record(&dir));
}
