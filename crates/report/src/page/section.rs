//! A section as the page shows it: what is visible, and what is folded.

use kindling_formats::{StoryPart, story};

use crate::figures::Drawn;
use crate::page::claim::ClaimView;
use crate::page::content::{Content, Section};
use crate::tables::Columns;

/// The number of figures that are visible if `study.toml` does not name them.
const VISIBLE: usize = 2;

/// A section as the page shows it.
pub(super) struct SectionView<'a> {
    pub(super) id: &'a str,
    pub(super) title: &'a str,
    pub(super) paragraphs: Vec<Vec<Part<'a>>>,
    /// The places of the section's claims among all claims.
    pub(super) claims: Vec<usize>,
    /// The table of results; `None` if the section has no runs.
    pub(super) results: Option<&'a Columns>,
    /// The other tables.
    pub(super) tables: Vec<&'a Columns>,
    pub(super) original: Option<&'a Columns>,
    /// The figures that are visible.
    pub(super) visible: Vec<&'a Drawn>,
    /// The other figures of several cells.
    pub(super) together: Vec<&'a Drawn>,
    /// The cells that have figures of their own.
    pub(super) cells: Vec<CellView<'a>>,
}

/// A part of a paragraph: words, or the place of a claim among all claims.
pub(super) enum Part<'a> {
    Text(&'a str),
    Claim(usize),
}

/// A cell with its own figures.
pub(super) struct CellView<'a> {
    pub(super) name: &'a str,
    /// What the cell is.
    pub(super) about: &'a str,
    pub(super) figures: Vec<&'a Drawn>,
}

impl<'a> SectionView<'a> {
    /// `claims` are the claims of all sections.
    pub(super) fn of(section: &'a Section, claims: &[ClaimView]) -> Self {
        let place = |id: &str| claims.iter().position(|claim| claim.id == id);
        let part = |part: StoryPart<'a>| match part {
            StoryPart::Text(text) => Part::Text(text),
            StoryPart::Claim(id) => place(id).map_or(Part::Text(id), Part::Claim),
        };
        let paragraphs = story(&section.text).into_iter();
        let all = || section.figures.iter();
        let visible: Vec<&Drawn> = match &section.shown {
            Some(names) => {
                let of_name = |name: &String| all().find(|figure| figure.file == *name);
                names.iter().filter_map(of_name).collect()
            }
            None => all().take(VISIBLE).collect(),
        };
        let is_folded = |figure: &&Drawn| !visible.iter().any(|shown| shown.file == figure.file);
        let folded: Vec<&Drawn> = all().filter(is_folded).collect();
        let cells = section.cells.iter().map(|(name, about)| CellView {
            name,
            about,
            figures: folded
                .iter()
                .copied()
                .filter(|figure| figure.cells == [name.as_str()])
                .collect(),
        });
        Self {
            id: &section.id,
            title: &section.title,
            paragraphs: paragraphs
                .map(|parts| parts.into_iter().map(part).collect())
                .collect(),
            claims: (0..claims.len())
                .filter(|&place| claims[place].section == section.id)
                .collect(),
            results: section.tables.first(),
            tables: section.tables.iter().skip(1).collect(),
            original: section.original.as_ref(),
            cells: cells.filter(|cell| !cell.figures.is_empty()).collect(),
            together: folded
                .iter()
                .copied()
                .filter(|figure| figure.cells.len() != 1)
                .collect(),
            visible,
        }
    }
}

/// All sections of a report.
pub(super) fn sections<'a>(content: &'a Content, claims: &[ClaimView]) -> Vec<SectionView<'a>> {
    let sections = content.sections.iter();
    sections
        .map(|section| SectionView::of(section, claims))
        .collect()
}
