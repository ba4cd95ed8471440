//! `choices.toml`: the hyper-parameters that trials chose, with the scores of all candidates.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use toml::Value;

use crate::devices::{Backend, Precision};
use crate::error::{Error, Result};
use crate::results::{BURN_VERSION, VERSION};
use crate::write::write_atomic;

use super::document::{read_table, typed};
use super::size::Size;
use super::tuning::{Score, Settings};

/// The name of the file, in a tuned tree and in the folder of a study.
pub(crate) const CHOICES: &str = "choices.toml";

/// The content of `choices.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choices {
    /// The version of Kindling that trained the trials.
    pub version: String,
    /// The version of Burn that trained the trials.
    pub burn_version: String,
    /// The size of the trials.
    pub size: Size,
    /// The backend that trained the trials.
    pub backend: Backend,
    /// The precision in which it computed.
    pub precision: Precision,
    /// The choices, in the order of the study's cells.
    #[serde(rename = "cell", default)]
    pub cells: Vec<Choice>,
    /// The file that the choices were read from, for errors.
    #[serde(skip)]
    pub(crate) file: PathBuf,
}

/// What the trials of one cell chose.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// The name of the cell.
    pub name: String,
    /// The chosen values.
    pub settings: Settings,
    /// How often this candidate wins when the trial seeds are drawn again with replacement, in
    /// [0, 1]. In the rest of the draws another candidate wins.
    pub wins: f64,
    /// The keys whose chosen value is the smallest or the largest of the grid. A better value
    /// may lie outside the grid.
    pub edge: Vec<String>,
    /// The score by which the candidates were compared.
    pub score: Score,
    /// The number of validation images, or rows.
    pub validation: usize,
    /// The seeds of the trials.
    pub seeds: Vec<u64>,
    /// The hash of the cell's config with the chosen values, for seed 0 on the default
    /// backend. If another value of the cell changes, the hash changes.
    pub config: String,
    /// The fingerprint of the data of the trials.
    pub data: String,
    /// All candidates, in the order of the grid.
    pub candidates: Vec<CandidateScores>,
}

/// A candidate and the scores of its trials.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CandidateScores {
    /// The values of the candidate.
    pub settings: Settings,
    /// The mean of `scores`. It is NaN if a trial diverged.
    pub mean: f64,
    /// How often the candidate wins when the trial seeds are drawn again, in [0, 1].
    pub wins: f64,
    /// The score of each trial, in the order of the seeds. It is NaN if the trial diverged.
    pub scores: Vec<f64>,
}

impl Choices {
    /// No choices, of today's versions and on the default backend. `file` is the file that is
    /// to hold them.
    pub fn none(file: &Path, size: Size) -> Self {
        Self {
            version: VERSION.into(),
            burn_version: BURN_VERSION.into(),
            size,
            backend: Backend::default(),
            precision: Precision::default(),
            cells: Vec::new(),
            file: file.to_path_buf(),
        }
    }

    /// Reads a file of choices.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or is malformed.
    pub fn read(path: &Path) -> Result<Self> {
        let choices: Self = typed(read_table(path)?, &path.display().to_string())?;
        Ok(Self {
            file: path.to_path_buf(),
            ..choices
        })
    }

    /// The choice for the cell of this name.
    pub fn of(&self, cell: &str) -> Option<&Choice> {
        self.cells.iter().find(|choice| choice.name == cell)
    }

    /// The file that the choices were read from.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The version of Kindling or Burn that trained the trials, if it is not today's.
    pub(crate) fn other_version(&self) -> Option<String> {
        if self.version != VERSION {
            return Some(format!("version {} of Kindling", self.version));
        }
        let is_other = self.burn_version != BURN_VERSION;
        is_other.then(|| format!("Burn {}", self.burn_version))
    }

    /// Writes the choices to a file.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        write_atomic(path, self.to_toml().as_bytes())
    }

    /// The choices as TOML, with one line for each candidate.
    pub fn to_toml(&self) -> String {
        let mut text = format!(
            "# Hyper-parameters that `cargo xtask tune` chose, with the scores of all trials. \
             Copy this file\n# into the folder of the configs to use the choices without \
             training a trial again.\n\nversion = {}\nburn_version = {}\nsize = {}\nbackend = {}\n\
             precision = {}\n",
            inline(&self.version),
            inline(&self.burn_version),
            inline(self.size),
            inline(self.backend),
            inline(self.precision),
        );
        for choice in &self.cells {
            let _ = write!(
                text,
                "\n[[cell]]\nname = {}\nsettings = {}\nwins = {}\nedge = {}\nscore = {}\n\
                 validation = {}\nseeds = {}\nconfig = {}\ndata = {}\ncandidates = [\n",
                inline(&choice.name),
                inline(&choice.settings),
                inline(choice.wins),
                inline(&choice.edge),
                inline(choice.score),
                choice.validation,
                inline(&choice.seeds),
                inline(&choice.config),
                inline(&choice.data),
            );
            for candidate in &choice.candidates {
                let _ = writeln!(
                    text,
                    "    {{ settings = {}, mean = {}, wins = {}, scores = {} }},",
                    inline(&candidate.settings),
                    inline(candidate.mean),
                    inline(candidate.wins),
                    inline(&candidate.scores),
                );
            }
            text += "]\n";
        }
        text
    }
}

