//! `claims.toml`: the claims of the study. Each claim is a test over records.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::digest::hex;
use crate::error::{Error, Result};

use super::document::{read_table, typed};

/// A claim: a sentence, and the test that decides whether it is true.
///
/// For each seed, the claim has one value: `left` alone, or the difference `left - right`, or
/// the ratio `left / right`. The claim holds if the mean of these values over all seeds lies
/// within the bounds. With `over = "every run"`, the claim holds if each of these values lies
/// within the bounds.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// The short, unique name of the claim, as `mlp-beats-linear`.
    pub id: String,
    /// The id of the section that the claim belongs to.
    pub section: String,
    /// The claim as a sentence.
    pub says: String,
    /// The value that is measured.
    pub left: Term,
    /// The value that `left` is compared with.
    pub right: Option<Term>,
    /// How `left` and `right` are compared.
    #[serde(default)]
    pub by: Comparison,
    /// Which values have to lie within the bounds.
    #[serde(default)]
    pub over: Over,
    /// The smallest value for which the claim holds.
    pub at_least: Option<f64>,
    /// The largest value for which the claim holds.
    pub at_most: Option<f64>,
}

/// How two terms are compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Comparison {
    /// left - right
    #[default]
    Difference,
    /// left / right
    Ratio,
}

/// Which values of a claim have to lie within its bounds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum Over {
    /// The mean over all possible seeds. It is estimated by a confidence interval around the
    /// mean of the trained seeds.
    #[default]
    #[serde(rename = "seeds")]
    Seeds,
    /// The value of each single run. Such a claim states a fact, such as "a gradient is exactly
    /// zero".
    #[serde(rename = "every run")]
    EveryRun,
}

/// A value for each seed: a number of one cell's record, or one value taken from the numbers
/// of several cells.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Term {
    /// The names of the cells.
    pub cells: Vec<String>,
    /// The name of the number: `train_loss`, `test_loss`, `train_accuracy`,
    /// `test_accuracy`, `loss_gap`, `parameters`, `seconds`, or a metric of the cells'
    /// family.
    pub of: String,
    /// How one value is taken from the numbers of several cells.
    #[serde(default)]
    pub take: Take,
    /// Leaves out every cell whose test accuracy is lower than the best test accuracy among
    /// the claim's cells by more than this number. A cell is left out only if its interval shows
    /// this; otherwise it is compared.
    pub within: Option<f64>,
}

/// How one value is taken from several.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Take {
    /// The mean.
    #[default]
    Mean,
    /// The smallest.
    Smallest,
    /// The largest.
    Largest,
}

/// The names of the numbers that every record may have.
pub(crate) const NUMBERS: [&str; 9] = [
    "train_loss",
    "validation_loss",
    "test_loss",
    "train_accuracy",
    "validation_accuracy",
    "test_accuracy",
    "loss_gap",
    "parameters",
    "seconds",
];

/// `claims.toml`: the claims of the study.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClaimsFile {
    /// The claims, in the report's order.
    claim: Vec<Claim>,
}

/// Reads the claims of a study from `claims.toml` in its folder. Without the file, the study
/// has no claims. `has_section` and `find_cell` look up the sections and cells of the study.
///
/// # Errors
///
/// If the file cannot be read, or a claim is malformed, names a cell or a section that the
/// study does not have, or has no bounds.
pub(crate) fn read_claims(
    folder: &Path,
    has_section: impl Fn(&str) -> bool,
    find_cell: impl Fn(&str) -> Result<()>,
) -> Result<Vec<Claim>> {
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
            return fail("id", "must be a name that no other claim has".into());
        }
        if !has_section(&claim.section) {
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
                if let Err(error) = find_cell(cell) {
                    return fail(&format!("{name}.cells"), error.to_string());
                }
            }
            // A name that is not one of NUMBERS is a metric of the cells' family. But a name
            // that is similar to one of NUMBERS is probably a typing error.
            let close = |known: &&&str| {
                let likeness = strsim::normalized_damerau_levenshtein(known, &term.of);
                likeness > 0.8 && likeness < 1.0
            };
            if let Some(known) = NUMBERS.iter().find(close) {
                return fail(&format!("{name}.of"), format!("did you mean `{known}`?"));
            }
            if term
                .within
                .is_some_and(|within| within.is_nan() || within < 0.0)
            {
                return fail(&format!("{name}.within"), "must be at least 0".into());
            }
            if term.within.is_some() && term.cells.len() > 1 && term.take == Take::Mean {
                let remedy = "add `take = \"smallest\"` or `take = \"largest\"`";
                return fail(
                    &format!("{name}.within"),
                    format!("a mean of several cells leaves none out; {remedy}"),
                );
            }
        }
    }
    Ok(claims)
}

impl Claim {
    /// The smallest and the largest value for which the claim holds. A missing bound is
    /// infinite. `None` if a bound is NaN.
    pub fn bounds(&self) -> Option<(f64, f64)> {
        let low = self.at_least.unwrap_or(f64::NEG_INFINITY);
        let high = self.at_most.unwrap_or(f64::INFINITY);
        (!low.is_nan() && !high.is_nan()).then_some((low, high))
    }

    /// The terms of the claim, each with its key in the file.
    pub fn terms(&self) -> impl Iterator<Item = (&'static str, &Term)> {
        let right = self.right.iter().map(|term| ("right", term));
        std::iter::once(("left", &self.left)).chain(right)
    }

    /// Whether the claim is only about numbers of parameters. They are the same for all seeds.
    pub fn is_of_parameters(&self) -> bool {
        self.terms()
            .all(|(_, term)| term.of == "parameters" && term.within.is_none())
    }

    /// The SHA-256, hexadecimal, of the test that decides on the claim: its terms, how they are
    /// compared, and its bounds. The sentence may be corrected without changing the test.
    pub fn digest(&self) -> String {
        let term = |term: &Term| {
            let take = format!("{:?}", term.take);
            serde_json::json!([term.cells, term.of, take, term.within])
        };
        let test = serde_json::json!([
            term(&self.left),
            self.right.as_ref().map(term),
            format!("{:?}", self.by),
            format!("{:?}", self.over),
            self.at_least,
            self.at_most,
        ]);
        hex(&Sha256::digest(test.to_string()))
    }

    /// The names of the cells whose records the claim needs, each once.
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

/// The name of the file that holds the claims, in the folder of a study.
pub(crate) const CLAIMS: &str = "claims.toml";
