//! A run: its config, folder and device, and the record that it writes.

mod program;
mod record;
mod run_context;
mod stopwatch;
mod test_evidence;

pub use record::RunResults;
pub use run_context::RunContext;
pub(crate) use stopwatch::Stopwatch;
pub use test_evidence::TestEvidence;
