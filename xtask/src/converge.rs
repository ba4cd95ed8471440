//! `cargo xtask converge`: the same cells trained on several backends, and
//! whether they learned equally well.

use std::process::ExitCode;

use anyhow::anyhow;
use kindling_formats::{DeviceName, Layout, Precision, RunConfig, Selection, Setting, Size, Task};

use crate::flags::Converge;
use crate::kindling::Kindling;
use crate::lock::Claim;
use crate::stop::{Outcome, Stop};
use crate::{experiments, runs, say, select, workspace};

/// The cells that are trained where none is named.
const CELLS: [&str; 2] = ["mlp", "convnet"];
/// On so many images.
const IMAGES: &str = "data.train=10000";
/// Test images where a config does not say.
const TESTS: usize = 10_000;

/// Trains, compares, and prints a line a cell and device.
pub fn run(flags: &Converge) -> Outcome {
    let build = flags.compared.build()?;
    let devices = &build.devices;
    let trainings: Vec<Vec<RunConfig>> = devices
        .iter()
        .map(|&device| configs(flags, device))
        .collect::<Result<_, _>>()?;
    let out = workspace::out(&flags.folders)?.join("converge");
    let claim = Claim::take(&out.join(".lock"), "--out")?;
    let tree = |device: &DeviceName| {
        let out = out.join(device.to_string().replace(':', ""));
        Layout::new(&out, Size::Full)
    };
    let ready = || {
        for device in devices {
            runs::refuse_foreign(&tree(device))?;
        }
        Kindling::ready(&build, &trainings[0])
    };
    let (_claim, (kindling, fingerprints)) = claim.keep_if(ready())?;
    let mut accuracies = Vec::new();
    for (&device, configs) in devices.iter().zip(&trainings) {
        say::note(format_args!("training on {device}"));
        let layout = tree(&device);
        accuracies.push(train(kindling.on(device), configs, &fingerprints, &layout)?);
    }
    Ok(compare(&trainings[0], devices, &accuracies))
}

/// The runs on a backend: of each cell, each seed.
fn configs(flags: &Converge, device: DeviceName) -> Result<Vec<RunConfig>, Stop> {
    let study = workspace::study(&flags.folders)?;
    let images: Setting = IMAGES.parse().map_err(|error: String| anyhow!(error))?;
    let chosen = select::selection(&flags.changes, Size::Full, device, Precision::Full)?;
    let selection = Selection {
        set: [vec![images], chosen.set].concat(),
        ..chosen
    };
    let names = if flags.cells.is_empty() {
        CELLS.map(String::from).to_vec()
    } else {
        flags.cells.clone()
    };
    let mut runs = Vec::new();
    for name in names {
        let cell = study.cell(&name).map_err(Stop::input)?;
        for seed in 0..flags.seeds {
            let run = study.resolve(cell, seed, &selection).map_err(Stop::input)?;
            if !matches!(run.task, Task::Classifier(_)) {
                return Err(Stop::input(anyhow!(
                    "{name} has no accuracy; name cells that classify"
                )));
            }
            runs.push(run);
        }
    }
    Ok(runs)
}

/// The test accuracy of each run.
fn train(
    kindling: Kindling,
    configs: &[RunConfig],
    fingerprints: &[String],
    layout: &Layout,
) -> anyhow::Result<Vec<f64>> {
    let out = layout.out();
    let runs = experiments::plan(configs.to_vec(), fingerprints.to_vec(), layout);
    let jobs = experiments::at_a_time(&runs, None);
    let ended = experiments::train(kindling, &runs, jobs, true);
    let accuracies = runs.iter().zip(ended).map(|(run, ended)| {
        let failed = |why: &str| anyhow!("{} in {}: {why}", run.name(), workspace::shown(out));
        match (ended.failure, ended.record) {
            (Some(why), _) => Err(failed(&why)),
            (None, None) => Err(failed("it was stopped")),
            (None, Some(record)) => record
                .test_accuracy
                .ok_or_else(|| failed("it has no accuracy")),
        }
    });
    accuracies.collect()
}

/// Prints each cell's mean accuracy on each device, beside the first's.
/// `accuracies[device][run]` is in the order of `runs`.
fn compare(runs: &[RunConfig], devices: &[DeviceName], accuracies: &[Vec<f64>]) -> ExitCode {
    let mut equal = true;
    say::out(format_args!(
        "{:<14}  {:<8}  {:>8}  {:>10}  {:>6}",
        "cell", "device", "accuracy", "difference", "noise"
    ));
    let mut start = 0;
    for seeds in runs.chunk_by(|one, other| one.cell == other.cell) {
        let of_cell = start..start + seeds.len();
        start += seeds.len();
        let mean = |all: &[f64]| all[of_cell.clone()].iter().sum::<f64>() / seeds.len() as f64;
        let reference = mean(&accuracies[0]);
        let tests = seeds[0].images().and_then(|images| images.test);
        let noise = noise(reference, tests.unwrap_or(TESTS));
        for (device, accuracies) in devices.iter().zip(accuracies) {
            let difference = mean(accuracies) - reference;
            // What is no number is apart.
            let apart = !difference.is_finite() || noise.is_nan() || difference.abs() > noise;
            equal &= !apart;
            say::out(format_args!(
                "{:<14}  {:<8}  {:>8.4}  {difference:>+10.4}  {noise:>6.4}{}",
                seeds[0].cell,
                device.to_string(),
                mean(accuracies),
                if apart { "  apart" } else { "" }
            ));
        }
    }
    if equal {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Two standard errors of the difference between two shares of hits, each on
/// `tests` images of its own. Ours are the same images, so the true error is
/// smaller.
fn noise(share: f64, tests: usize) -> f64 {
    2.0 * (2.0 * share * (1.0 - share) / tests as f64).sqrt()
}
