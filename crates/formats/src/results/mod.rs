//! The results of a run: its record, tables and checkpoints, and the progress that it reports
//! during the training.

mod checkpoint;
mod history;
mod progress;
mod record;
mod rows;

pub use checkpoint::{Checkpoint, CheckpointState, CheckpointWriter, RunIdentity};
pub use history::{History, HistoryRow};
pub use progress::Progress;
pub use record::{BURN_VERSION, Record, RecordError, RunStatus, VERSION};
pub use rows::{
    CsvRow, ResultRow, TimingRow, image_columns, read_csv, read_numbers, write_csv, write_numbers,
};
