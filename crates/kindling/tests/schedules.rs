//! The learning rates that a training uses, and clipping, through the real binary.

mod common;

use std::path::Path;

use common::{train_successfully, write_config, write_images};
use kindling_formats::{History, HistoryRow, RunDir};

const SGD: &str = "optimizer.sgd = { learning_rate = 0.1, momentum = 0.9, nesterov = false, \
                   weight_decay = 0.0 }";

fn history(dir: &RunDir) -> Vec<HistoryRow> {
    train_successfully(dir);
    History::read(&dir.history()).expect("a history").rows
}

/// Four epochs of five steps each.
fn classifier(folder: &Path, name: &str, keys: &str) -> Vec<HistoryRow> {
    let images = write_images(&folder.join("images"), 90, 20);
    let task = format!(
        "[data]\ndir = {images:?}\n[model]\nhidden = [8]\ndropout = 0.0\n[train]\nepochs = 4\n\
         batch_size = 20\n{SGD}\n{keys}"
    );
    history(&write_config(&folder.join(name), "classifier", &task))
}

/// Twenty steps.
fn toy(folder: &Path, name: &str, keys: &str) -> Vec<HistoryRow> {
    let task = format!(
        "[data]\nfunction = \"y1\"\ntrain = 50\ntest = 20\nx_range = 1.0\nw_range = 1.0\n\
         noise = 0.01\n[model]\nkind = \"linear\"\n[train]\niterations = 20\nl2 = 0.0\n{SGD}\n\
         {keys}"
    );
    history(&write_config(&folder.join(name), "regression", &task))
}

fn rates(history: &[HistoryRow]) -> Vec<f64> {
    history.iter().map(|row| row.learning_rate).collect()
}

#[track_caller]
fn near(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-15, "{found} not {expected}");
    }
}

#[test]
fn a_history_has_the_rate_of_the_last_step_of_each_epoch() {
    let folder = tempfile::tempdir().expect("a folder");
    let cosine = "schedule.cosine = { warmup = 0.1, end = 0.25 }";
    // Python: full = lambda t: 0.1 * (t / 2 if t < 2 else
    // 0.25 + 0.75 * 0.5 * (1 + math.cos(math.pi * (t - 2) / 18)))
    let full = |step: f64| {
        let passed = (step - 2.0) / 18.0;
        let share = 0.25 + 0.75 * 0.5 * (1.0 + (std::f64::consts::PI * passed).cos());
        0.1 * if step < 2.0 { step / 2.0 } else { share }
    };
    let images = rates(&classifier(folder.path(), "images", cosine));
    near(&images, &[5.0, 10.0, 15.0, 20.0].map(full));
    let rows = rates(&toy(folder.path(), "rows", cosine));
    let steps: Vec<f64> = (1..=20).map(|step| full(f64::from(step))).collect();
    near(&rows, &steps);
    assert_eq!((rows[0], rows[1], rows[19]), (0.05, 0.1, 0.025));

    let steps = "schedule.step = { warmup = 0.0, at = [0.5, 0.75], factor = 0.5 }";
    let images = rates(&classifier(folder.path(), "steps", steps));
    near(&images, &[0.1, 0.1, 0.05, 0.025]);
    let constant = rates(&classifier(folder.path(), "constant", ""));
    assert_eq!(constant, [0.1; 4]);
}

#[test]
fn a_gradient_below_the_largest_norm_is_not_changed_and_a_longer_one_is() {
    let folder = tempfile::tempdir().expect("a folder");
    for train in [classifier, toy] {
        let name = |name: &str| format!("{name}-{}", train as usize);
        let free = train(folder.path(), &name("free"), "");
        let loose = train(folder.path(), &name("loose"), "clip = 1e6");
        assert_eq!(free, loose);
        let tight = train(folder.path(), &name("tight"), "clip = 1e-3");
        // The weights hardly move: 20 steps of at most 0.1 * 1e-3 / (1 - 0.9) each.
        let last = |history: &[HistoryRow]| history.last().expect("a row").train_loss;
        let moved = |history: &[HistoryRow]| (last(history) - history[0].train_loss).abs();
        assert!(moved(&tight) < 0.1 * moved(&free), "{tight:?} {free:?}");
    }
}
