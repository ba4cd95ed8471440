//! A claim as the page shows it.

use crate::figures::{Drawn, command};
use crate::judge::{
    Judgement, Verdict, changed, errors, found, judged_by, lacks, measured, needs, required, shown,
};
use crate::original;
use crate::page::content::Content;
use crate::page::forest::{Forest, forest};

/// A judgement as the texts of the page.
pub(super) struct ClaimView<'a> {
    pub(super) id: &'a str,
    pub(super) section: &'a str,
    pub(super) says: &'a str,
    pub(super) verdict: Verdict,
    pub(super) together: Verdict,
    /// A mark, if the claim was changed after the first look at it.
    pub(super) changed: &'static str,
    pub(super) forest: Option<Forest>,
    pub(super) errors: String,
    pub(super) judged_by: String,
    pub(super) needs: String,
    pub(super) measured: String,
    pub(super) found: String,
    pub(super) required: String,
    pub(super) original: String,
    /// The seed and the value of each run.
    pub(super) values: Vec<(u64, String)>,
    pub(super) records: String,
    /// The command that trains the claim's cells.
    pub(super) command: String,
    pub(super) figures: Vec<&'a Drawn>,
    pub(super) lacks: String,
}

impl<'a> ClaimView<'a> {
    pub(super) fn of(judgement: &'a Judgement, content: &'a Content) -> Self {
        let claim = &judgement.claim;
        let cells = claim.cells();
        let figures = content.sections.iter().flat_map(|section| &section.figures);
        let seeds = judgement.values.keys().map(u64::to_string);
        let seeds = seeds.collect::<Vec<_>>().join(",");
        let records = cells
            .iter()
            .map(|cell| format!("runs/{cell}/seed-{{{seeds}}}"));
        Self {
            id: &claim.id,
            section: &claim.section,
            says: &claim.says,
            verdict: judgement.verdict,
            together: judgement.together,
            changed: changed(judgement),
            forest: forest(judgement, &content.original),
            errors: errors(judgement),
            judged_by: judged_by(judgement),
            needs: needs(judgement),
            measured: measured(claim),
            found: found(judgement),
            required: required(claim),
            original: original::reported(claim, &content.original),
            values: judgement
                .values
                .iter()
                .map(|(&seed, &value)| (seed, shown(value)))
                .collect(),
            records: records.collect::<Vec<_>>().join(" "),
            command: command(cells.iter().copied()),
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

    /// Whether the claims together get another verdict than this claim alone.
    pub(super) fn differs(&self) -> bool {
        self.verdict != self.together
    }
}
