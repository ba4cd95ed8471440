//! Reads the records of trials, and chooses the candidate of each cell.

use kindling_formats::{
    CandidateScores, CellTrials, Choice, Layout, Record, RunConfig, RunData, Selection, Settings,
    Study, Tree,
};

use super::winner::winner;
use crate::slot::{Recorded, RunSlot};
use crate::{Result, RunnerError};

/// What the trials of a cell say.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// A candidate was chosen.
    Chosen(Box<Choice>),
    /// Trials have no result: the names of those that failed, each with its error, and the
    /// number of the others.
    Open {
        /// The trials that failed.
        failed: Vec<(String, String)>,
        /// The number of trials that are not trained, or not trained to their end.
        missing: usize,
    },
    /// Every candidate has a trial that diverged.
    Diverged,
}

/// A cell and what its trials say.
#[derive(Debug, Clone, PartialEq)]
pub struct CellOutcome {
    /// The name of the cell.
    pub cell: String,
    /// What its trials say.
    pub outcome: Outcome,
}

/// What the trials in the tree `layout` say about each of the cells `trials`. `selection` says
/// how the trials differ from the study's files.
///
/// # Errors
///
/// If a config is not valid, or a file of the tree cannot be read.
pub fn choose_cells(
    study: &Study,
    trials: &[CellTrials],
    selection: &Selection,
    layout: &Layout,
) -> Result<Vec<CellOutcome>> {
    let tree = Tree::read(layout)?;
    let outcomes = trials.iter().map(|one| {
        Ok(CellOutcome {
            cell: one.cell.name.clone(),
            outcome: outcome(study, one, selection, layout, &tree)?,
        })
    });
    outcomes.collect()
}

fn outcome(
    study: &Study,
    trials: &CellTrials,
    selection: &Selection,
    layout: &Layout,
    tree: &Tree,
) -> Result<Outcome> {
    let configs = study.trial_configs(std::slice::from_ref(trials), selection)?;
    let mut scores = Vec::with_capacity(configs.len());
    let (mut failed, mut missing) = (Vec::new(), 0);
    let mut data = String::new();
    for config in configs {
        let Some(fingerprint) = tree.fingerprint(&config) else {
            missing += 1;
            continue;
        };
        data = fingerprint.to_string();
        match read_trial(&config, fingerprint, layout)? {
            Trial::Complete(record) => {
                // A complete trial without a finite score is as bad as a diverged one.
                let score = record.number(trials.search.score.name());
                let score = score.filter(|score| score.is_finite());
                scores.push(score.unwrap_or(f64::NAN));
            }
            Trial::Diverged => scores.push(f64::NAN),
            Trial::Failed(error) => {
                failed.push((format!("{} {}", config.cell, config.seed), error))
            }
            Trial::Missing => missing += 1,
        }
    }
    if missing > 0 || !failed.is_empty() {
        return Ok(Outcome::Open { failed, missing });
    }
    let scores: Vec<Vec<f64>> = scores
        .chunks(trials.seeds.len())
        .map(<[f64]>::to_vec)
        .collect();
    let Some(winner) = winner(trials.search.score, &scores) else {
        return Ok(Outcome::Diverged);
    };
    let chosen = &trials.candidates[winner.index].settings;
    let candidates = trials.candidates.iter().zip(&scores).enumerate();
    let candidates = candidates.map(|(index, (candidate, scores))| CandidateScores {
        settings: candidate.settings.clone(),
        mean: winner.means[index],
        wins: winner.wins[index],
        scores: scores.clone(),
    });
    Ok(Outcome::Chosen(Box::new(Choice {
        name: trials.cell.name.clone(),
        settings: chosen.clone(),
        wins: winner.wins[winner.index],
        edge: edge(trials, chosen),
        score: trials.search.score,
        validation: trials.validation,
        seeds: trials.seeds.to_vec(),
        config: study.choice_hash(trials.cell, selection, chosen)?,
        data,
        candidates: candidates.collect(),
    })))
}

/// The keys whose chosen value is the smallest or the largest of several.
fn edge(trials: &CellTrials, chosen: &Settings) -> Vec<String> {
    let is_at_edge = |key: &&str| {
        let values = || {
            let all = trials.candidates.iter();
            all.filter_map(|candidate| candidate.settings.get(*key).copied())
        };
        let (low, high) = values()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                (low.min(value), high.max(value))
            });
        let value = chosen.get(*key).copied();
        low < high && (value == Some(low) || value == Some(high))
    };
    trials
        .keys()
        .filter(is_at_edge)
        .map(str::to_string)
        .collect()
}

/// The state of a trial.
enum Trial {
    Complete(Box<Record>),
    Diverged,
    Failed(String),
    Missing,
}

fn read_trial(config: &RunConfig, fingerprint: &str, layout: &Layout) -> Result<Trial> {
    // What the images are matters for training alone.
    let data = RunData {
        fingerprint: fingerprint.to_string(),
        info: None,
    };
    let run = RunSlot::new(config.clone(), data, layout);
    if run.recorded() == Recorded::Complete {
        let record = run.result.read_record().map_err(RunnerError::from)?;
        return Ok(record.map_or(Trial::Missing, |record| Trial::Complete(Box::new(record))));
    }
    if run.has_diverged() {
        return Ok(Trial::Diverged);
    }
    // A record that cannot be read is written again by the next training.
    let record = run.training.read_record().ok().flatten();
    let of_this = record.filter(|record| record.config_hash == config.hash());
    Ok(match of_this {
        Some(record) if record.status.is_failure() => {
            Trial::Failed(record.error.unwrap_or_else(|| "the training failed".into()))
        }
        _ => Trial::Missing,
    })
}
