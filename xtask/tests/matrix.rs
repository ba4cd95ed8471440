//! Trains whole matrices with `cargo xtask experiments`. A script stands in for kindling.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use std::io::Read;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use common::{Place, stderr, stdout};
use kindling_formats::{RunConfig, RunStatus, VERSION};

#[test]
fn every_run_is_trained_and_listed_in_the_table() {
    let place = Place::new();
    let output = place
        .xtask("experiments --only mlp --only linear-y --only pca --jobs 3")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let table = stdout(&output);
    for cell in [
        "mlp",
        "mlp-10",
        "linear-y0",
        "linear-y1",
        "linear-y2",
        "pca",
    ] {
        let row = table
            .lines()
            .find(|line| line.split(' ').next() == Some(cell));
        assert!(row.unwrap().contains("0.1500"), "{table}");
        let record = place.record(cell, 0);
        assert_eq!(record.status, RunStatus::Complete);
        let config = RunConfig::read(&place.finished(cell, 0).config()).unwrap();
        assert_eq!(config.hash(), record.config_hash);
        assert!(!place.finished(cell, 0).stderr().exists());
        assert!(!place.partial(cell, 0).path().exists());
    }
    // Each cell has three seeds, except pca, which is not random.
    assert_eq!(place.trained().len(), 5 * 3 + 1);
    assert!(place.out().join("results.csv").exists());
    assert!(place.out().join("report").join("index.html").exists());
    assert!(table.contains("index.html"), "{table}");
    let paper = place.out().join("paper");
    let copied = place
        .xtask(&format!("report --figures {}", paper.display()))
        .output()
        .unwrap();
    assert!(copied.status.success(), "{}", stderr(&copied));
    let count = |folder: &Path| std::fs::read_dir(folder).unwrap().count();
    assert!(count(&paper) > 0);
    assert_eq!(count(&paper), count(&place.out().join("report/figures")));
    for text in [stdout(&output), stderr(&output)] {
        assert!(!text.contains('\x1b'), "escape codes in a pipe: {text}");
    }
}

