//! Figures: selects the figures of a report, and draws them as SVG documents.

mod averages;
mod axes;
mod comparisons;
mod confusion;
mod curves;
mod dots;
mod drawn;
mod groups;
mod line_chart;
mod of_run;
mod predictions;
mod scatter;
mod section;
mod tiles;

pub(crate) use drawn::Drawn;
pub(crate) use section::section_figures;
