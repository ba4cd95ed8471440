//! The folder `tensorboard/` of a run, which TensorBoard reads.
//!
//! The folder is a log and not a part of the result. It holds an event file with the figures
//! of each epoch and the config's values as hyper-parameters. If the run has codes, it also
//! holds the tables for TensorBoard's projector.

mod event_file;
mod messages;
mod projector;

pub(crate) use event_file::{EventWriter, ensure_event_file};
pub(crate) use projector::write_projector;
