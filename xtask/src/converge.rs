//! `cargo xtask converge`: the same cells trained on several backends, and
//! whether they learned equally well.

use std::process::ExitCode;

use anyhow::anyhow;
use kindling_spec::{Backend, Host, Layout, RunConfig, Selection, Setting, Size, Task};

use crate::child::Setup;
use crate::flags::Converge;
use crate::kindling::{Build, Kindling};
use crate::lock::Claim;
use crate::runs::Run;
use crate::stop::{Outcome, Stop};
use crate::{matrix, say, workspace};

/// The cells that are trained where none is named.
const CELLS: [&str; 2] = ["mlp", "convnet"];
/// On so many images.
const IMAGES: &str = "data.train=10000";
/// Test images where a config does not say.
const TESTS: usize = 10_000;

/// Trains, prints a line a cell and backend, and compares.
pub fn run(flags: &Converge) -> Outcome {
    let (build, first, others) = flags.compared.build()?;
    let backends = [vec![first], others].concat();
    let out = workspace::out(&flags.folders)?.join("converge");
    let claim = Claim::take(&out, ".lock", "--out")?;
    let ready = prepare(flags, &build, &backends);
    let (_claim, (kindling, runs)) = claim.keep_if(ready)?;
    let setup = |kindling: &Kindling, jobs: usize| Setup {
        kindling: kindling.clone(),
        threads: (Host::cores() / jobs).max(1),
        revision: workspace::revision(),
    };
    // accuracies[backend][cell][seed]
    let mut accuracies: Vec<Vec<Vec<f64>>> = Vec::new();
    for (backend, configs) in backends.iter().zip(runs) {
        let layout = Layout::new(&out.join(backend.name()), Size::Full);
        let kindling = kindling.on((*backend).into());
        let fingerprints = kindling.fingerprints(&configs)?;
        let runs: Vec<Run> = configs
            .into_iter()
            .zip(fingerprints)
            .map(|(config, fingerprint)| Run::new(config, fingerprint, &layout))
            .collect();
        let jobs = Host::cores().min(runs.len());
        say::err(format_args!("training on {backend}"));
        let ended = matrix::train(&runs, &setup(&kindling, jobs), jobs);
        let mut found: Vec<f64> = Vec::new();
        for (run, ended) in runs.iter().zip(&ended) {
            match (&ended.failure, ended.record.test_accuracy) {
                (None, Some(accuracy)) => found.push(accuracy),
                (failure, _) => {
                    let why = failure.as_deref().unwrap_or("it has no accuracy");
                    return Err(anyhow!("{} on {backend}: {why}", run.name()).into());
                }
            }
        }
        let seeds = flags.seeds as usize;
        accuracies.push(found.chunks(seeds).map(<[f64]>::to_vec).collect());
    }
    Ok(compare(&names(flags), &backends, &accuracies))
}

fn names(flags: &Converge) -> Vec<String> {
    if flags.cells.is_empty() {
        return CELLS.map(String::from).to_vec();
    }
    flags.cells.clone()
}

/// The runs of each backend, in the order of cells, then seeds; and what trains
/// them.
fn prepare(
    flags: &Converge,
    build: &Build,
    backends: &[Backend],
) -> Result<(Kindling, Vec<Vec<RunConfig>>), Stop> {
    let study = workspace::study(&flags.folders)?;
    let images: Setting = IMAGES.parse().map_err(|error: String| anyhow!(error))?;
    let set = [vec![images], flags.changes.set.clone()].concat();
    let data = workspace::data(flags.changes.data.as_deref())?;
    let mut all = Vec::new();
    for &backend in backends {
        let selection = Selection {
            only: Vec::new(),
            seeds: None,
            size: Size::Full,
            backend,
            data: data.clone(),
            set: set.clone(),
        };
        let mut runs = Vec::new();
        for name in names(flags) {
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
        all.push(runs);
    }
    let configs = all.first().map_or(&[][..], Vec::as_slice);
    let (kindling, _) = Kindling::ready(build, configs)?;
    let devices: Vec<_> = backends.iter().map(|&backend| backend.into()).collect();
    kindling.check(&devices)?;
    Ok((kindling, all))
}

fn compare(cells: &[String], backends: &[Backend], accuracies: &[Vec<Vec<f64>>]) -> ExitCode {
    let mut equal = true;
    say::out(format_args!(
        "{:<14}  {:<8}  {:>8}  {:>10}  {:>6}",
        "cell", "backend", "accuracy", "difference", "noise"
    ));
    for (at, cell) in cells.iter().enumerate() {
        let mean = |of: &[Vec<f64>]| of[at].iter().sum::<f64>() / of[at].len() as f64;
        let reference = mean(&accuracies[0]);
        let noise = noise(reference, TESTS);
        for (backend, of) in backends.iter().zip(accuracies) {
            let difference = mean(of) - reference;
            let apart = difference.abs() > noise;
            equal &= !apart;
            say::out(format_args!(
                "{cell:<14}  {:<8}  {:>8.4}  {difference:>+10.4}  {noise:>6.4}{}",
                backend.name(),
                mean(of),
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
