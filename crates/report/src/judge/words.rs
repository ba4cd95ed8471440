//! Judgements as text: for a terminal, for `report.md` and for the page.

use kindling_formats::{Claim, Comparison, Original, Take, Term};

use crate::judge::judgement::{Judgement, Verdict};
use crate::judge::statistics::{Needed, first_step};
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

/// How many claims have each verdict, alone and together, such as `alone: 3 supported, 1 refuted,
/// 0 undecided; together: 1 supported, 0 refuted, 3 undecided`.
pub fn tally(judgements: &[Judgement]) -> String {
    if is_not_judged(judgements) {
        return "quick and smoke runs do not judge claims; only their values are shown".into();
    }
    let counts = |verdict_of: fn(&Judgement) -> Verdict| {
        let of = |verdict: Verdict| {
            let with_verdict = judgements.iter().filter(|one| verdict_of(one) == verdict);
            format!("{} {}", with_verdict.count(), verdict.name())
        };
        [Verdict::Supported, Verdict::Refuted, Verdict::Undecided]
            .map(of)
            .join(", ")
    };
    format!(
        "alone: {}; together: {}",
        counts(|one| one.verdict),
        counts(|one| one.together)
    )
}

/// What the two verdicts mean, a sentence each, and what more seeds would change. Empty if the
/// claims are not judged.
pub fn meaning(judgements: &[Judgement]) -> String {
    if is_not_judged(judgements) {
        return String::new();
    }
    let mut text =
        "A verdict alone is wrong with a probability of at most 5 % if the claim is the \
        only one that is read, and was judged once. The verdicts together are such that the \
        probability that any of them is wrong is at most 5 %, however many claims there are and \
        however often they were judged."
            .to_string();
    let judged = judgements.iter().filter(|one| one.risk.is_some());
    let few = judged
        .map(|one| one.values.len())
        .filter(|seeds| *seeds > 1);
    let by_chance = judgements.iter().filter(|one| one.judged_by.is_by_chance());
    let count = by_chance.count();
    if let Some(seeds) = few.min().filter(|seeds| *seeds < FEW) {
        text += &format!(
            " With {seeds} seeds few claims can hold together: if the seeds are the only source of \
             error, the first of {count} claims has to lie {:.1} standard errors from its bound, \
             and with {FEW} seeds {:.1}.",
            first_step(count, seeds),
            first_step(count, FEW)
        );
    }
    text
}

/// The number of seeds with which several claims can hold together.
const FEW: usize = 10;

/// How many seeds an open claim needs, such as `alone 7 seeds, together 18 seeds`; empty if it is
/// decided together, or not judged by an interval.
pub(crate) fn needs(judgement: &Judgement) -> String {
    let text = |needed: Needed| match needed {
        Needed::Seeds(seeds) => format!("{seeds} seeds"),
        Needed::TooMany => "over 1000 seeds".into(),
        Needed::Images => "more test images; no number of seeds will do".into(),
    };
    let alone = judgement
        .needed
        .map(|needed| format!("alone {}", text(needed)));
    let together = judgement.needed_together;
    let together = together.map(|needed| format!("together {}", text(needed)));
    alone
        .into_iter()
        .chain(together)
        .collect::<Vec<_>>()
        .join(", ")
}

/// The standard errors of seeds and images, such as `0.0012 seeds, 0.0009 images`; empty without
/// an interval. Those of a ratio are percentages of it.
pub(crate) fn errors(judgement: &Judgement) -> String {
    let Some(errors) = judgement.standard_errors() else {
        return String::new();
    };
    let text = |error: f64| match judgement.claim.by {
        Comparison::Difference => shown(error),
        Comparison::Ratio => format!("{:.2} %", 100.0 * error),
    };
    let seeds = errors.seeds.map(|error| format!("{} seeds", text(error)));
    let images = errors.images.map(|error| format!("{} images", text(error)));
    seeds
        .into_iter()
        .chain(images)
        .collect::<Vec<_>>()
        .join(", ")
}

/// What a verdict follows from, such as `seeds and images, look 2, risk 0.013; a and b decide`.
pub(crate) fn judged_by(judgement: &Judgement) -> String {
    let mut text = judgement.judged_by.name().to_string();
    if let Some(look) = judgement.look {
        text += &format!(", look {look}");
    }
    if let Some(risk) = judgement.risk {
        text += &match risk {
            risk if risk < 1e-4 => ", risk below 0.0001".to_string(),
            risk => format!(", risk {risk:.4}"),
        };
    }
    if let Some(decisive) = &judgement.decisive {
        text += &format!("; the verdict hangs on {decisive}");
    }
    text
}

