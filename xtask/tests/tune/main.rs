//! `cargo xtask tune` and `--protocol tuned`, with a script that stands in for kindling.
#![allow(clippy::unwrap_used, reason = "a test may")]

#[path = "../common/mod.rs"]
mod common;
mod protocol;
#[cfg(target_os = "linux")]
mod slurm;

use std::path::PathBuf;
use std::process::Output;

use common::{Place, configs, copy, stderr, stdout};
use kindling_formats::{Choices, Layout, Size};

/// The key that the repository's `tuning.toml` searches for classifiers.
const RATE: &str = "train.optimizer.sgd.learning_rate";

/// The rates of the repository's `tuning.toml`, as they stand in the names of trials.
const RATES: [&str; 7] = ["0.0025", "0.005", "0.01", "0.02", "0.04", "0.08", "0.16"];

/// The trials of `cell`, as `cell seed`, sorted.
fn trials(cell: &str) -> Vec<String> {
    let seeds = [1000, 1001];
    let trials = RATES
        .iter()
        .flat_map(|rate| seeds.map(|seed| format!("{cell}@learning_rate={rate} {seed}")));
    let mut trials: Vec<String> = trials.collect();
    trials.sort();
    trials
}

/// Runs xtask with WORDS.
fn run(place: &Place, words: &str) -> Output {
    let mut command = place.xtask(words);
    command.env("FAKE_SCORES", place.path("scores"));
    command.output().unwrap()
}

#[track_caller]
fn succeed(place: &Place, words: &str) -> String {
    let output = run(place, words);
    assert!(output.status.success(), "{words}: {}", stderr(&output));
    stdout(&output) + &stderr(&output)
}

/// Runs a command that must be refused before anything is trained, and returns the error.
#[track_caller]
fn refused(place: &Place, words: &str) -> String {
    let output = run(place, words);
    assert_eq!(
        output.status.code(),
        Some(2),
        "{words}: {}",
        stderr(&output)
    );
    assert_eq!(place.trained(), [""; 0], "{words}");
    stderr(&output)
}

/// Gives the trials of mlp the validation accuracies `of`, for two seeds each.
fn score(place: &Place, of: [[f64; 2]; RATES.len()]) {
    let mut text = String::new();
    for (rate, scores) in RATES.iter().zip(of) {
        for (seed, score) in [1000, 1001].iter().zip(scores) {
            text += &format!("mlp@learning_rate={rate} {seed} {score} 0.5\n");
        }
    }
    std::fs::write(place.path("scores"), text).unwrap();
}

/// Scores by which 0.08 wins with a mean of 0.965. If only the first seed is drawn, 0.04 wins.
const SCORES: [[f64; 2]; RATES.len()] = [
    [0.10, 0.10],
    [0.90, 0.90],
    [0.92, 0.92],
    [0.95, 0.95],
    [0.97, 0.95],
    [0.96, 0.97],
    [0.94, 0.94],
];

fn layout(place: &Place) -> Layout {
    Layout::new(&place.out(), Size::Full)
}

fn choices(place: &Place) -> Choices {
    Choices::read(&layout(place).choices()).unwrap()
}

/// A copy of the repository's configs, in which `from` in the file `name` is replaced by `to`.
fn changed(place: &Place, name: &str, from: &str, to: &str) -> PathBuf {
    let folder = place.path("changed");
    if !folder.exists() {
        copy(&configs(), &folder);
    }
    let text = std::fs::read_to_string(configs().join(name)).unwrap();
    assert!(text.contains(from), "{from}");
    std::fs::write(folder.join(name), text.replace(from, to)).unwrap();
    folder
}

#[test]
fn trials_are_trained_once_and_choose_the_best_mean() {
    let place = Place::new();
    score(&place, SCORES);
    let printed = succeed(&place, "tune --cell mlp");
    assert_eq!(place.trained(), trials("mlp"));
    let words: Vec<&str> = printed
        .lines()
        .find(|line| line.starts_with("mlp "))
        .unwrap()
        .split_whitespace()
        .collect();
    // By hand: of the four ways to draw two of two seeds, the first seed twice chooses 0.04.
    let expected = "mlp learning_rate=0.08 validation accuracy 0.9650 25 %";
    assert_eq!(words.join(" "), expected, "{printed}");
    let choice = choices(&place).of("mlp").unwrap().clone();
    assert_eq!(choice.settings[RATE], 0.08);
    assert_eq!((choice.wins, choice.edge.len()), (0.75, 0));
    let wins = choice.candidates.iter().map(|one| one.wins);
    let expected = [0.0, 0.0, 0.0, 0.0, 0.25, 0.75, 0.0];
    assert_eq!(wins.collect::<Vec<_>>(), expected);
    let scores = choice.candidates.iter().map(|one| one.scores.clone());
    assert_eq!(scores.collect::<Vec<_>>(), SCORES.map(Vec::from));

    // Recorded trials are not trained again.
    let printed = succeed(&place, "tune --cell mlp");
    assert_eq!(place.trained(), [""; 0]);
    assert!(
        printed.contains("14 recorded already, 0 to train"),
        "{printed}"
    );
}

