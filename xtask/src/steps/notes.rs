//! Prints what stands out in the results: figures beside those of the original study, and runs
//! that did much worse than the others of their cell.

use kindling_formats::{Layout, Record, Size};
use kindling_report::{BesideOriginal, original_text, outliers};

use crate::ui::output;

/// Prints the table of our figures beside those of the original study, if there are any. Quick
/// and smoke runs are too short for this comparison.
pub fn print_beside_original(layout: &Layout, beside: &[BesideOriginal]) {
    if !beside.is_empty() && layout.size() == Size::Full {
        output::print(format_args!("\n{}", original_text(beside).trim_end()));
    }
}

/// Names the runs that did much worse than the others of their cell.
pub fn note_outliers<'a>(records: impl IntoIterator<Item = &'a Record>) {
    for outlier in outliers(records) {
        output::note(outlier);
    }
}
