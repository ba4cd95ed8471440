//! `index.html`: the report as one page that needs no other file.

use askama::Template;

use crate::figures::Drawn;
use crate::judge::{HOW, is_not_judged, meaning};
use crate::original;
use crate::page::claim::ClaimView;
use crate::page::content::Content;
use crate::page::section::{Part, SectionView, sections};

/// The page's scripts, in the order in which they need each other.
const SCRIPTS: [&str; 5] = [
    include_str!("../../templates/networks.js"),
    include_str!("../../templates/planes.js"),
    include_str!("../../templates/board.js"),
    include_str!("../../templates/curves.js"),
    include_str!("../../templates/page.js"),
];

#[derive(Template)]
#[template(path = "index.html")]
struct Page<'a> {
    content: &'a Content,
    claims: &'a [ClaimView<'a>],
    sections: Vec<SectionView<'a>>,
    /// How verdicts follow from records; empty if the claims are not judged.
    how: Vec<String>,
    is_judged: bool,
    /// Whether the study has figures of an original one.
    has_original: bool,
    /// What the tables beside the original study mean.
    original: &'static str,
    style: &'static str,
    scripts: [&'static str; 5],
}

/// The report as an HTML page.
///
/// # Errors
///
/// If the template cannot be filled.
pub(super) fn page(content: &Content) -> askama::Result<String> {
    let is_judged = !is_not_judged(&content.judgements);
    let judgements = content.judgements.iter();
    let claims: Vec<ClaimView> = judgements
        .map(|judgement| ClaimView::of(judgement, content))
        .collect();
    Page {
        content,
        sections: sections(content, &claims),
        claims: &claims,
        how: match is_judged && !claims.is_empty() {
            true => vec![meaning(&content.judgements), format!("{HOW}.")],
            false => Vec::new(),
        },
        is_judged,
        has_original: !content.original.is_empty(),
        original: original::HOW,
        style: include_str!("../../templates/style.css"),
        scripts: SCRIPTS,
    }
    .render()
}

/// The numbers of a figure's curves, as JSON that is safe inside a script element.
fn data(figure: &Drawn) -> String {
    let json = figure.data.as_deref().unwrap_or_default();
    json.replace('<', "\\u003c")
}
