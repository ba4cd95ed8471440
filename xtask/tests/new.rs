//! `cargo xtask new`: a study of one's own, as a newcomer writes and runs it. A script stands in
//! for kindling.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use std::path::Path;
use std::process::{Command, Output};

use common::{Place, stderr, stdout};
use kindling_formats::Study;

/// Runs `cargo xtask new` in the folder `here`.
fn new(here: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xtask"))
        .arg("new")
        .args(words)
        .current_dir(here)
        .output()
        .unwrap()
}

#[test]
fn a_new_study_trains_at_once_and_judges_its_claim() {
    let place = Place::new();
    let here = place.path("here");
    std::fs::create_dir(&here).unwrap();
    let output = new(&here, &["my study"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(stdout(&output), "my study\n");
    let says = stderr(&output);
    assert!(
        says.contains("experiments --configs 'my study' --quick"),
        "{says}"
    );
    let study = Study::read(&here.join("my study")).unwrap();
    let cells: Vec<&str> = study
        .cells()
        .iter()
        .map(|cell| cell.name.as_str())
        .collect();
    assert_eq!(cells, ["softmax", "mlp", "dropout-0.2", "dropout-0.5"]);
    assert_eq!(study.claims().len(), 1);

    let configs = here.join("my study");
    let run = |words: &str| {
        let output = place.xtask(words).arg("--configs").arg(&configs).output();
        let output = output.unwrap();
        assert_eq!(
            output.status.code(),
            Some(0),
            "{words}: {}",
            stderr(&output)
        );
        stdout(&output)
    };
    run("experiments");
    assert_eq!(place.trained().len(), 4 * 3);
    assert!(run("claims").contains("hidden-layer-helps"));
    // Its learning rates can be tuned: four cells, seven rates, two seeds.
    run("tune");
    assert_eq!(place.trained().len(), 4 * 7 * 2);
}

#[test]
fn a_folder_that_is_there_is_not_changed() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    std::fs::create_dir(here.join("empty")).unwrap();
    let output = new(&here.join("empty"), &["."]);
    assert!(output.status.success());
    let before = std::fs::read_dir(here.join("empty")).unwrap().count();
    std::fs::write(here.join("file"), "mine").unwrap();
    for (words, problem) in [
        (&["empty"][..], "empty is there already"),
        (&["file"], "file is there already"),
        (&["other", "--data", "nowhere"], "there is no such folder"),
    ] {
        let output = new(here, words);
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        assert!(stderr(&output).contains(problem), "{}", stderr(&output));
    }
    assert_eq!(
        std::fs::read_dir(here.join("empty")).unwrap().count(),
        before
    );
    assert!(!here.join("other").exists());
}

#[test]
fn the_cells_learn_from_the_images_that_data_names() {
    let folder = tempfile::tempdir().unwrap();
    let name = "my e\u{301} \"pictures\"";
    let images = folder.path().join(name);
    std::fs::create_dir(&images).unwrap();
    let output = new(folder.path(), &["study", "--data", name]);
    assert!(output.status.success(), "{}", stderr(&output));
    for file in ["10-softmax.toml", "20-mlp.toml", "30-dropout.toml"] {
        let text = std::fs::read_to_string(folder.path().join("study").join(file)).unwrap();
        assert!(text.contains("my e\u{301} \\\"pictures\\\"\"\n"), "{text}");
    }
    let study = Study::read(&folder.path().join("study")).unwrap();
    assert_eq!(study.cells().len(), 4);
}

#[test]
fn pictures_in_a_folder_for_each_class_have_a_share_for_testing() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    for path in [
        "classes/cat",
        "classes/dog",
        "classes/.cache",
        "split/train",
        "split/test",
    ] {
        std::fs::create_dir_all(here.join(path)).unwrap();
    }
    std::fs::create_dir_all(here.join("files/cat")).unwrap();
    std::fs::create_dir_all(here.join("split/train/cat")).unwrap();
    for picture in 0..60 {
        std::fs::write(here.join(format!("split/train/cat/{picture}.png")), "").unwrap();
    }
    std::fs::write(here.join("files/train-images-idx3-ubyte"), "").unwrap();
    for (data, has_share) in [("classes", true), ("split", false), ("files", false)] {
        let study = format!("study-{data}");
        let output = new(here, &[&study, "--data", data]);
        assert!(output.status.success(), "{}", stderr(&output));
        let text = std::fs::read_to_string(here.join(study).join("20-mlp.toml")).unwrap();
        assert_eq!(text.contains("test_share = 0.2\n"), has_share, "{text}");
    }
    let tuning = std::fs::read_to_string(here.join("study-split/tuning.toml")).unwrap();
    assert_eq!(tuning.matches("validation = 12\n").count(), 2, "{tuning}");
    // The batches and the validation images fit the number of pictures, whatever lies beside them.
    std::fs::write(here.join("classes/notes.txt"), "").unwrap();
    for picture in 0..500 {
        std::fs::write(here.join(format!("classes/cat/{picture}.PNG")), "").unwrap();
    }
    let output = new(here, &["counted", "--data", "classes"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let read = |file: &str| std::fs::read_to_string(here.join("counted").join(file)).unwrap();
    let mlp = read("20-mlp.toml");
    assert!(
        mlp.contains("batch_size = 16\n") && mlp.contains("test_share"),
        "{mlp}"
    );
    let tuning = read("tuning.toml");
    assert_eq!(tuning.matches("validation = 80\n").count(), 2, "{tuning}");
}
