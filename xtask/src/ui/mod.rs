//! What the commands show: lines, numbers, progress bars, and how Ctrl-C is counted.

mod format;
pub mod interrupt;
pub mod output;
mod progress;

pub use format::{clock, count, cut, figure, path};
pub use progress::MatrixProgress;
