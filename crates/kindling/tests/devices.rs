//! Which device computes, and one training followed on two.

mod common;

use std::path::Path;
use std::process::Output;

use common::{BACKEND, kindling, train_successfully, write_config, write_images};
use kindling_formats::{HistoryRow, ParityStep, RunConfig, RunDir, read_csv};

fn classifier(folder: &Path) -> RunDir {
    let images = write_images(&folder.join("images"), 96, 20);
    let task = format!(
        "[data]\ndir = {images:?}\n[model]\nhidden = [8]\ndropout = 0.5\n[train]\nepochs = 2\n\
         batch_size = 32\noptimizer.sgd = {{ learning_rate = 0.1, momentum = 0.9 }}"
    );
    write_config(&folder.join("run"), "classifier", &task)
}

fn run(words: &[&str]) -> Output {
    kindling().args(words).output().expect("kindling starts")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_device_that_cannot_be_had_is_refused_in_a_sentence() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = classifier(folder.path());
    let path = dir.path().to_str().expect("a path");
    // The tests are built without GPUs.
    let absent = "backend `cuda` is not compiled in; build kindling with `--features cuda`";
    for (words, variable, words_said) in [
        (vec!["open", "cuda"], "", absent),
        (vec!["train", path, "--device", "cuda:1"], "", absent),
        (vec!["train", path], "cuda", absent),
        (
            vec!["train", path],
            "gpu",
            "BURN_DEVICE=gpu: there is no backend `gpu`",
        ),
        (vec!["open", "flex:1"], "", "say `flex`"),
        (vec!["parity", path, BACKEND, "cuda"], "", absent),
    ] {
        let output = kindling()
            .args(&words)
            .env("BURN_DEVICE", variable)
            .output()
            .expect("kindling starts");
        let said = said(&output);
        assert_eq!(output.status.code(), Some(2), "{words:?}: {said}");
        assert!(said.contains(words_said), "{words:?}: {said}");
        assert!(!said.contains("panicked"), "{said}");
    }
    let files = std::fs::read_dir(dir.path()).expect("a folder").count();
    assert_eq!(files, 1, "only the config");
}

#[test]
fn a_named_device_trains_and_the_record_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = classifier(folder.path());
    let text = std::fs::read_to_string(dir.config()).expect("a config");
    let text = text.replace(&format!("\"{BACKEND}\""), "\"cuda\"");
    std::fs::write(dir.config(), text).expect("writes");
    let path = dir.path().to_str().expect("a path");
    assert_eq!(run(&["train", path]).status.code(), Some(2), "cuda");
    let output = run(&["train", path, "--device", BACKEND]);
    assert!(output.status.success(), "{}", said(&output));
    let config = RunConfig::read(&dir.config()).expect("a config");
    assert_eq!(config.backend.name(), BACKEND);
    let record = dir.read_record().expect("readable").expect("a record");
    assert_eq!(record.backend, config.backend);
    assert_eq!(record.config_hash, config.hash());
    assert_eq!(record.host.adapter, None);
}

#[test]
fn the_devices_are_listed_with_their_speed() {
    let output = run(&["devices"]);
    assert!(output.status.success(), "{}", said(&output));
    let devices: Vec<kindling_formats::DeviceReport> =
        serde_json::from_slice(&output.stdout).expect("a list");
    assert_eq!(devices[0].device, BACKEND);
    for speed in [devices[0].product, devices[0].latency] {
        assert!(speed.is_some_and(|speed| speed > 0.0), "{devices:?}");
    }
}

#[test]
fn a_training_followed_in_lockstep_is_the_training_itself() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = classifier(folder.path());
    let path = dir.path().to_str().expect("a path");
    train_successfully(&dir);
    let history: Vec<HistoryRow> = read_csv(&dir.history()).expect("a history");
    let follow = |flags: &[&str]| -> Vec<ParityStep> {
        let words = [&["parity", path, BACKEND, BACKEND, "--steps", "6"], flags].concat();
        let output = run(&words);
        assert!(output.status.success(), "{}", said(&output));
        let text = String::from_utf8(output.stdout).expect("text");
        let steps = text.lines().map(serde_json::from_str);
        steps.collect::<Result<_, _>>().expect("steps")
    };
    for steps in [follow(&["--dropout"]), follow(&["--dropout", "--drift"])] {
        assert_eq!(steps.len(), 6);
        for (step, row) in steps.chunks(3).zip(&history) {
            // Three batches of the same size are an epoch.
            for side in 0..2 {
                let losses = step.iter().filter_map(|step| step.losses[side]);
                let mean = losses.sum::<f64>() / 3.0;
                assert!((mean - row.train_loss).abs() < 1e-6, "{mean} {row:?}");
            }
        }
        for step in &steps {
            assert_eq!(step.gradient_gap().0, 0.0);
            assert_eq!(step.weights_gap().0, 0.0);
        }
    }
    // Without dropout it is another training.
    let plain = follow(&[]);
    let first = plain[0].losses[0].expect("a number");
    let dropped = follow(&["--dropout"])[0].losses[0].expect("a number");
    assert!((first - dropped).abs() > 1e-3);
}

#[test]
fn what_takes_no_steps_cannot_be_followed() {
    let folder = tempfile::tempdir().expect("a folder");
    let images = write_images(&folder.path().join("images"), 30, 20);
    let task = format!("[data]\ndir = {images:?}\n[model]\ncomponents = 2\n[scatter]\nimages = 9");
    let dir = write_config(&folder.path().join("run"), "pca", &task);
    let path = dir.path().to_str().expect("a path");
    let output = run(&["parity", path, BACKEND, BACKEND]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        said(&output).contains("takes no training steps"),
        "{}",
        said(&output)
    );
}
