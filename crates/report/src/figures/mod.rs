//! Figures: selects the figures of a report, and draws them as SVG documents.

mod averages;
mod axes;
mod chart_data;
mod comparisons;
mod confusion;
mod curves;
mod drawn;
mod groups;
mod line_chart;
mod networks;
mod of_run;
#[cfg(feature = "pdf")]
mod pdf;
mod predictions;
mod rates;
mod row_plot;
mod scatter;
mod section;
mod tiles;

pub(crate) use drawn::{Drawn, command};
pub(crate) use networks::networks;
#[cfg(feature = "pdf")]
pub(crate) use pdf::PdfConverter;
pub(crate) use rates::rates;
pub(crate) use section::section_figures;