/// The mark of a claim that was changed after the first look at it; empty for other claims.
pub(crate) fn changed(judgement: &Judgement) -> &'static str {
    match judgement.is_changed {
        true => " (changed after its first look)",
        false => "",
    }
}

/// Plain tables with a line for each claim: the verdicts, and, if the claims are judged, what they
/// follow from. Below them is how many seeds each open claim needs. They are two tables, since one
/// would be too wide for a terminal.
pub fn claims_text(judgements: &[Judgement]) -> String {
    let each = |text: fn(&Judgement) -> String| judgements.iter().map(text).collect::<Vec<_>>();
    let table = verdict_columns(judgements)
        .text(
            "claim",
            each(|one| format!("{}{}", one.claim.id, changed(one))),
        )
        .text("found", each(found))
        .text("required", each(|one| required(&one.claim)))
        .numbers("seeds", each(|one| one.values.len().to_string()));
    if is_not_judged(judgements) {
        return table.plain();
    }
    let mut text = table.plain();
    let how = Columns::new()
        .text("claim", each(|one| one.claim.id.clone()))
        .text("standard error", each(errors))
        .text("judged by", each(judged_by));
    text += &format!("\n{}", how.plain());
    if judgements.iter().any(|one| one.risk.is_some()) {
        text += "\nrisk: the smallest error probability at which the claim alone is decided\n";
    }
    let open = judgements.iter().map(|one| (one, needs(one)));
    for (one, needs) in open.filter(|(_, needs)| !needs.is_empty()) {
        text += &format!("{} needs: {needs}\n", one.claim.id);
    }
    text
}

/// Columns that begin with the verdicts alone and together; without any column if the claims are
/// not judged.
fn verdict_columns(judgements: &[Judgement]) -> Columns {
    if is_not_judged(judgements) {
        return Columns::new();
    }
    let names = |verdict: fn(&Judgement) -> Verdict| {
        judgements
            .iter()
            .map(move |one| verdict(one).name().to_string())
    };
    Columns::new()
        .text("alone", names(|one| one.verdict))
        .text("together", names(|one| one.together))
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
    let table = verdict_columns(judgements)
        .text("", each(|one| one.claim.section.clone()))
        .text(
            "claim",
            each(|one| one.claim.says.replace('|', "\\|") + changed(one)),
        )
        .text("measured", each(|one| measured(&one.claim)))
        .text("found", each(found))
        .text("required", each(|one| required(&one.claim)))
        .text_if_any("original", reported)
        .numbers("seeds", each(|one| one.values.len().to_string()));
    let table = if is_not_judged(judgements) {
        table.markdown()
    } else {
        table
            .text("standard error", each(errors))
            .text("judged by", each(judged_by))
            .text("needs", each(needs))
            .markdown()
    };
    let how = if is_not_judged(judgements) {
        String::new()
    } else {
        format!(" {}\n\n{HOW}.", meaning(judgements))
    };
    let mut text = format!(
        "\n## Claims\n\n{}.{how}\n\n{table}",
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
pub(crate) const HOW: &str = "A verdict is about a mean: a claim is supported if the whole \
    confidence interval of the mean is within the bounds that the claim requires, refuted if no \
    part of it is, and undecided otherwise. The interval that is shown has a confidence of 95 %, \
    which is that of the verdict alone; the risk is the smallest error probability at which the \
    claim would be decided. Accuracies, losses and errors of test images are judged by seeds and \
    images: other seeds could have been trained, and other images drawn, and both sides of a \
    comparison have the same seeds and the same images. The two standard errors say how much the \
    mean would vary with other seeds and with other images. Other numbers are judged by seeds \
    alone, by Student's t. A ratio is judged on the scale of logarithms, and its standard errors \
    are relative. The smallest or largest of several cells is compared with each of the others. \
    If nothing is random, the value itself is compared with the bounds. A claim over every run \
    holds if the value of each run is within the bounds. The verdicts together follow from Holm's \
    method over all claims that are judged by an interval; look k at a claim uses the \
    part 1 / (k (k + 1)) of the claim's error probability. If one run in ten ends far from all \
    others, an interval of few seeds seldom shows it: in simulations, such an interval misses the \
    mean in 73 % of cases with 3 seeds, 59 % with 5, 35 % with 10 and 7 % with 30";
