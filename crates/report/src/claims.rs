//! Verdicts as text: for a terminal, for `report.md`, and as `claims.csv`.

use kindling_formats::{Claim, Comparison, CsvRow};
use serde::{Deserialize, Serialize};

use crate::Verdict;
use crate::tables::{Columns, number};
use crate::verdict::Status;

/// A row of `claims.csv`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClaimRow {
    /// Name of the claim.
    pub claim: String,
    /// Its section.
    pub section: String,
    /// `supported`, `refuted`, `undecided` or `not judged`.
    pub verdict: String,
    /// The mean of its value over seeds.
    pub mean: Option<f64>,
    /// The lower end of the interval for the mean.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
    /// The confidence of the interval.
    pub confidence: f64,
    /// Seeds with a value.
    pub seeds: usize,
    /// The least value that makes it true.
    pub at_least: Option<f64>,
    /// The largest.
    pub at_most: Option<f64>,
    /// The cells it rests on.
    pub cells: String,
    /// Why it is undecided, where the interval does not say.
    pub why: String,
}

impl CsvRow for ClaimRow {
    const COLUMNS: &'static [&'static str] = &[
        "claim",
        "section",
        "verdict",
        "mean",
        "low",
        "high",
        "confidence",
        "seeds",
        "at_least",
        "at_most",
        "cells",
        "why",
    ];
}

impl From<&Verdict> for ClaimRow {
    fn from(verdict: &Verdict) -> Self {
        let claim = &verdict.claim;
        Self {
            claim: claim.id.clone(),
            section: claim.section.clone(),
            verdict: verdict.status.name().to_string(),
            mean: verdict.mean(),
            low: verdict.interval.map(|(low, _)| low),
            high: verdict.interval.map(|(_, high)| high),
            confidence: verdict.confidence,
            seeds: verdict.values.len(),
            at_least: claim.at_least,
            at_most: claim.at_most,
            cells: claim.cells().join(" "),
            why: lacks(verdict),
        }
    }
}

/// `mlp - linear, test_accuracy`: what is measured.
pub(crate) fn measured(claim: &Claim) -> String {
    let cells = |term: &kindling_formats::Term| {
        let cells = term.cells.join(", ");
        match (term.cells.len(), term.take) {
            (1, _) => cells,
            (_, kindling_formats::Take::Mean) => format!("mean of {cells}"),
            (_, kindling_formats::Take::Smallest) => format!("smallest of {cells}"),
            (_, kindling_formats::Take::Largest) => format!("largest of {cells}"),
        }
    };
    let left = &claim.left;
    let Some(right) = &claim.right else {
        return format!("{}, {}", left.of, cells(left));
    };
    let sign = match claim.by {
        Comparison::Difference => "minus",
        Comparison::Ratio => "over",
    };
    if left.of == right.of {
        format!("{}, {} {sign} {}", left.of, cells(left), cells(right))
    } else {
        format!(
            "{} of {} {sign} {} of {}",
            left.of,
            cells(left),
            right.of,
            cells(right)
        )
    }
}

/// `at least 0.05`: what would make it true.
pub(crate) fn asked(claim: &Claim) -> String {
    match (claim.at_least, claim.at_most) {
        (Some(least), Some(most)) => format!("{least} to {most}"),
        (Some(least), None) => format!("at least {least}"),
        (None, Some(most)) => format!("at most {most}"),
        (None, None) => String::new(),
    }
}

/// `0.0578 (0.0561 to 0.0595)`: the mean and its interval.
pub(crate) fn found(verdict: &Verdict) -> String {
    let Some(mean) = verdict.mean() else {
        return "-".into();
    };
    match verdict.interval {
        Some((low, high)) if low < high => {
            format!("{} ({} to {})", shown(mean), shown(low), shown(high))
        }
        _ => shown(mean),
    }
}

/// A value with the digits that matter.
pub(crate) fn shown(value: f64) -> String {
    number(value).show(value)
}

/// What a claim lacks, or why it is undecided all the same; else empty.
pub fn lacks(verdict: &Verdict) -> String {
    let why = verdict.why.map(str::to_string);
    let missing = verdict.missing.iter().cloned();
    missing.chain(why).collect::<Vec<_>>().join("; ")
}

/// Whether the runs are too short to judge anything by them.
pub(crate) fn not_judged(verdicts: &[Verdict]) -> bool {
    let mut statuses = verdicts.iter().map(|verdict| verdict.status);
    statuses.any(|status| status == Status::NotJudged)
}

/// How many claims came to each verdict.
pub fn tally(verdicts: &[Verdict]) -> String {
    if not_judged(verdicts) {
        return "short runs judge no claim: these are only the values that they gave".into();
    }
    let of = |status: Status| {
        let of_status = verdicts.iter().filter(|verdict| verdict.status == status);
        format!("{} {}", of_status.count(), status.name())
    };
    [Status::Supported, Status::Refuted, Status::Undecided]
        .map(of)
        .join(", ")
}

/// A line for each verdict, aligned.
pub fn claims_text(verdicts: &[Verdict]) -> String {
    let each = |text: fn(&Verdict) -> String| verdicts.iter().map(text).collect::<Vec<_>>();
    verdict_column(verdicts)
        .text("claim", each(|one| one.claim.id.clone()))
        .text("found", each(found))
        .text("asked", each(|one| asked(&one.claim)))
        .numbers("seeds", each(|one| one.values.len().to_string()))
        .plain()
}

/// The first column of a table of claims, where any is judged.
fn verdict_column(verdicts: &[Verdict]) -> Columns {
    if not_judged(verdicts) {
        return Columns::new();
    }
    let names = verdicts.iter().map(|one| one.status.name().to_string());
    Columns::new().text("verdict", names)
}

/// The section `Claims` of `report.md`.
pub(crate) fn claims_markdown(verdicts: &[Verdict]) -> String {
    if verdicts.is_empty() {
        return String::new();
    }
    let each = |text: fn(&Verdict) -> String| verdicts.iter().map(text).collect::<Vec<_>>();
    let table = verdict_column(verdicts)
        .text("", each(|one| one.claim.section.clone()))
        .text("claim", each(|one| one.claim.says.replace('|', "\\|")))
        .text("measured", each(|one| measured(&one.claim)))
        .text("found", each(found))
        .text("asked", each(|one| asked(&one.claim)))
        .text("original", each(original))
        .numbers("seeds", each(|one| one.values.len().to_string()))
        .markdown();
    let how = if not_judged(verdicts) {
        String::new()
    } else {
        format!("{HOW}. ")
    };
    let mut text = format!(
        "\n## Claims\n\n{how}{}.\n\n{table}",
        upper(&tally(verdicts))
    );
    for verdict in verdicts {
        let lacks = lacks(verdict);
        if !lacks.is_empty() {
            text += &format!("\n- {}: {lacks}.", verdict.claim.id);
        }
    }
    text + "\n"
}

/// `text` with a capital to begin with.
pub(crate) fn upper(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

/// The original study's figure.
pub(crate) fn original(verdict: &Verdict) -> String {
    verdict.claim.original.clone().unwrap_or_default()
}

/// How a verdict comes about.
pub(crate) const HOW: &str = "A verdict is about the mean over seeds, by the two-sided interval \
    of Student's t for it (for a ratio that of its logarithm): supported where the whole interval lies within what is asked, refuted \
    where none of it does, else undecided. Seeds are paired. The confidence is 97.5 % at the \
    study's number of seeds and rises with every further look, so that all looks together err in \
    at most 5 %. Where nothing is random, numbers are compared as they are; a claim over every run \
    holds where each run's value does";
