//! `tuning.toml`: what is searched for the cells of each family, and how trials are scored.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

use super::cell::Cell;
use super::document::{read_table, typed};
use super::families::Task;
use super::keys::{NOT_SETTABLE, value_at};
use super::sweep::MAX_COUNT;

/// The name of the file, in the folder of a study.
pub(crate) const TUNING: &str = "tuning.toml";

/// The largest number of trial seeds. All draws of so many seeds can be counted.
const MAX_SEEDS: usize = 10;

/// The largest number of candidates of a cell.
const MAX_CANDIDATES: usize = 1000;

/// `tuning.toml`: the keys that tuning searches, and how it chooses.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tuning {
    /// The seeds of the trials: two to ten numbers from 1000 on, because the seeds of final
    /// runs are below 1000.
    pub seeds: Vec<u64>,
    /// What `--quick` changes.
    pub(crate) quick: QuickTuning,
    /// What is searched for the cells of a family, by the name of the family. The cells of a
    /// family without an entry are not tuned.
    pub search: BTreeMap<String, Search>,
}

/// `[quick]` of `tuning.toml`: what `--quick` changes in trials, besides `[quick]` of
/// `study.toml`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct QuickTuning {
    /// The number of validation images, or of validation rows.
    pub validation: usize,
}

/// What is searched for the cells of one family.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Search {
    /// The number by which candidates are compared.
    pub score: Score,
    /// How many training images, or rows, are left out of the training of a trial and used to
    /// score it.
    pub(crate) validation: usize,
    /// The candidates of each key, in ascending order. The key is a dotted path, as
    /// `train.optimizer.sgd.learning_rate`. A cell uses the keys that its file has, and
    /// several keys make a grid.
    pub candidates: BTreeMap<String, Vec<f64>>,
}

/// The number of a trial's record by which candidates are compared, after the last epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Score {
    /// The accuracy on the validation images. A higher one is better.
    ValidationAccuracy,
    /// The mean loss on the validation images, or rows. A lower one is better.
    ValidationLoss,
}

impl Score {
    /// The name of the number in records and in `tuning.toml`.
    pub fn name(self) -> &'static str {
        match self {
            Score::ValidationAccuracy => "validation_accuracy",
            Score::ValidationLoss => "validation_loss",
        }
    }

    /// Whether the mean score `a` is better than the mean score `b`. A score that is NaN is
    /// that of a diverged trial: it is worse than every other score.
    pub fn is_better(self, a: f64, b: f64) -> bool {
        match self {
            _ if a.is_nan() => false,
            _ if b.is_nan() => true,
            Score::ValidationAccuracy => a > b,
            Score::ValidationLoss => a < b,
        }
    }
}

/// The values that a candidate, or a choice, gives to keys of a cell, by dotted path.
pub type Settings = BTreeMap<String, f64>;

/// One point of the grid that is searched for a cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The values by the last parts of their keys, as in `learning_rate=0.04`. It is unique
    /// among the candidates of a cell, and is a part of the names of folders.
    pub name: String,
    /// The values.
    pub settings: Settings,
}

impl Tuning {
    /// Reads `tuning.toml` in the folder of a study; `None` if there is no such file.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or is malformed, or a value makes no sense.
    pub(crate) fn read(folder: &Path) -> Result<Option<Self>> {
        let path = folder.join(TUNING);
        if !path.exists() {
            return Ok(None);
        }
        let origin = path.display().to_string();
        let tuning: Self = typed(read_table(&path)?, &origin)?;
        tuning
            .check()
            .map_err(|(key, problem)| Error::key(&origin, key, problem))?;
        Ok(Some(tuning))
    }

