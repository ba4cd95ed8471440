//! What a study is, as data: configs, the matrix they expand to, and the files
//! that a run leaves. Every other crate speaks in these types.
//!
//! Nothing here trains, and nothing here knows Burn. Parsing validates: a value
//! of [`RunConfig`] or [`Record`] that exists is well-formed, and an [`Error`]
//! names the file, the key and the remedy.

mod check;
mod checkpoint;
mod claim;
mod config;
mod cost;
mod device;
mod error;
mod figures;
mod files;
mod host;
mod keys;
mod matrix;
mod parity;
mod progress;
mod record;
mod rows;
mod schema;
mod selection;
mod size;
mod stream;
mod sweep;
mod tree;

pub use checkpoint::{Checkpoint, Stamp};
pub use claim::{Claim, Comparison, Over, Take, Term, figure};
pub use config::{
    Activation, AutoencoderModel, AutoencoderTask, ClassifierModel, ClassifierTask, ConvCoder,
    ConvStack, Gradients, GradientsTask, ImageData, Optimizer, Output, PcaModel, PcaTask,
    RegressionData, RegressionModel, RegressionTask, RegressionTrain, RunConfig, Scatter, Task,
    ToyFunction, ToyModel, Train, hex,
};
pub use device::{Backend, DeviceName, DeviceReport, Precision};
pub use error::{Error, Result};
pub use figures::{CurvesFigure, ExplorerCells, StudyFigures, SweepFigures};
pub use files::{Layout, RunDir, if_there, remove_temporary, writable_by_umask, write_atomic};
pub use host::Host;
pub use matrix::{Cell, Section, Study};
pub use parity::{LayerGap, ParityStep, Parting, Tolerance, parting, relative};
pub use progress::Progress;
pub use record::{Record, RecordError, RunStatus};
pub use rows::{
    CsvRow, HistoryRow, ResultRow, TimingRow, image_columns, read_csv, read_numbers, write_csv,
    write_numbers,
};
pub use schema::schemas;
pub use selection::{Selection, Setting};
pub use size::{SMOKE_STEPS, SMOKE_TESTS, Size};
pub use stream::stream_key;
pub use tree::{GENERATED, MNIST, OtherData, Tree, Variant};

/// The version of Kindling, which records carry. It is raised when a config comes to
/// mean another training, or a file another thing.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The version of Burn that the workspace pins: what trains.
pub const BURN_VERSION: &str = "0.22.1";

#[cfg(test)]
mod tests {
    // Where `cargo bolero` builds all tests, each must link its fuzzer.
    use bolero as _;

    #[test]
    fn burn_is_the_one_the_workspace_pins() {
        let manifest = include_str!("../../../Cargo.toml");
        let pinned = format!("burn = {{ version = \"={}\"", super::BURN_VERSION);
        assert!(manifest.contains(&pinned));
    }
}