#[test]
fn json_and_quiet_print_nothing_but_the_result() {
    let place = Place::new();
    let json = |words: &str| -> serde_json::Value {
        let output = place.xtask(words).env("NO_COLOR", "1").output().unwrap();
        assert!(stderr(&output).is_empty(), "{words}: {}", stderr(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let listed = json("experiments --list --json --quiet --only pca");
    assert_eq!(listed[0]["cell"], "pca");
    let trained = json("experiments --json --quiet --only pca --only linear-y0");
    assert_eq!(trained["records"].as_array().unwrap().len(), 4);
    assert_eq!(trained["records"][0]["test_loss"], 0.15);
    assert_eq!(trained["open"], 0);
    assert!(Path::new(trained["report"].as_str().unwrap()).exists());
    assert_eq!(json("watch --json -q")["done"], 4);
    assert!(json("claims --json -q").as_array().unwrap().len() > 5);
    // Without JSON the table is the result, and is printed.
    let output = place.xtask("-q experiments --only pca").output().unwrap();
    assert!(stderr(&output).is_empty());
    assert!(stdout(&output).contains("0.1500"));
}

#[test]
fn a_failed_run_is_named_and_the_others_complete() {
    let place = Place::new();
    let output = place
        .xtask("experiments --only mlp --jobs 1")
        .env("FAKE_FAIL", "mlp 1")
        .env("FAKE_KILL", "mlp-10 0")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let printed = stdout(&output);
    assert!(printed.contains("2 runs failed"), "{printed}");
    assert!(
        printed.contains("mlp 1: the loss is NaN in epoch 1, batch 3"),
        "{printed}"
    );
    assert!(
        printed.contains("mlp-10 0: killed by signal 9"),
        "{printed}"
    );
    let kept = place.partial("mlp", 1).stderr();
    assert!(printed.contains(&kept.display().to_string()), "{printed}");
    assert_eq!(
        std::fs::read_to_string(kept).unwrap(),
        "warming up\nerror: the loss is NaN in epoch 1, batch 3\n"
    );
    for (cell, seed, error) in [("mlp", 1, "NaN"), ("mlp-10", 0, "signal 9")] {
        let record = place.partial(cell, seed).read_record().unwrap().unwrap();
        assert_eq!(record.status, RunStatus::Failed);
        assert!(record.error.unwrap().contains(error));
        assert!(!place.finished(cell, seed).path().exists());
    }
    for (cell, seed) in [("mlp", 0), ("mlp", 2), ("mlp-10", 1), ("mlp-10", 2)] {
        assert_eq!(place.record(cell, seed).status, RunStatus::Complete);
    }
    // The next call trains only the failed runs, and removes their training folders.
    place.trained();
    let output = place.xtask("experiments --only mlp").output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(place.trained(), ["mlp 1", "mlp-10 0"]);
    assert!(!place.partial("mlp", 1).path().exists());
}

#[test]
fn recorded_runs_are_trained_again_only_with_fresh() {
    let place = Place::new();
    let train = |words: &str| {
        let output = place
            .xtask(&format!("experiments --only pca {words}"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        (place.trained(), stderr(&output), stdout(&output))
    };
    assert_eq!(train("").0, ["pca 0"]);
    let (trained, printed, table) = train("");
    assert!(trained.is_empty());
    assert!(printed.contains("1 recorded already"), "{printed}");
    assert!(table.contains("0.1500"), "{table}");
    assert_eq!(train("--fresh").0, ["pca 0"]);
    // Runs with another backend or config have other results, in another folder.
    let own = place.record("pca", 0);
    assert_eq!(train("--backend ndarray").0, ["pca 0"]);
    assert_eq!(train("--backend ndarray").0, [""; 0]);
    let (trained, printed, _) = train("--set components=3");
    assert_eq!(trained, ["pca 0"]);
    assert!(
        printed.contains("--variant components=3 shows"),
        "{printed}"
    );
    assert_eq!(place.record("pca", 0), own);
    assert_eq!(train("").0, [""; 0]);
    // Quick results have their own folder.
    assert_eq!(train("--quick").0, ["pca 0"]);
    assert_eq!(train("--set components=3").0, [""; 0]);
}

#[test]
fn a_complete_result_in_the_training_folder_becomes_the_result() {
    // A power cut may have happened after the old result was removed and before the training
    // folder was renamed.
    let place = Place::new();
    assert!(
        place
            .xtask("experiments --only pca")
            .output()
            .unwrap()
            .status
            .success()
    );
    place.trained();
    let (finished, partial) = (place.finished("pca", 0), place.partial("pca", 0));
    std::fs::rename(finished.path(), partial.path()).unwrap();
    let output = place.xtask("experiments --only pca").output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(place.trained().is_empty());
    assert!(finished.record().exists() && !partial.path().exists());
}

#[test]
fn results_of_another_version_are_left_alone() {
    let place = Place::new();
    let train = || place.xtask("experiments --only pca").output().unwrap();
    assert!(train().status.success());
    let (finished, partial) = (place.finished("pca", 0), place.partial("pca", 0));
    let ours = std::fs::read_to_string(finished.record()).unwrap();
    let theirs = ours.replace(&format!("\"{VERSION}\""), "\"99.0.0\"");
    assert_ne!(ours, theirs);
    place.trained();
    // The other version left its record in the result folder, then in the training folder.
    for record in [finished.record(), partial.record()] {
        std::fs::create_dir_all(record.parent().unwrap()).unwrap();
        std::fs::write(&record, &theirs).unwrap();
        for words in [
            "experiments --only pca --fresh",
            "experiments --only mlp",
            "report",
            "claims",
        ] {
            let output = place.xtask(words).output().unwrap();
            let printed = stderr(&output);
            assert_eq!(output.status.code(), Some(2), "{words}: {printed}");
            assert!(
                printed.contains("version \"99.0.0\" of Kindling"),
                "{printed}"
            );
            assert!(
                printed.contains("the files of this run are not changed"),
                "{printed}"
            );
            assert!(printed.contains("--out"), "{printed}");
        }
        assert_eq!(std::fs::read_to_string(&record).unwrap(), theirs);
        assert!(place.trained().is_empty());
        std::fs::write(finished.record(), &ours).unwrap();
    }
    std::fs::remove_dir_all(partial.path()).unwrap();
    assert!(train().status.success());
}

#[test]
fn a_second_matrix_in_the_same_folder_is_refused() {
    let place = Place::new();
    let hold = place.path("hold");
    let words = ["experiments", "--only", "pca", "--out"];
    let mut first = std::process::Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(words)
        .arg(place.out())
        .env("KINDLING_BIN", place.path("kindling"))
        .env("FAKE_LOG", place.path("log"))
        .env("FAKE_VERSION", VERSION)
        .env("FAKE_HOLD", &hold)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let start = Instant::now();
    while !place.path("log").exists() && start.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(10));
    }
    let second = place.xtask("experiments --only pca").output().unwrap();
    std::fs::write(&hold, "").unwrap();
    let mut table = String::new();
    first
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut table)
        .unwrap();
    assert!(first.wait().unwrap().success());
    assert!(table.contains("pca"), "{table}");
    assert_eq!(second.status.code(), Some(2));
    let printed = stderr(&second);
    assert!(
        printed.contains("another cargo xtask is training"),
        "{printed}"
    );
    assert!(printed.contains("--out"), "{printed}");
    // The lock ended with its process, although the lock file still exists.
    assert!(place.out().join(".lock").exists());
    let third = place.xtask("experiments --only pca").output().unwrap();
    assert!(third.status.success(), "{}", stderr(&third));
}

#[test]
fn list_prints_the_matrix_and_writes_nothing() {
    let place = Place::new();
    let output = place
        .xtask("experiments --list --only pca --only mlp")
        .output()
        .unwrap();
    assert!(output.status.success());
    let list = stdout(&output);
    assert!(list.starts_with("section  cell"), "{list}");
    assert!(list.trim_end().ends_with("3 cells, 7 runs"), "{list}");
    assert!(!place.out().exists());
}

#[test]
fn train_has_its_own_folder_and_returns_the_exit_code_of_kindling() {
    let place = Place::new();
    let output = place.xtask("train mlp --seed 3").output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stdout(&output).contains("test accuracy  0.9200"));
    let folder = place.out().join("train/runs/mlp/seed-3");
    assert!(folder.join("record.json").exists());
    assert!(!place.finished("mlp", 3).path().exists());
    let output = place
        .xtask("train mlp --seed 3 --set dropout=0.3")
        .env("FAKE_FAIL", "mlp 3")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("the loss is NaN"));
    assert!(folder.join("record.json").exists());
}

#[test]
fn a_trial_shows_validation_figures() {
    let place = Place::new();
    let print = |words: &str| {
        let output = place.xtask(words).output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        stdout(&output)
    };
    let printed = print("train mlp --set data.validation=1000");
    for line in [
        "  validation loss      0.1500",
        "  validation accuracy  0.9200",
        "  seconds              1.5",
    ] {
        assert!(printed.contains(line), "{printed}");
    }
    assert!(!printed.contains("test"), "{printed}");

    let printed = print("experiments --cell mlp --seeds 1 --set data.validation=1000");
    assert!(printed.contains("validation accuracy"), "{printed}");
    assert!(!printed.contains("test accuracy"), "{printed}");
    let watched = print("watch --once --variant data.validation=1000");
    assert!(watched.contains("validation 0.1500"), "{watched}");
}

#[test]
fn a_report_of_failed_or_missing_runs_is_not_published() {
    let place = Place::new();
    let publish = || place.xtask("report --publish").output().unwrap();
    let output = publish();
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("no finished run"));
    let output = place
        .xtask("experiments --only pca")
        .env("FAKE_FAIL", "pca 0")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let output = publish();
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("pca 0"), "{}", stderr(&output));
}
