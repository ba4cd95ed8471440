//! Bad input: xtask ends with exit code 2, prints an error that names the place and the remedy,
//! and writes nothing.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use std::path::Path;

use common::{Place, configs, copy, stderr};
use std::process::Command;

/// Checks that `command` is refused with an error that contains all of `words`.
fn refused(place: &Place, command: &mut Command, words: &[&str]) {
    let output = command.output().unwrap();
    let printed = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{printed}");
    assert!(printed.starts_with("error: "), "{printed}");
    for word in words {
        assert!(printed.contains(word), "`{word}` in: {printed}");
    }
    assert!(!place.out().exists(), "something was written");
    assert!(place.trained().is_empty(), "something was trained");
}

#[test]
fn wrong_flags_are_refused() {
    for (words, expected) in [
        (
            "--only droput-0.3",
            ["--only droput-0.3", "did you mean `dropout-0.3`"].as_slice(),
        ),
        (
            "--only mlp --set model.dropout=1.5",
            &["--set", "model.dropout", "below 1, not 1.5"],
        ),
        (
            "--only mlp --set train.epochs=0",
            &["--set", "train.epochs", "from 1 to 1048576, not 0"],
        ),
        (
            "--only mlp --set train.batch_size=0",
            &["--set", "train.batch_size", "from 1 to 1048576, not 0"],
        ),
        (
            "--only mlp --set learning_rate=-0.1",
            &[
                "--set",
                "train.optimizer.sgd.learning_rate",
                "above 0, not -0.1",
            ],
        ),
        (
            "--only mlp --set droput=0.3",
            &["--set", "droput", "it has: ", "model.dropout"],
        ),
        ("--set dropout", &["--set", "expected key=value"]),
        (
            "--backend tpu",
            &["--backend", "'tpu'", "flex, ndarray, wgpu, cuda"],
        ),
        ("--seeds 0", &["--seeds", "1..="]),
        ("--jobs 0", &["--jobs", "1..="]),
        (
            "--data no/such/folder",
            &["--data no/such/folder", "leave --data out"],
        ),
        ("--onyl mlp", &["--onyl", "'--only'"]),
        (
            "--configs no/such/folder",
            &["no/such/folder", "study.toml"],
        ),
    ] {
        let place = Place::new();
        let mut command = place.xtask(&format!("experiments {words}"));
        refused(&place, &mut command, expected);
    }
}

#[test]
fn train_refuses_wrong_flags_too() {
    for (words, expected) in [
        (
            "train dropout",
            ["dropout: no cell", "did you mean `dropout-"].as_slice(),
        ),
        (
            "train mlp --set dropout=1.5",
            &["model.dropout", "not 1.5", "40-mlp.toml"],
        ),
        ("train mlp --backend tpu", &["--backend", "flex, ndarray"]),
        (
            "train mlp --data no/such/folder",
            &["--data", "one that holds images"],
        ),
        ("train", &["<CELL>"]),
    ] {
        let place = Place::new();
        refused(&place, &mut place.xtask(words), expected);
    }
}

#[test]
fn bench_refuses_wrong_flags_before_it_installs_anything() {
    for (words, expected) in [
        (
            "bench --peer keros",
            ["--peer", "'keros'", "keras, jax, torch"].as_slice(),
        ),
        ("bench --peer jax --no-peers", &["--peer", "--no-peers"]),
        ("bench --threads 0", &["--threads", "1..="]),
        (
            "bench --threads 1,1024",
            &["--threads 1024", "at most so many"],
        ),
        ("bench --study --threads 1", &["--study", "--threads"]),
        (
            "bench pca",
            &["pca cannot be compared", "a cell that trains"],
        ),
        (
            "bench mlp --peer jax --set data.train=1000",
            &["--peer jax", "mlp has other images", "leave --peer out"],
        ),
    ] {
        let place = Place::new();
        refused(&place, &mut place.xtask(words), expected);
    }
}

#[test]
fn a_wrong_config_file_is_refused() {
    for (from, to, expected) in [
        (
            "dropout = 0.0",
            "dropout = 0.0\ndropuot = 0.3",
            ["model.dropuot", "dropout"].as_slice(),
        ),
        ("dropout = 0.0", "dropout = 1.5", &["model.dropout", "1.5"]),
        ("epochs = 20", "epochs = 0", &["train.epochs", "from 1 to"]),
        (
            "batch_size = 128",
            "batch_size = 0",
            &["train.batch_size", "from 1 to"],
        ),
        (
            "learning_rate = 0.",
            "learning_rate = -0.",
            &["learning_rate", "above 0"],
        ),
        ("[train]", "[train", &["line"]),
    ] {
        let place = Place::new();
        let folder = place.path("configs");
        copy(&configs(), &folder);
        let file = folder.join("2.5-classifiers").join("40-mlp.toml");
        change(&file, from, to);
        // The file is refused even if other cells are selected.
        let mut command = place.xtask("experiments");
        command.arg("--configs").arg(&folder);
        refused(
            &place,
            &mut command,
            &[expected, &[&file.display().to_string()]].concat(),
        );
    }
}

fn change(file: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(file).unwrap();
    assert!(text.contains(from), "`{from}` must be in {file:?}");
    std::fs::write(file, text.replacen(from, to, 1)).unwrap();
}

#[test]
fn an_output_folder_that_cannot_be_written_is_refused() {
    let place = Place::new();
    // The folder is below a file, because root can write to any folder.
    let file = place.path("file");
    std::fs::write(&file, "mine").unwrap();
    for command in ["experiments", "train mlp"] {
        let mut words = command.split(' ').collect::<Vec<_>>();
        let below = file.join("below").display().to_string();
        words.extend(["--out", &below]);
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command
            .args(words)
            .env("KINDLING_BIN", place.path("kindling"))
            .env("FAKE_LOG", place.path("log"));
        refused(
            &place,
            &mut command,
            &["--out", &below, "Not a directory", "choose another folder"],
        );
    }
    assert_eq!(std::fs::read(&file).unwrap(), b"mine");
}

#[cfg(unix)]
#[test]
fn data_that_kindling_cannot_read_is_refused() {
    for command in ["experiments --only mlp", "train mlp"] {
        let place = Place::new();
        let mut command = place.xtask(command);
        command.env("FAKE_DATA", "t10k-labels-idx1-ubyte: it is truncated");
        refused(&place, &mut command, &["t10k-labels", "truncated"]);
    }
}
