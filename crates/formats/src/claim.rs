//! `claims.toml`: the sentences of the study, each as a test over records.

use std::path::Path;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::{read_table, typed};
use crate::{Error, Record, Result, Study};

/// A sentence, and what would make it true.
///
/// For every seed its value is that of [`Claim::left`] alone, or the difference
/// `left - right`, or the ratio `left / right`. The sentence holds where the mean
/// of that over seeds lies within the bounds; with `over = "every run"`, where each of
/// these values does.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// A short name of its own, as `mlp-beats-linear`.
    pub id: String,
    /// The section it belongs to.
    pub section: String,
    /// The sentence.
    pub says: String,
    /// What the original study reported, where it did.
    pub original: Option<String>,
    /// What is measured.
    pub left: Term,
    /// What it is measured against.
    pub right: Option<Term>,
    /// How the two are compared.
    #[serde(default)]
    pub by: Comparison,
    /// What has to lie within the bounds.
    #[serde(default)]
    pub over: Over,
    /// The least value that makes it true.
    pub at_least: Option<f64>,
    /// The largest value that makes it true.
    pub at_most: Option<f64>,
}

/// How two terms are compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Comparison {
    /// left - right
    #[default]
    Difference,
    /// left / right
    Ratio,
}

/// What of a claim's values has to lie within its bounds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum Over {
    /// Their mean over all seeds there could be: judged by an interval.
    #[default]
    #[serde(rename = "seeds")]
    Seeds,
    /// Each of them: a fact, as that a gradient is exactly zero.
    #[serde(rename = "every run")]
    EveryRun,
}

/// A number that each seed has: a figure of a cell, or one chosen among several
/// cells.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Term {
    /// The cells.
    pub cells: Vec<String>,
    /// The figure: see [`figure`].
    pub of: String,
    /// Which of several cells' figures.
    #[serde(default)]
    pub take: Take,
    /// Only cells whose test accuracy is at most this far below that of the best
    /// of the claim's cells.
    pub within: Option<f64>,
}

/// One number out of several.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Take {
    /// Their mean.
    #[default]
    Mean,
    /// The smallest.
    Smallest,
    /// The largest.
    Largest,
}

/// Figures that every record has room for.
const FIGURES: [&str; 7] = [
    "train_loss",
    "test_loss",
    "train_accuracy",
    "test_accuracy",
    "loss_gap",
    "parameters",
    "seconds",
];

/// The figure `name` of a record: a loss, an accuracy, `loss_gap` (the distance
/// between train and test loss), `parameters`, `seconds`, or one of the metrics of
/// its family.
pub fn figure(record: &Record, name: &str) -> Option<f64> {
    match name {
        "train_loss" => record.train_loss,
        "test_loss" => record.test_loss,
        "train_accuracy" => record.train_accuracy,
        "test_accuracy" => record.test_accuracy,
        "loss_gap" => Some((record.test_loss? - record.train_loss?).abs()),
        "parameters" => Some(record.parameters as f64),
        "seconds" => Some(record.seconds),
        metric => record.metrics.get(metric).copied(),
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClaimsFile {
    /// A sentence each.
    claim: Vec<Claim>,
}

/// Reads the claims of a study from `claims.toml` in its folder; none where
/// there is no such file.
///
/// # Errors
///
/// If the file cannot be read, or a claim is malformed, names a cell or a
/// section that the study has not, or could never be false or true.
pub(crate) fn read(folder: &Path, study: &Study) -> Result<Vec<Claim>> {
    let path = folder.join(CLAIMS);
    if !path.exists() {
        return Ok(Vec::new());
    }
    let origin = path.display().to_string();
    let ClaimsFile { claim: claims } = typed(read_table(&path)?, &origin)?;
    for (index, claim) in claims.iter().enumerate() {
        let fail = |key: &str, problem: String| {
            Err(Error::key(
                &origin,
                format!("claim {}: {key}", claim.id),
                problem,
            ))
        };
        if claim.id.is_empty() || claims[..index].iter().any(|twin| twin.id == claim.id) {
            return fail("id", "every claim needs a name of its own".into());
        }
        if !study
            .sections
            .iter()
            .any(|section| section.id == claim.section)
        {
            return fail(
                "section",
                "must be the id of a [[section]] in study.toml".into(),
            );
        }
        if claim.at_least.is_none() && claim.at_most.is_none() {
            return fail("at_least", "give `at_least`, `at_most`, or both".into());
        }
        if !claim.bounds().is_some_and(|(low, high)| low <= high) {
            return fail("at_least", "must be a number not above `at_most`".into());
        }
        if claim.right.is_none() && claim.by == Comparison::Ratio {
            return fail("by", "a ratio needs `right`".into());
        }
        for (name, term) in claim.terms() {
            if term.cells.is_empty() {
                return fail(&format!("{name}.cells"), "name at least one cell".into());
            }
            for cell in &term.cells {
                if let Err(error) = study.cell(cell) {
                    return fail(&format!("{name}.cells"), error.to_string());
                }
            }
            // A metric is its family's own affair; a slip in a common one is not.
            let close = |known: &&&str| {
                let likeness = strsim::normalized_damerau_levenshtein(known, &term.of);
                likeness > 0.8 && likeness < 1.0
            };
            if let Some(known) = FIGURES.iter().find(close) {
                return fail(&format!("{name}.of"), format!("did you mean `{known}`?"));
            }
            if term
                .within
                .is_some_and(|within| within.is_nan() || within < 0.0)
            {
                return fail(&format!("{name}.within"), "must be at least 0".into());
            }
        }
    }
    Ok(claims)
}

impl Claim {
    /// Both ends of what makes it true; `None` if one is no number.
    pub fn bounds(&self) -> Option<(f64, f64)> {
        let low = self.at_least.unwrap_or(f64::NEG_INFINITY);
        let high = self.at_most.unwrap_or(f64::INFINITY);
        (!low.is_nan() && !high.is_nan()).then_some((low, high))
    }

    /// Its terms, by their keys.
    pub fn terms(&self) -> impl Iterator<Item = (&'static str, &Term)> {
        let right = self.right.iter().map(|term| ("right", term));
        std::iter::once(("left", &self.left)).chain(right)
    }

    /// Whether it rests on numbers of parameters alone, which no seed changes.
    pub fn is_of_parameters(&self) -> bool {
        self.terms()
            .all(|(_, term)| term.of == "parameters" && term.within.is_none())
    }

    /// The cells whose records it rests on, each once.
    pub fn cells(&self) -> Vec<&str> {
        let mut cells: Vec<&str> = Vec::new();
        for cell in self.terms().flat_map(|(_, term)| &term.cells) {
            if !cells.contains(&cell.as_str()) {
                cells.push(cell);
            }
        }
        cells
    }
}

/// The file of claims in a study's folder.
pub(crate) const CLAIMS: &str = "claims.toml";