#[test]
fn a_winner_at_the_edge_is_flagged_and_the_smaller_of_equal_rates_wins() {
    let place = Place::new();
    let mut scores = SCORES;
    scores[6] = [0.99, 0.99];
    score(&place, scores);
    let printed = succeed(&place, "tune --cell mlp");
    assert!(
        printed.contains(&format!("mlp: 0.16 is the largest candidate of {RATE}")),
        "{printed}"
    );
    assert_eq!(choices(&place).of("mlp").unwrap().edge, [RATE]);
    score(&place, [[0.5, 0.5]; RATES.len()]);
    let printed = succeed(&place, "tune --cell mlp --fresh");
    assert!(
        printed.contains("mlp: 0.0025 is the smallest candidate"),
        "{printed}"
    );
    assert_eq!(choices(&place).of("mlp").unwrap().settings[RATE], 0.0025);
}

#[test]
fn a_diverged_trial_loses_and_is_not_trained_again() {
    let place = Place::new();
    score(&place, SCORES);
    let tune = |diverge: &str| {
        let mut command = place.xtask("tune --cell mlp");
        command.env("FAKE_SCORES", place.path("scores"));
        command.env("FAKE_DIVERGE", diverge).output().unwrap()
    };
    let output = tune("mlp@learning_rate=0.08 1001");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(!stdout(&output).contains("failed"), "{}", stdout(&output));
    let choice = choices(&place).of("mlp").unwrap().clone();
    assert_eq!(choice.settings[RATE], 0.04);
    let diverged = &choice.candidates[5];
    assert!(diverged.mean.is_nan() && diverged.scores[1].is_nan());
    assert_eq!(diverged.scores[0], 0.96);
    place.trained();
    assert!(tune("none").status.success());
    assert_eq!(place.trained(), [""; 0]);
    // If every candidate diverges, there is no choice, and the earlier one goes.
    std::fs::remove_dir_all(layout(&place).trials().runs()).unwrap();
    let output = tune("mlp*1000");
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stdout(&output).contains("mlp: nothing was chosen, since a trial of every candidate"),
        "{}",
        stdout(&output)
    );
}

#[test]
fn a_failed_trial_leaves_the_cell_without_a_choice() {
    let place = Place::new();
    score(&place, SCORES);
    let output = place
        .xtask("tune --cell mlp --cell linear --json")
        .env("FAKE_FAIL", "mlp@learning_rate=0.01 1000")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let json: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(json["chosen"][0]["name"], "linear");
    assert_eq!(json["open"][0][0], "mlp");
    let reason = json["open"][0][1].as_str().unwrap();
    assert!(
        reason.contains("1 trial failed, such as mlp@learning_rate=0.01 1000"),
        "{reason}"
    );
    assert!(choices(&place).of("mlp").is_none());
    place.trained();
    // The next call trains only the failed trial.
    succeed(&place, "tune --cell mlp");
    assert_eq!(place.trained(), ["mlp@learning_rate=0.01 1000"]);
    assert!(choices(&place).of("mlp").is_some() && choices(&place).of("linear").is_some());
}

#[test]
fn the_choice_can_be_made_later_and_trains_nothing() {
    let place = Place::new();
    score(&place, SCORES);
    succeed(&place, "tune --cell mlp");
    std::fs::remove_file(layout(&place).choices()).unwrap();
    place.trained();
    succeed(&place, "tune --choose --cell mlp");
    assert_eq!(place.trained(), [""; 0]);
    assert_eq!(choices(&place).of("mlp").unwrap().settings[RATE], 0.08);
    let output = run(&place, "tune --choose --cell linear");
    assert_eq!(output.status.code(), Some(1));
    let printed = stdout(&output);
    assert!(
        printed.contains(
            "linear: nothing was chosen: 14 trials to train; run the same command without --choose"
        ),
        "{printed}"
    );
    // Cells that only lack trials share a line.
    let printed = stdout(&run(&place, "tune --choose"));
    let open = printed.lines().filter(|line| line.contains("nothing was"));
    assert_eq!(open.count(), 1, "{printed}");
    assert!(
        printed.contains("cells more: nothing was chosen: "),
        "{printed}"
    );
}

