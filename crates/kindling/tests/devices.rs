//! Selecting a device, and comparing a training on two devices, through the real binary.

mod common;

use std::path::Path;

use common::{BACKEND, kindling, run, stderr, train_successfully, write_config, write_images};
use kindling_formats::{History, ParityStep, RunConfig, RunDir};

const SGD: &str = "optimizer.sgd = { learning_rate = 0.1, momentum = 0.9, nesterov = false, \
                   weight_decay = 0.0 }";
/// The rate differs in every step, and the gradient of every step is clipped.
const ADAMW: &str = "optimizer.adamw = { learning_rate = 0.01, beta_1 = 0.9, beta_2 = 0.99, \
                     epsilon = 1e-8, weight_decay = 0.1 }\nclip = 0.1\n\
                     schedule.cosine = { warmup = 0.4, end = 0.1 }";

fn classifier(folder: &Path) -> RunDir {
    classifier_with(SGD, folder)
}

fn classifier_with(optimizer: &str, folder: &Path) -> RunDir {
    let images = write_images(&folder.join("images"), 96, 20);
    let task = format!(
        "[data]\ndir = {images:?}\n[model]\nhidden = [8]\ndropout = 0.5\n[train]\nepochs = 2\n\
         batch_size = 32\n{optimizer}"
    );
    write_config(&folder.join("run"), "classifier", &task)
}

#[test]
fn an_unavailable_device_is_refused_with_a_clear_message() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = classifier(folder.path());
    let path = dir.path().to_str().expect("a path");
    // The tests are built without GPUs.
    let absent = "backend `cuda` is not compiled in; build kindling with `--features cuda`";
    for (arguments, variable, words) in [
        (vec!["open", "cuda"], "", absent),
        (vec!["train", path, "--device", "cuda:1"], "", absent),
        (vec!["train", path], "cuda", absent),
        (
            vec!["train", path],
            "gpu",
            "BURN_DEVICE=gpu: there is no backend `gpu`",
        ),
        (vec!["open", "flex:1"], "", "use `flex`"),
        (vec!["parity", path, BACKEND, "cuda"], "", absent),
    ] {
        let output = kindling()
            .args(&arguments)
            .env("BURN_DEVICE", variable)
            .output()
            .expect("kindling starts");
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
        assert!(message.contains(words), "{arguments:?}: {message}");
        assert!(!message.contains("panicked"), "{message}");
    }
    let files = std::fs::read_dir(dir.path()).expect("a folder").count();
    assert_eq!(files, 1, "only the config");
}

#[test]
fn the_device_flag_overrides_the_backend_and_the_record_names_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = classifier(folder.path());
    let text = std::fs::read_to_string(dir.config()).expect("a config");
    let text = text.replace(&format!("\"{BACKEND}\""), "\"cuda\"");
    std::fs::write(dir.config(), text).expect("writes");
    let path = dir.path().to_str().expect("a path");
    assert_eq!(run(["train", path]).status.code(), Some(2), "cuda");
    let output = run(["train", path, "--device", BACKEND]);
    assert!(output.status.success(), "{}", stderr(&output));
    let config = RunConfig::read(&dir.config()).expect("a config");
    assert_eq!(config.backend.name(), BACKEND);
    let record = dir.read_record().expect("readable").expect("a record");
    assert_eq!(record.backend, config.backend);
    assert_eq!(record.config_hash, config.hash());
    assert_eq!(record.host.adapter, None);
}

#[test]
fn the_devices_are_listed_with_their_speed() {
    let output = run(["devices"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let devices: Vec<kindling_formats::DeviceReport> =
        serde_json::from_slice(&output.stdout).expect("a list");
    assert_eq!(devices[0].device, BACKEND);
    for speed in [devices[0].product, devices[0].latency] {
        assert!(speed.is_some_and(|speed| speed > 0.0), "{devices:?}");
    }
}

#[test]
fn parity_takes_the_same_steps_as_a_training() {
    for optimizer in [SGD, ADAMW] {
        parity_takes_the_steps_of_a_training_with(optimizer);
    }
}

fn parity_takes_the_steps_of_a_training_with(optimizer: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = classifier_with(optimizer, folder.path());
    let path = dir.path().to_str().expect("a path");
    train_successfully(&dir);
    let history = History::read(&dir.history()).expect("a history").rows;
    let parity = |flags: &[&str]| -> Vec<ParityStep> {
        let arguments = [&["parity", path, BACKEND, BACKEND, "--steps", "6"], flags].concat();
        let output = run(arguments);
        assert!(output.status.success(), "{}", stderr(&output));
        let text = String::from_utf8(output.stdout).expect("text");
        let steps = text.lines().map(serde_json::from_str);
        steps.collect::<Result<_, _>>().expect("steps")
    };
    for steps in [parity(&["--dropout"]), parity(&["--dropout", "--drift"])] {
        assert_eq!(steps.len(), 6);
        for (step, row) in steps.chunks(3).zip(&history) {
            // An epoch is three batches of the same size.
            for side in 0..2 {
                let losses = step.iter().filter_map(|step| step.losses[side]);
                let mean = losses.sum::<f64>() / 3.0;
                assert!((mean - row.train_loss).abs() < 1e-6, "{mean} {row:?}");
            }
        }
        for step in &steps {
            assert!(!step.layers.is_empty());
            for layer in &step.layers {
                assert_eq!((layer.gradient, layer.weights), (Some(0.0), Some(0.0)));
            }
        }
    }
    // Without dropout the losses differ.
    let plain = parity(&[]);
    let first = plain[0].losses[0].expect("a number");
    let with_dropout = parity(&["--dropout"])[0].losses[0].expect("a number");
    assert!((first - with_dropout).abs() > 1e-3);
}

#[test]
fn parity_refuses_a_family_without_training_steps() {
    let folder = tempfile::tempdir().expect("a folder");
    let images = write_images(&folder.path().join("images"), 30, 20);
    let task = format!("[data]\ndir = {images:?}\n[model]\ncomponents = 2\n[scatter]\nimages = 9");
    let dir = write_config(&folder.path().join("run"), "pca", &task);
    let path = dir.path().to_str().expect("a path");
    let output = run(["parity", path, BACKEND, BACKEND]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("takes no training steps"),
        "{}",
        stderr(&output)
    );
}
