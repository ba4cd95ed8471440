//! Judges the claims of the study by the records of a tree, and prints what stands out in them.

use kindling_formats::{Layout, Study};
use kindling_report::{Judgement, RecordedRuns};

use crate::steps::note_outliers;
use crate::ui::output;

/// The judgements of the claims, and the runs that they follow from.
pub struct Judged {
    /// The judgements, in the order of the claims.
    pub judgements: Vec<Judgement>,
    /// The runs of the tree.
    pub runs: RecordedRuns,
}

/// Judges the claims. Warnings name the files that cannot be read and the results that do not
/// count.
pub fn judge(study: &Study, layout: &Layout) -> Judged {
    let runs = kindling_report::read(study, layout);
    for problem in &runs.unreadable {
        output::warn(format_args!("unreadable: {problem}"));
    }
    for other in &runs.others {
        output::warn(format_args!(
            "left out, not a result of this study: {other}"
        ));
    }
    note_outliers(runs.records());
    let looked = kindling_report::look(study, layout, &runs);
    if let Some(problem) = looked.problem {
        output::warn(problem);
    }
    Judged {
        judgements: looked.judgements,
        runs,
    }
}