#[test]
fn wrong_arguments_and_files_are_refused_before_anything_is_written() {
    let place = Place::new();
    let with = |name: &str, from: &str, to: &str| {
        let folder = changed(&place, name, from, to);
        let error = refused(&place, &format!("tune --configs {}", folder.display()));
        std::fs::remove_dir_all(folder).unwrap();
        error
    };
    let missing = {
        let folder = changed(&place, "study.toml", "seeds = 3", "seeds = 3");
        std::fs::remove_file(folder.join("tuning.toml")).unwrap();
        let error = refused(&place, &format!("tune --configs {}", folder.display()));
        std::fs::remove_dir_all(folder).unwrap();
        error
    };
    for (error, words) in [
        (refused(&place, "tune --cell mpl"), "did you mean `mlp`?"),
        (refused(&place, "tune --only zzz"), "no cell has that name"),
        (
            refused(&place, "tune --cell pca"),
            "searches nothing for the family of this cell",
        ),
        (
            refused(&place, "tune --only pca"),
            "searches nothing for the families",
        ),
        (
            refused(&place, "tune --choose --fresh"),
            "cannot be used with",
        ),
        (
            refused(&place, "experiments --protocol best"),
            "use written or tuned",
        ),
        (missing, "tuning.toml: there is no such file"),
        (with("tuning.toml", "seeds = [", "seds = ["), "seds"),
        (
            with("tuning.toml", "1000, 1001", "1000, 2"),
            "may be the seed of a final run",
        ),
        (
            with("tuning.toml", ", 3.2]", "]"),
            "gives ae-naive-sgd 5 candidates and ae-naive-adam 6",
        ),
        (
            with(
                "tuning.toml",
                "0.0025, 0.005, 0.01, 0.02, 0.04, 0.08",
                "-0.01, 0.01, 0.08",
            ),
            "tuning.toml: `train.optimizer.sgd.learning_rate`: must be a finite number above 0",
        ),
    ] {
        assert!(error.contains(words), "`{words}` in: {error}");
    }
    assert!(!place.out().exists());
}

#[test]
fn a_stopped_tuning_continues() {
    let place = Place::new();
    score(&place, SCORES);
    let child = place
        .xtask("tune --cell mlp --jobs 1")
        .env("FAKE_SCORES", place.path("scores"))
        .env("FAKE_STOP", place.path("stop"))
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    common::wait_until(|| place.path("log").exists());
    common::interrupt(&child);
    common::interrupt(&child);
    std::fs::write(place.path("stop"), "").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    let printed = stdout(&output);
    assert!(printed.contains("stopped with 14 runs to go"), "{printed}");
    assert!(!layout(&place).choices().exists());
    place.trained();
    let printed = succeed(&place, "tune --cell mlp");
    assert!(printed.contains("1 run begun before"), "{printed}");
    assert_eq!(place.trained(), trials("mlp"));
    assert_eq!(choices(&place).of("mlp").unwrap().settings[RATE], 0.08);
}

#[test]
fn a_list_has_every_trial_and_writes_nothing() {
    let place = Place::new();
    let list = succeed(&place, "tune --list --cell mlp --cell ae");
    assert!(list.trim_end().ends_with("2 cells, 26 trials"), "{list}");
    // The names of the repository's cells and their rates fit a terminal.
    assert!(
        list.contains("learning_rate 0.0025, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16\n"),
        "{list}"
    );
    let all = succeed(&place, "tune --list");
    assert!(all.lines().all(|line| line.chars().count() <= 80), "{all}");
    let json = succeed(&place, "tune --list --json --cell mlp");
    let runs: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
    assert_eq!(runs.len(), 14);
    assert_eq!(runs[0]["cell"], "mlp@learning_rate=0.0025");
    assert!(!place.out().exists());
}

#[test]
fn the_repository_searches_at_least_five_rates_and_none_with_a_seed_of_the_study() {
    let study = kindling_formats::Study::read(&configs()).unwrap();
    let selection = kindling_formats::Selection::own(Size::Full);
    let trials = study.selected_trials(&selection).unwrap();
    for one in &trials {
        let values: Vec<f64> = one
            .candidates
            .iter()
            .map(|candidate| candidate.settings.values().next().copied().unwrap())
            .collect();
        assert!(values.len() >= 5, "{}", one.cell.name);
        // The grid is logarithmic: all factors between neighbours are equal.
        let factors: Vec<f64> = values.windows(2).map(|pair| pair[1] / pair[0]).collect();
        assert!(
            factors
                .iter()
                .all(|factor| (factor / factors[0] - 1.0).abs() < 1e-9),
            "{}: {values:?}",
            one.cell.name
        );
        assert!(one.seeds.iter().all(|&seed| seed >= 1000));
    }
    let families: std::collections::BTreeSet<&str> =
        trials.iter().filter_map(|one| one.cell.family()).collect();
    assert_eq!(families.len(), 3);
}
