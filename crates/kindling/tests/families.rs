//! One small run of each family, from config to record, through the real binary.

mod common;

use common::{train_successfully, write_config, write_images};
use kindling_formats::{
    History, HistoryRow, ImageData, Record, RunDir, RunStatus, Split, TimingRow,
};
use kindling_formats::{read_csv, read_numbers};
use safetensors::SafeTensors;

fn history(dir: &RunDir) -> Vec<HistoryRow> {
    let history = History::read(&dir.history()).expect("a history");
    assert_eq!(history.split, Split::Test);
    history.rows
}

fn check_files(dir: &RunDir, record: &Record, epochs: usize) {
    assert_eq!(record.status, RunStatus::Complete);
    assert_eq!(record.epochs, epochs);
    assert_eq!(record.cell, "test");
    assert_eq!(
        record.config_hash,
        dir.read_config().expect("a config").hash()
    );
    let rows = history(dir);
    assert_eq!(rows.len(), epochs);
    let last = rows.last().expect("a row");
    assert_eq!(record.train_loss, Some(last.train_loss));
    assert_eq!(record.test_loss, Some(last.evaluated_loss));
    assert_eq!(record.test_accuracy, last.evaluated_accuracy);
    assert!(dir.model().exists());
}

#[test]
fn classifiers_learn_to_classify_the_images() {
    let folder = tempfile::tempdir().expect("a folder");
    let images = write_images(&folder.path().join("images"), 300, 100);
    let networks = [
        ("dense", "hidden = [32]\ndropout = 0.2"),
        (
            "conv",
            "hidden = []\ndropout = 0.0\nconv = { blocks = [[4], [8]], kernel = 3 }",
        ),
    ];
    for (name, network) in networks {
        let task = format!(
            "[data]\ndir = {images:?}\n[model]\n{network}\n[train]\nepochs = 4\nbatch_size = 32\n\
             optimizer.sgd = {{ learning_rate = 0.05, momentum = 0.9, nesterov = false, weight_decay = 0.0 }}"
        );
        let dir = write_config(&folder.path().join(name), "classifier", &task);
        let record = train_successfully(&dir);
        check_files(&dir, &record, 4);
        assert!(record.test_accuracy > Some(0.95), "{name}: {record:?}");
        let timing: Vec<TimingRow> = read_csv(&dir.timing()).expect("a timing");
        assert_eq!(timing.len(), 4);
        // burn-train's own logs: a folder for each epoch and split, and a file for each metric.
        for log in ["train/epoch-4/Loss.log", "test/epoch-4/Accuracy.log"] {
            assert!(dir.file(log).exists(), "{log}");
        }
        assert!(
            !dir.file("valid").exists(),
            "no image is a validation image"
        );
        assert!(
            !dir.checkpoints().exists(),
            "a finished run keeps no checkpoints"
        );
        check_test_tables(&dir, &record);
        if name == "dense" {
            check_weights(&dir, &images);
        }
    }
}

fn table(dir: &RunDir, file: &str) -> Vec<Vec<f64>> {
    read_numbers(&dir.file(file)).expect("numbers").1
}

fn check_test_tables(dir: &RunDir, record: &Record) {
    let confusion = table(dir, "confusion.csv");
    let right: f64 = confusion.iter().map(|row| row[1 + row[0] as usize]).sum();
    let all: f64 = confusion.iter().flat_map(|row| &row[1..]).sum();
    assert_eq!(all, 100.0);
    assert_eq!(record.test_accuracy, Some(right / all));
    let mistakes = table(dir, "mistakes.csv");
    assert_eq!(mistakes.len(), 25.min((all - right) as usize));
    for row in &mistakes {
        assert!(row[1] != row[2] && row[3] > 0.1 && row[3] <= 1.0);
        assert_eq!(row.len(), 4 + 784);
    }
    assert!(mistakes.is_sorted_by(|a, b| a[3] >= b[3]));
    assert_eq!(table(dir, "logits.csv").len(), 100);
}

/// Computes the logits of a network with two layers from the weights that the run wrote, and
/// compares them with the logits that the run wrote.
fn check_weights(dir: &RunDir, images: &std::path::Path) {
    let data = ImageData::all(Some(images.into()));
    let test = kindling_datasets::load_images(&data)
        .expect("images")
        .evaluated;
    let bytes = std::fs::read(dir.weights()).expect("weights");
    let weights = SafeTensors::deserialize(&bytes).expect("weights");
    let layer = |x: &[f64], name: &str| -> Vec<f64> {
        let tensor = |part: &str| -> Vec<f64> {
            let tensor = weights.tensor(&format!("{name}.{part}")).expect("a tensor");
            let (numbers, _) = tensor.data().as_chunks();
            numbers
                .iter()
                .map(|&four| f64::from(f32::from_le_bytes(four)))
                .collect()
        };
        let (weight, mut sums) = (tensor("weight"), tensor("bias"));
        for (x, row) in x.iter().zip(weight.chunks(sums.len())) {
            for (sum, weight) in sums.iter_mut().zip(row) {
                *sum += x * weight;
            }
        }
        sums
    };
    for (index, expected) in table(dir, "logits.csv").iter().enumerate() {
        let pixels: Vec<f64> = test
            .pixels(index)
            .iter()
            .map(|&byte| f64::from(byte) / 255.0)
            .collect();
        let hidden: Vec<f64> = layer(&pixels, "hidden.0")
            .iter()
            .map(|sum| sum.max(0.0))
            .collect();
        assert_eq!(expected[0], f64::from(test.labels()[index]));
        for (logit, expected) in layer(&hidden, "output").iter().zip(&expected[1..]) {
            assert!(
                (logit - expected).abs() < 1e-4,
                "{logit}, expected {expected}"
            );
        }
    }
}

