//! The report itself: its content, and the files that hold it as a page, Markdown and
//! tables.

mod content;
mod html;
mod markdown;
mod overview;
mod problems;
mod section_tables;
mod write;

pub use write::write;
