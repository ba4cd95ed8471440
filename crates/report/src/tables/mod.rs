//! Tables: the mean over seeds of each cell, and columns of text as a plain table, as
//! Markdown or as rows for the page.

mod columns;
mod number;
mod results;
mod summary;

pub use columns::{Align, plain_table};
pub(crate) use columns::{Columns, NO_VALUE};
pub(crate) use number::{grouped, number};
pub(crate) use results::results_table;
pub use results::{markdown_table, text_table};
pub(crate) use summary::{Places, complete};
pub use summary::{Summary, summarize};
