//! The comparison of trees as text for a terminal.

use crate::compare::cells::FIGURES;
use crate::compare::claims::{Change, ComparedClaim};
use crate::compare::comparison::TreeComparison;
use crate::tables::{Columns, NO_VALUE, number};

/// The text after the tables of cells.
const HOW: &str = "The intervals have a confidence of 95 %, each for itself. They count as random:\n\
    both      seeds and test images, crossed; paired by seed and by image\n\
    seeds     seeds alone; paired by seed\n\
    images    test images alone, since no seed changes the result; paired by image\n\
    unpaired  seeds alone, by Welch's interval: the trees have other data, or fewer\n\
    \x20         than two seeds in common\n\
    A difference paired by seed is the mean over the seeds that both trees have. The\n\
    columns before it are means over all seeds of a tree.\n";

/// The comparison as text: the trees, the claims with the verdict by each tree, and the results
/// of the cells with their differences to the first tree. The tables of two trees fit into 80
/// columns.
pub fn comparison_text(comparison: &TreeComparison) -> String {
    let mut text = trees(comparison);
    if !comparison.claims.is_empty() {
        text += &format!("\n{}", claims(comparison));
    }
    for place in 1..comparison.trees.len() {
        text += &format!("\n{}", cells(comparison, place));
    }
    text + "\n" + HOW
}

/// The trees with their numbers, and in what they differ.
fn trees(comparison: &TreeComparison) -> String {
    let mut text = String::new();
    for (tree, number) in comparison.trees.iter().zip(1..) {
        let variant = tree.variant.as_deref();
        text += &format!(
            "{number}  {}: {}{}; {} {} with {} {}; code {}\n",
            tree.tree,
            tree.protocol,
            variant.map_or(String::new(), |variant| format!(", variant {variant}")),
            tree.runs,
            if tree.runs == 1 { "run" } else { "runs" },
            if tree.seeds.len() == 1 {
                "seed"
            } else {
                "seeds"
            },
            listed(tree.seeds.iter().map(u64::to_string)),
            listed(tree.revisions.iter().cloned()),
        );
    }
    if comparison.differ_in.is_empty() {
        text + "The trees differ in nothing that tree.json or a record says.\n"
    } else {
        let differ = listed(comparison.differ_in.iter().map(ToString::to_string));
        text + &format!("The trees differ in: {differ}.\n")
    }
}

/// The claims with the verdict by each tree, and how many verdicts change.
fn claims(comparison: &TreeComparison) -> String {
    if comparison.trees.iter().any(|tree| tree.size != "full") {
        return "Quick and smoke runs do not judge claims.\n".into();
    }
    let claims = &comparison.claims;
    let each =
        |text: &dyn Fn(&ComparedClaim) -> String| claims.iter().map(text).collect::<Vec<_>>();
    let mut columns = Columns::new().text("claim", each(&|claim| claim.claim.clone()));
    for place in 0..comparison.trees.len() {
        let verdict = |claim: &ComparedClaim| {
            let verdict = claim.verdicts.get(place);
            verdict.map_or(NO_VALUE.into(), |verdict| {
                let is_decided = ["supported", "refuted"].contains(&verdict.together);
                format!("{}{}", verdict.alone, if is_decided { " *" } else { "" })
            })
        };
        columns = columns.text(&(place + 1).to_string(), each(&verdict));
    }
    let change = |claim: &ComparedClaim| claim.change.map_or("", Change::name).to_string();
    let table = columns.text("", each(&change)).plain();
    let of = |change: Change| {
        let changed = claims.iter().filter(|claim| claim.change == Some(change));
        changed.count()
    };
    let (flips, opens) = (of(Change::Flips), of(Change::Opens));
    let closes = of(Change::Closes);
    let lacking = claims.iter().filter(|claim| {
        let mut verdicts = claim.verdicts.iter();
        verdicts.any(|verdict| verdict.alone == "no runs")
    });
    format!(
        "{table}\nOf {} claims, {flips} {} (supported by one tree, refuted by another),\n\
         {opens} {} (decided by the first tree only), {closes} {} (undecided by it only),\n\
         and {} cannot be judged by every tree. Verdicts are those of each claim alone;\n\
         * marks those that also hold together with all other claims.\n",
        claims.len(),
        if flips == 1 { "flips" } else { "flip" },
        if opens == 1 { "opens" } else { "open" },
        if closes == 1 { "closes" } else { "close" },
        lacking.count(),
    )
}

/// The results of the cells in the first tree and in the tree at `place`, with the differences.
fn cells(comparison: &TreeComparison, place: usize) -> String {
    let rows: Vec<_> = comparison
        .cells
        .iter()
        .map(|figure| {
            let difference = figure.differences.get(place - 1).copied().flatten();
            let shown = |value: Option<f64>| {
                value.map_or(NO_VALUE.into(), |value| number(value).show(value))
            };
            let interval = difference.and_then(|difference| {
                let (low, high) = (difference.low?, difference.high?);
                let (low, high) = (signed(low), signed(high));
                Some(format!("{low} to {high}"))
            });
            let name = FIGURES.iter().find(|(of, _)| *of == figure.figure);
            [
                figure.cell.clone(),
                name.map_or(figure.figure, |(_, name)| name).to_string(),
                shown(figure.means.first().copied().flatten()),
                shown(figure.means.get(place).copied().flatten()),
                difference.map_or(NO_VALUE.into(), |one| signed(one.difference)),
                interval.unwrap_or(NO_VALUE.into()),
                difference.map_or("", |one| one.by.name()).to_string(),
            ]
        })
        .collect();
    let column = |place: usize| rows.iter().map(move |row| row[place].clone());
    let other = (place + 1).to_string();
    Columns::new()
        .text("cell", column(0))
        .text("test", column(1))
        .numbers("1", column(2))
        .numbers(&other, column(3))
        .numbers(&format!("{other} - 1"), column(4))
        .text("interval", column(5))
        .text("random", column(6))
        .plain()
}

/// A difference with its sign.
fn signed(value: f64) -> String {
    let shown = number(value).show(value);
    match value > 0.0 {
        true => format!("+{shown}"),
        false => shown,
    }
}

/// The items as `a, b, c`, or `none`.
fn listed(items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.collect();
    match items.is_empty() {
        true => "none".into(),
        false => items.join(", "),
    }
}
