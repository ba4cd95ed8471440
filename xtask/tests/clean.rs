//! `cargo xtask clean` removes what is no result of the study, and nothing else.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Output;

use common::{Place, configs, copy, stderr, stdout, wait_until};
use kindling_formats::{Layout, Size, VERSION};

fn run(place: &Place, words: &str) -> Output {
    place.xtask(words).output().unwrap()
}

#[track_caller]
fn succeed(place: &Place, words: &str) -> String {
    let output = run(place, words);
    assert!(output.status.success(), "{words}: {}", stderr(&output));
    stdout(&output)
}

/// The folders of all runs below `folder`, relative to it.
fn runs(folder: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(at) = open.pop() {
        for entry in std::fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if name.starts_with("seed-") {
                found.insert(path.strip_prefix(folder).unwrap().to_path_buf());
            } else if path.is_dir() {
                open.push(path);
            }
        }
    }
    found
}

/// Configs whose mlp trains for five epochs.
fn other_configs(place: &Place) -> PathBuf {
    let folder = place.path("other");
    copy(&configs(), &folder);
    let file = folder.join("2.5-classifiers/40-mlp.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let other = text.replace("epochs = 20", "epochs = 5");
    assert_ne!(other, text);
    std::fs::write(file, other).unwrap();
    folder
}

#[test]
fn trials_outdated_and_foreign_runs_are_removed_and_no_result_of_the_study() {
    let place = Place::new();
    assert!(succeed(&place, "clean").contains("there is nothing to remove"));
    assert!(!place.out().exists());
    // Results of the study: written, tuned, quick, of a variant, and one set aside that counts
    // again.
    succeed(&place, "experiments --cell mlp --cell pca --seeds 2");
    succeed(&place, "experiments --cell mlp --quick");
    succeed(
        &place,
        "experiments --cell mlp --seeds 1 --set train.epochs=3",
    );
    succeed(&place, "tune --cell mlp");
    let all = runs(&place.out());
    let trials: BTreeSet<PathBuf> = all
        .iter()
        .filter(|run| run.starts_with("trials"))
        .cloned()
        .collect();
    assert_eq!(trials.len(), 14);
    succeed(&place, "experiments --protocol tuned --cell mlp --seeds 1");
    let mut kept: BTreeSet<PathBuf> = runs(&place.out()).difference(&trials).cloned().collect();

    // A run of another config takes the place of mlp 0, which is set aside.
    let other = other_configs(&place);
    let words = format!(
        "experiments --cell mlp --seeds 1 --configs {}",
        other.display()
    );
    succeed(&place, &words);
    // With today's configs, the run in place is outdated, and the one aside is the study's.
    let mlp = place.out().join("runs/mlp");
    let aside: Vec<PathBuf> = runs(&mlp)
        .into_iter()
        .filter(|run| {
            let name = run.to_string_lossy();
            name.starts_with("seed-0.") && !name.ends_with(".partial")
        })
        .collect();
    assert_eq!(aside.len(), 1);
    kept.remove(Path::new("runs/mlp/seed-0"));
    kept.insert(Path::new("runs/mlp").join(&aside[0]));
    // A cell that the study does not have, and a record of another version.
    copy(
        place.finished("pca", 0).path(),
        &place.out().join("runs/gone/seed-0"),
    );
    let foreign = place.out().join("runs/pca/seed-7");
    copy(place.finished("pca", 0).path(), &foreign);
    let record = std::fs::read_to_string(foreign.join("record.json")).unwrap();
    let theirs = record.replace(&format!("\"{VERSION}\""), "\"99.0.0\"");
    assert_ne!(theirs, record);
    std::fs::write(foreign.join("record.json"), theirs).unwrap();
    // A stopped run of today's config stays.
    let partial = place.partial("mlp", 1);
    std::fs::create_dir_all(partial.path()).unwrap();
    std::fs::copy(place.finished("mlp", 1).config(), partial.config()).unwrap();
    kept.insert("runs/mlp/seed-1.partial".into());

    let before = runs(&place.out());
    let list = succeed(&place, "clean");
    for words in [
        "runs/mlp/seed-0: train.epochs was 5, and the study says 20",
        "runs/gone/seed-0: the study has no cell gone",
        "runs/pca/seed-7: ",
        "trials/runs: 14 trials",
        "14 trials: ",
        "1 outdated run: ",
        "2 foreign runs: ",
    ] {
        assert!(list.contains(words), "`{words}` in: {list}");
    }
    assert_eq!(runs(&place.out()), before, "a list removes nothing");
    // Only the kinds that are named are removed.
    succeed(&place, "clean --foreign --remove");
    let left = runs(&place.out());
    assert_eq!(before.difference(&left).count(), 2);
    assert!(left.is_superset(&trials));
    let printed = succeed(&place, "clean --remove");
    assert!(printed.contains("removed 15 folders, "), "{printed}");
    assert_eq!(runs(&place.out()), kept);
    assert!(succeed(&place, "clean --remove").contains("there is nothing to remove"));
    // The result that was set aside is put back, and nothing is trained.
    place.trained();
    succeed(&place, "experiments --cell mlp --seeds 2");
    succeed(&place, "experiments --protocol tuned --cell mlp --seeds 1");
    assert_eq!(place.trained(), [""; 0]);
}

#[test]
fn what_cannot_be_judged_is_left_alone() {
    let place = Place::new();
    succeed(&place, "tune --cell mlp");
    succeed(&place, "experiments --protocol tuned --cell mlp --seeds 1");
    succeed(
        &place,
        "experiments --cell mlp --seeds 1 --set train.epochs=3",
    );
    let layout = Layout::new(&place.out(), Size::Full);
    // Without the choice it is not known what the study says about a tuned run, and without
    // `tree.json` what it says about a run of a variant.
    std::fs::remove_file(layout.choices()).unwrap();
    std::fs::remove_file(place.variant("train.epochs=3").tree()).unwrap();
    let kept: BTreeSet<PathBuf> = runs(&place.out())
        .into_iter()
        .filter(|run| !run.starts_with("trials"))
        .collect();
    assert_eq!(kept.len(), 2);
    succeed(&place, "clean --remove");
    assert_eq!(runs(&place.out()), kept);
    // A damaged tree.json is named, and its tree left alone.
    std::fs::write(layout.tuned().tree(), "{").unwrap();
    let output = run(&place, "clean --remove");
    assert!(output.status.success());
    assert!(
        stderr(&output).contains("is left alone"),
        "{}",
        stderr(&output)
    );
    assert_eq!(runs(&place.out()), kept);
}

#[cfg(unix)]
#[test]
fn nothing_is_removed_while_another_command_trains() {
    let place = Place::new();
    succeed(&place, "tune --cell linear");
    place.trained();
    let hold = place.path("hold");
    let mut child = place
        .xtask("tune --cell mlp --jobs 1")
        .env("FAKE_HOLD", &hold)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    wait_until(|| place.path("log").exists());
    let before = runs(&place.out());
    let output = run(&place, "clean --remove");
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("another cargo xtask is training"),
        "{}",
        stderr(&output)
    );
    assert_eq!(runs(&place.out()), before);
    assert!(
        succeed(&place, "clean").contains("trials"),
        "a list needs no lock"
    );
    std::fs::write(&hold, "").unwrap();
    assert!(child.wait().unwrap().success());
    // A run that another process trains, such as a task of Slurm, is left alone.
    let layout = Layout::new(&place.out(), Size::Full).trials();
    let lock = layout.lock("mlp@learning_rate=0.01", 1000);
    let held = std::fs::File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(lock)
        .unwrap();
    held.lock().unwrap();
    let output = run(&place, "clean --remove");
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("1 folder left alone"),
        "{}",
        stderr(&output)
    );
    assert_eq!(runs(&place.out()).len(), 1);
}
