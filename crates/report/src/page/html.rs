//! `index.html`: the report as one page that needs no other file.

use askama::Template;

use crate::figures::Drawn;
use crate::judge::{
    HOW, Judgement, capitalized, changed, errors, found, is_not_judged, judged_by, lacks, meaning,
    measured, needs, required, shown, tally,
};
use crate::original;
use crate::page::content::Content;

#[derive(Template)]
#[template(path = "index.html")]
struct Page<'a> {
    content: &'a Content,
    claims: Vec<ClaimView<'a>>,
    /// How many claims have each verdict, and what a verdict means.
    summary: String,
    /// How verdicts follow from records; empty if the claims are not judged.
    how: String,
    is_judged: bool,
    /// What the tables beside the original study mean.
    original: &'static str,
    style: &'static str,
    /// The explorer's data, as JSON that is safe inside a script element.
    explorer: Option<String>,
    networks: &'static str,
    script: &'static str,
}

/// A judgement as the texts of the page.
struct ClaimView<'a> {
    id: &'a str,
    section: &'a str,
    says: &'a str,
    verdict: &'static str,
    together: &'static str,
    /// A mark, if the claim was changed after the first look at it.
    changed: &'static str,
    errors: String,
    judged_by: String,
    needs: String,
    measured: String,
    found: String,
    required: String,
    original: String,
    seeds: usize,
    values: String,
    records: String,
    figures: Vec<&'a Drawn>,
    lacks: String,
}

/// The report as an HTML page.
///
/// # Errors
///
/// If the template cannot be filled.
pub(super) fn page(content: &Content) -> askama::Result<String> {
    let is_judged = !is_not_judged(&content.judgements);
    Page {
        content,
        claims: content
            .judgements
            .iter()
            .map(|judgement| view(judgement, content))
            .collect(),
        summary: {
            let tally = capitalized(&tally(&content.judgements));
            if is_judged {
                format!("{tally}. {}", meaning(&content.judgements))
            } else {
                format!("{tally}.")
            }
        },
        how: if is_judged {
            format!("{HOW}.")
        } else {
            String::new()
        },
        is_judged,
        original: original::HOW,
        style: include_str!("../../templates/style.css"),
        explorer: content.explorer.clone(),
        networks: include_str!("../../templates/networks.js"),
        script: include_str!("../../templates/explorer.js"),
    }
    .render()
}

fn view<'a>(judgement: &'a Judgement, content: &'a Content) -> ClaimView<'a> {
    let claim = &judgement.claim;
    let cells = claim.cells();
    let figures = content.sections.iter().flat_map(|section| &section.figures);
    let seeds = judgement.values.keys().map(u64::to_string);
    let seeds = seeds.collect::<Vec<_>>().join(",");
    let records = cells
        .iter()
        .map(|cell| format!("runs/{cell}/seed-{{{seeds}}}"));
    ClaimView {
        id: &claim.id,
        section: &claim.section,
        says: &claim.says,
        verdict: judgement.verdict.name(),
        together: judgement.together.name(),
        changed: changed(judgement),
        errors: errors(judgement),
        judged_by: judged_by(judgement),
        needs: needs(judgement),
        measured: measured(claim),
        found: found(judgement),
        required: required(claim),
        original: original::reported(claim, &content.original),
        seeds: judgement.values.len(),
        values: judgement
            .values
            .values()
            .map(|&value| shown(value))
            .collect::<Vec<_>>()
            .join(", "),
        records: records.collect::<Vec<_>>().join(" "),
        figures: figures
            .filter(|figure| {
                figure
                    .cells
                    .iter()
                    .any(|cell| cells.contains(&cell.as_str()))
            })
            .collect(),
        lacks: lacks(judgement),
    }
}
