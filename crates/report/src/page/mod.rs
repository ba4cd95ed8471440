//! The report itself: its content, and the files that hold it as a page, Markdown and
//! tables.

mod claim;
mod content;
mod export;
mod forest;
mod html;
mod markdown;
mod others;
mod overview;
mod problems;
mod section;
mod section_tables;
mod standing;
mod write;

pub use export::export_figures;
pub use write::write;
