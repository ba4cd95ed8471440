//! The report itself: what it says, and how that becomes a page, Markdown and tables.

mod content;
mod html;
mod markdown;
mod overview;
mod problems;
mod section_tables;
mod write;

pub use write::write;
