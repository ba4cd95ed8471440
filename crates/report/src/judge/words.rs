//! Judgements as text: for a terminal, for `report.md` and for the page.

use kindling_formats::{Claim, Comparison, Original, Take, Term};

use crate::judge::judgement::{Judgement, Verdict};
use crate::original::reported;
use crate::tables::{Columns, number};

/// What a claim measures, such as `test_accuracy, mlp minus linear`.
pub(crate) fn measured(claim: &Claim) -> String {
    let cells = |term: &Term| {
        let cells = term.cells.join(", ");
        match (term.cells.len(), term.take) {
            (1, _) => cells,
            (_, Take::Mean) => format!("mean of {cells}"),
            (_, Take::Smallest) => format!("smallest of {cells}"),
            (_, Take::Largest) => format!("largest of {cells}"),
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

/// What makes a claim true, such as `at least 0.05`.
pub(crate) fn required(claim: &Claim) -> String {
    match (claim.at_least, claim.at_most) {
        (Some(least), Some(most)) => format!("{least} to {most}"),
        (Some(least), None) => format!("at least {least}"),
        (None, Some(most)) => format!("at most {most}"),
        (None, None) => String::new(),
    }
}

/// The mean of a claim's values and its interval, such as `0.0578 (0.0561 to 0.0595)`.
pub(crate) fn found(judgement: &Judgement) -> String {
    let Some(mean) = judgement.mean() else {
        return "-".into();
    };
    match judgement.interval {
        Some((low, high)) if low < high => {
            format!("{} ({} to {})", shown(mean), shown(low), shown(high))
        }
        _ => shown(mean),
    }
}

/// A value with about four significant digits.
pub(crate) fn shown(value: f64) -> String {
    number(value).show(value)
}

/// The runs and numbers that a claim lacks, or why it is undecided without an interval. Empty
/// if the verdict follows from an interval or from exact values.
pub fn lacks(judgement: &Judgement) -> String {
    let why = judgement.why.map(str::to_string);
    let missing = judgement.missing.iter().cloned();
    missing.chain(why).collect::<Vec<_>>().join("; ")
}

/// Whether the claims are not judged, because the runs are quick or smoke runs.
pub(crate) fn is_not_judged(judgements: &[Judgement]) -> bool {
    let mut verdicts = judgements.iter().map(|one| one.verdict);
    verdicts.any(|verdict| verdict == Verdict::NotJudged)
}

/// How many claims have each verdict, such as `3 supported, 1 refuted, 0 undecided`.
pub fn tally(judgements: &[Judgement]) -> String {
    if is_not_judged(judgements) {
        return "quick and smoke runs do not judge claims; only their values are shown".into();
    }
    let of = |verdict: Verdict| {
        let with_verdict = judgements.iter().filter(|one| one.verdict == verdict);
        format!("{} {}", with_verdict.count(), verdict.name())
    };
    [Verdict::Supported, Verdict::Refuted, Verdict::Undecided]
        .map(of)
        .join(", ")
}

/// A plain table with a line for each claim.
pub fn claims_text(judgements: &[Judgement]) -> String {
    let each = |text: fn(&Judgement) -> String| judgements.iter().map(text).collect::<Vec<_>>();
    verdict_column(judgements)
        .text("claim", each(|one| one.claim.id.clone()))
        .text("found", each(found))
        .text("required", each(|one| required(&one.claim)))
        .numbers("seeds", each(|one| one.values.len().to_string()))
        .plain()
}

/// Columns that begin with the verdicts; without any column if the claims are not judged.
fn verdict_column(judgements: &[Judgement]) -> Columns {
    if is_not_judged(judgements) {
        return Columns::new();
    }
    let names = judgements.iter().map(|one| one.verdict.name().to_string());
    Columns::new().text("verdict", names)
}

/// The section `Claims` of `report.md`; empty if the study has no claims.
///
/// `original` has the figures of the original study.
pub(crate) fn claims_markdown(judgements: &[Judgement], original: &Original) -> String {
    if judgements.is_empty() {
        return String::new();
    }
    let each = |text: fn(&Judgement) -> String| judgements.iter().map(text).collect::<Vec<_>>();
    let reported = judgements.iter().map(|one| reported(&one.claim, original));
    let reported = reported.collect::<Vec<_>>();
    let table = verdict_column(judgements)
        .text("", each(|one| one.claim.section.clone()))
        .text("claim", each(|one| one.claim.says.replace('|', "\\|")))
        .text("measured", each(|one| measured(&one.claim)))
        .text("found", each(found))
        .text("required", each(|one| required(&one.claim)))
        .text_if_any("original", reported)
        .numbers("seeds", each(|one| one.values.len().to_string()))
        .markdown();
    let how = if is_not_judged(judgements) {
        String::new()
    } else {
        format!("{HOW}. ")
    };
    let mut text = format!(
        "\n## Claims\n\n{how}{}.\n\n{table}",
        capitalized(&tally(judgements))
    );
    for judgement in judgements {
        let lacks = lacks(judgement);
        if !lacks.is_empty() {
            text += &format!("\n- {}: {lacks}.", judgement.claim.id);
        }
    }
    text + "\n"
}

/// `text` with a capital first letter.
pub(crate) fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

/// The explanation of verdicts in a report, without the last full stop.
pub(crate) const HOW: &str = "A verdict is about the mean over seeds. It uses the two-sided \
    confidence interval of Student's t for this mean, for a ratio on the scale of logarithms. A \
    claim is supported if the whole interval is within the bounds that the claim requires, refuted \
    if no part of it is, and undecided otherwise. The values of both sides are paired by seed. The \
    confidence is 97.5 % at the study's number of seeds. It rises each time that the claims are \
    judged with more seeds, so that all verdicts on a claim together are wrong with a probability \
    of at most 5 %. If nothing is random, the value itself is compared with the bounds. A claim \
    over every run holds if the value of each run is within the bounds";
