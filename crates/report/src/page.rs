//! `index.html`: the report as one page that needs nothing beside it.

use askama::Template;

use crate::Verdict;
use crate::claims::{
    HOW, asked, found, lacks, measured, not_judged, original, shown, tally, upper,
};
use crate::figure::Drawn;
use crate::gather::Content;

#[derive(Template)]
#[template(path = "index.html")]
struct Page<'a> {
    content: &'a Content,
    claims: Vec<ClaimView<'a>>,
    /// How many claims came to each verdict, and how verdicts come about.
    summary: String,
    is_judged: bool,
    style: &'static str,
    /// The explorer's data as JSON that may stand in a script element.
    explorer: Option<String>,
    networks: &'static str,
    script: &'static str,
}

/// A verdict in words.
struct ClaimView<'a> {
    id: &'a str,
    section: &'a str,
    says: &'a str,
    verdict: &'static str,
    measured: String,
    found: String,
    asked: String,
    original: String,
    seeds: usize,
    values: String,
    records: String,
    figures: Vec<&'a Drawn>,
    lacks: String,
}

/// The page.
///
/// # Errors
///
/// If the template cannot be filled.
pub(crate) fn page(content: &Content) -> askama::Result<String> {
    let is_judged = !not_judged(&content.verdicts);
    Page {
        content,
        claims: content
            .verdicts
            .iter()
            .map(|verdict| view(verdict, content))
            .collect(),
        summary: {
            let tally = upper(&tally(&content.verdicts));
            if is_judged {
                format!("{tally}. {HOW}.")
            } else {
                format!("{tally}.")
            }
        },
        is_judged,
        style: include_str!("../templates/style.css"),
        explorer: content.explorer.clone(),
        networks: include_str!("../templates/networks.js"),
        script: include_str!("../templates/explorer.js"),
    }
    .render()
}

fn view<'a>(verdict: &'a Verdict, content: &'a Content) -> ClaimView<'a> {
    let claim = &verdict.claim;
    let cells = claim.cells();
    let figures = content.sections.iter().flat_map(|section| &section.figures);
    let seeds = verdict.values.keys().map(u64::to_string);
    let seeds = seeds.collect::<Vec<_>>().join(",");
    let records = cells
        .iter()
        .map(|cell| format!("runs/{cell}/seed-{{{seeds}}}"));
    ClaimView {
        id: &claim.id,
        section: &claim.section,
        says: &claim.says,
        verdict: verdict.status.name(),
        measured: measured(claim),
        found: found(verdict),
        asked: asked(claim),
        original: original(verdict),
        seeds: verdict.values.len(),
        values: verdict
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
        lacks: lacks(verdict),
    }
}
