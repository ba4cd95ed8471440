//! How the progress of a training is shown: on standard output as lines or JSON, or in
//! burn-train's dashboard.

mod dashboard;
mod display;
mod lines;
mod terminal;

pub(crate) use dashboard::Dashboard;
pub(crate) use display::report_warning;
pub use display::{ProgressDisplay, report_progress};
pub(crate) use lines::{Position, ProgressLines, print_json};
pub use terminal::restore_terminal;