    fn check(&self) -> std::result::Result<(), (String, String)> {
        let fail = |key: &str, problem: String| Err((key.to_string(), problem));
        let seeds = &self.seeds;
        if seeds.iter().collect::<BTreeSet<_>>().len() != seeds.len()
            || !(2..=MAX_SEEDS).contains(&seeds.len())
        {
            return fail(
                "seeds",
                format!("must be a list of 2 to {MAX_SEEDS} different seeds"),
            );
        }
        let first = MAX_COUNT as u64;
        if let Some(seed) = seeds
            .iter()
            .find(|seed| !(first..=i64::MAX as u64).contains(seed))
        {
            return fail(
                "seeds",
                format!(
                    "{seed} may be the seed of a final run, and a trial must not share its random \
                     numbers; name seeds from {first} on"
                ),
            );
        }
        if self.quick.validation == 0 {
            return fail("quick.validation", "must be at least 1, not 0".into());
        }
        for (family, search) in &self.search {
            if !Task::FAMILIES.contains(&family.as_str()) {
                return fail(
                    &format!("search.{family}"),
                    format!("is not a family; use {}", Task::FAMILIES.join(", ")),
                );
            }
            search
                .check()
                .map_err(|(key, problem)| (format!("search.{family}.{key}"), problem))?;
        }
        Ok(())
    }

    /// What is searched for `cell`; `None` if its family is not tuned.
    pub(crate) fn search_of(&self, cell: &Cell) -> Option<&Search> {
        self.search.get(cell.family()?)
    }
}

impl Search {
    fn check(&self) -> std::result::Result<(), (String, String)> {
        let fail = |key: String, problem: String| Err((key, problem));
        if self.validation == 0 {
            return fail("validation".into(), "must be at least 1, not 0".into());
        }
        if self.candidates.is_empty() {
            return fail(
                "candidates".into(),
                "must name a key with its candidates, as in \
                 \"train.optimizer.sgd.learning_rate\" = [0.01, 0.1]"
                    .into(),
            );
        }
        for (path, values) in &self.candidates {
            let key = format!("candidates.\"{path}\"");
            let first = path.split('.').next().unwrap_or_default();
            if NOT_SETTABLE.contains(&first)
                || first == "data"
                || path.split('.').any(str::is_empty)
            {
                return fail(
                    key,
                    "must be the dotted path of a key below [model] or [train]".into(),
                );
            }
            let ascends = values.windows(2).all(|pair| pair[0] < pair[1]);
            if values.is_empty() || !ascends || !values.iter().all(|value| value.is_finite()) {
                return fail(
                    key,
                    "must be a list of different numbers in ascending order".into(),
                );
            }
        }
        Ok(())
    }

    /// The candidates of `cell`: the grid of all keys that the cell has, smaller values first.
    /// It is empty if the cell has none of the keys.
    ///
    /// # Errors
    ///
    /// The number of candidates, if it is too large.
    pub(crate) fn candidates_of(&self, cell: &Cell) -> std::result::Result<Vec<Candidate>, usize> {
        let keys: Vec<(&String, &Vec<f64>)> = self
            .candidates
            .iter()
            .filter(|(path, _)| value_at(&cell.table, path).is_some())
            .collect();
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let count = keys.iter().fold(1_usize, |count, (_, values)| {
            count.saturating_mul(values.len())
        });
        if count > MAX_CANDIDATES {
            return Err(count);
        }
        let leaf = |path: &str| path.rsplit('.').next().unwrap_or(path).to_string();
        let leaves: BTreeSet<String> = keys.iter().map(|(path, _)| leaf(path)).collect();
        let has_twins = leaves.len() < keys.len();
        let mut grid = vec![Candidate {
            name: String::new(),
            settings: Settings::new(),
        }];
        for (path, values) in keys {
            let key = if has_twins { path.clone() } else { leaf(path) };
            let points = grid.iter().flat_map(|point| {
                values.iter().map(|value| {
                    let comma = if point.name.is_empty() { "" } else { "," };
                    let mut settings = point.settings.clone();
                    settings.insert(path.clone(), *value);
                    Candidate {
                        name: format!("{}{comma}{key}={value}", point.name),
                        settings,
                    }
                })
            });
            grid = points.collect();
        }
        Ok(grid)
    }
}