/// A value as TOML in one line.
fn inline(value: impl Serialize) -> String {
    // No value of these types is without a TOML form.
    Value::try_from(value).map_or_else(|_| "\"\"".into(), |value| value.to_string())
}

impl Choice {
    /// How this choice differs from what `tuning.toml` searches today; `None` if it does not.
    pub(crate) fn difference(
        &self,
        score: Score,
        validation: usize,
        seeds: &[u64],
        candidates: &[&Settings],
    ) -> Option<&'static str> {
        let own = self.candidates.iter().map(|candidate| &candidate.settings);
        if !own.eq(candidates.iter().copied()) {
            Some("another grid of candidates")
        } else if self.seeds != seeds {
            Some("other seeds of trials")
        } else if self.score != score {
            Some("another score")
        } else if self.validation != validation {
            Some("another number of validation images")
        } else {
            None
        }
    }

    /// The error that the trials of this choice used other data than those of `fingerprint`.
    /// `file` is the file of the choice.
    ///
    /// # Errors
    ///
    /// If the data differ.
    pub fn check_data(&self, fingerprint: &str, file: &Path) -> Result<()> {
        if self.data == fingerprint {
            return Ok(());
        }
        Err(stale(file, &self.name, "other data"))
    }
}

/// The error that the choice for `cell` in `file` was made with something that differs today.
pub(crate) fn stale(file: &Path, cell: &str, with: &str) -> Error {
    Error::file(
        file,
        format!(
            "the choice for {cell} was made with {with}; run `cargo xtask tune --cell {cell}`, \
             with the other flags of this command"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choices() -> Choices {
        let settings =
            |rate: f64| Settings::from([("train.optimizer.sgd.learning_rate".into(), rate)]);
        let candidate = |rate, scores: &[f64]| CandidateScores {
            settings: settings(rate),
            mean: scores.iter().sum::<f64>() / scores.len() as f64,
            wins: 0.25,
            scores: scores.into(),
        };
        Choices {
            version: "0.0.1".into(),
            burn_version: "0.0.2".into(),
            size: Size::Quick,
            backend: Backend::Flex,
            precision: Precision::Full,
            cells: vec![Choice {
                name: "dropout-0.1".into(),
                settings: settings(1.0),
                wins: 0.75,
                edge: vec!["train.optimizer.sgd.learning_rate".into()],
                score: Score::ValidationAccuracy,
                validation: 100,
                seeds: vec![1000, 1001],
                config: "c".into(),
                data: "d".into(),
                candidates: vec![
                    candidate(0.1, &[0.1 + 0.2, 0.5]),
                    candidate(1.0, &[1.0, 0.5]),
                ],
            }],
            file: PathBuf::new(),
        }
    }

    #[test]
    fn choices_are_read_back_as_they_were_written() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("tuned").join(CHOICES);
        let mut written = choices();
        written.write(&path).expect("writes");
        written.file = path.clone();
        let read = Choices::read(&path).expect("reads");
        assert_eq!(read, written);
        assert_eq!(read.of("dropout-0.1"), Some(&written.cells[0]));
        assert_eq!(read.of("dropout-0.2"), None);
        // A diverged trial has no score.
        written.cells[0].candidates[1].scores[1] = f64::NAN;
        written.write(&path).expect("writes");
        let read = Choices::read(&path).expect("reads");
        assert!(read.cells[0].candidates[1].scores[1].is_nan());
        std::fs::write(&path, "version = 1").expect("writes");
        let error = Choices::read(&path).expect_err("malformed").to_string();
        assert!(
            error.contains(CHOICES) && error.contains("version"),
            "{error}"
        );
    }

    #[test]
    fn a_choice_says_how_it_differs() {
        let choice = &choices().cells[0];
        let own: Vec<&Settings> = choice.candidates.iter().map(|one| &one.settings).collect();
        let accuracy = Score::ValidationAccuracy;
        let differs = |score, validation, seeds: &[u64], candidates: &[&Settings]| {
            choice.difference(score, validation, seeds, candidates)
        };
        assert_eq!(differs(accuracy, 100, &[1000, 1001], &own), None);
        for (difference, words) in [
            (differs(accuracy, 100, &[1000, 1001], &own[..1]), "grid"),
            (differs(accuracy, 100, &[1000], &own), "seeds"),
            (differs(accuracy, 99, &[1000, 1001], &own), "images"),
            (
                differs(Score::ValidationLoss, 100, &[1000, 1001], &own),
                "score",
            ),
        ] {
            assert!(
                difference.is_some_and(|text| text.contains(words)),
                "{words}"
            );
        }
        assert!(choice.check_data("d", Path::new("f")).is_ok());
        let error = choice.check_data("e", Path::new("f")).expect_err("differs");
        let error = error.to_string();
        assert!(
            error.contains("cargo xtask tune --cell dropout-0.1"),
            "{error}"
        );
    }
}