#[test]
fn autoencoders_improve_and_write_their_codes() {
    let folder = tempfile::tempdir().expect("a folder");
    let images = write_images(&folder.path().join("images"), 300, 100);
    for (name, conv) in [("dense", ""), ("conv", "conv = { channels = [2, 4] }")] {
        let task = format!(
            "[data]\ndir = {images:?}\n[model]\nhidden = [16]\ncode = 2\nactivation = \"relu\"\n\
             code_activation = \"none\"\noutput = \"sigmoid\"\n{conv}\n[train]\nepochs = 3\n\
             batch_size = 32\noptimizer.adam = {{ learning_rate = 0.003, beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-7 }}\n[scatter]\nimages = 70"
        );
        let dir = write_config(&folder.path().join(name), "autoencoder", &task);
        let record = train_successfully(&dir);
        check_files(&dir, &record, 3);
        let rows = history(&dir);
        assert!(
            rows[2].evaluated_loss < 0.8 * rows[0].train_loss,
            "{name}: {rows:?}"
        );
        assert_eq!(record.test_accuracy, None);
        let codes = std::fs::read_to_string(dir.file("codes.csv")).expect("codes");
        assert_eq!(codes.lines().next(), Some("label,z0,z1"));
        assert_eq!(codes.lines().count(), 1 + 70);
        assert_eq!(table(&dir, "reconstructions.csv").len(), 10);
        let plane = table(&dir, "plane.csv");
        assert_eq!((plane.len(), plane[0].len()), (400, 2 + 784));
        // The images show ten shapes, which are easy to tell apart by their codes.
        assert!(record.metrics["knn_accuracy"] > 0.5, "{record:?}");
        assert!(record.metrics["trustworthiness"] > 0.7, "{record:?}");
    }
}

#[test]
fn pca_has_a_smaller_error_with_more_components() {
    let folder = tempfile::tempdir().expect("a folder");
    let images = write_images(&folder.path().join("images"), 300, 100);
    let error = |components: usize| {
        let task = format!(
            "[data]\ndir = {images:?}\n[model]\ncomponents = {components}\n[scatter]\nimages = 500"
        );
        let name = format!("pca-{components}");
        let dir = write_config(&folder.path().join(name), "pca", &task);
        let record = train_successfully(&dir);
        assert_eq!(record.parameters, 784 * (1 + components));
        // The config asks for more test images than there are, so all of them are encoded.
        let codes = std::fs::read_to_string(dir.file("codes.csv")).expect("codes");
        assert_eq!(codes.lines().count(), 1 + 100);
        assert_eq!(table(&dir, "reconstructions.csv").len(), 10);
        assert_eq!(dir.file("plane.csv").exists(), components == 2);
        let components = std::fs::read_to_string(dir.file("components.csv")).expect("components");
        assert_eq!(components.lines().count(), 1 + 784);
        record.test_loss.expect("a loss")
    };
    // Ten shapes span nine directions around their mean.
    let (one, two, nine) = (error(1), error(2), error(9));
    assert!(two < one && nine < 0.2 * one, "{one} {two} {nine}");
}

#[test]
fn a_linear_model_learns_the_linear_function_up_to_its_noise() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = |function: &str, kind: &str| {
        let task = format!(
            "[data]\nfunction = \"{function}\"\ntrain = 500\ntest = 200\nx_range = 2.5\n\
             w_range = 2.0\nnoise = 0.01\n[model]\nkind = \"{kind}\"\n[train]\niterations = 1000\n\
             l2 = 1e-4\noptimizer.adam = {{ learning_rate = 0.02, beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-7 }}"
        );
        let dir = write_config(
            &folder.path().join(format!("{kind}-{function}")),
            "regression",
            &task,
        );
        let record = train_successfully(&dir);
        check_files(&dir, &record, 1000);
        let predictions = std::fs::read_to_string(dir.file("predictions.csv")).expect("some");
        assert_eq!(predictions.lines().count(), 1 + 200);
        record
    };
    let linear = run("y0", "linear");
    let floor = linear.metrics["test_noise_floor"];
    let loss = linear.test_loss.expect("a loss");
    assert!(
        floor > 0.0 && loss < 1.1 * floor,
        "{loss} over a floor of {floor}"
    );
    let (linear, convnet) = (run("y1", "linear"), run("y1", "convnet"));
    assert!(convnet.test_loss.expect("a loss") < linear.test_loss.expect("a loss") / 3.0);
}

#[test]
fn gradients_by_hand_agree_with_autodiff_and_are_zero_at_the_stationary_point() {
    let folder = tempfile::tempdir().expect("a folder");
    let task =
        "[gradients]\npoints = 51\nrange = 6.0\nrows = 32\nline_points = 21\nline_reach = 1.0";
    let dir = write_config(folder.path(), "gradients", task);
    let record = train_successfully(&dir);
    let metric = |name: &str| record.metrics[name];
    assert_eq!(metric("relu_max_difference"), 0.0);
    assert!(metric("sigmoid_max_difference") < 1e-6);
    assert!(metric("convnet_max_relative_difference") < 1e-5);
    assert_eq!(metric("stationary_max_gradient"), 0.0);
    assert!(metric("lowest_loss_on_line") < 0.9 * metric("stationary_loss"));
    for (name, rows) in [
        ("activations.csv", 51),
        ("gradients.csv", 10),
        ("line.csv", 21),
    ] {
        let text = std::fs::read_to_string(dir.file(name)).expect("a file");
        assert_eq!(text.lines().count(), 1 + rows, "{name}");
    }
}
