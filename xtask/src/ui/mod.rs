//! The user interface of the commands: lines, numbers, progress bars and Ctrl-C.

mod format;
pub mod interrupt;
pub mod output;
mod progress;

pub use format::{bytes, clock, count, cut, duration, path, short_number, wrap};
pub use progress::MatrixProgress;
