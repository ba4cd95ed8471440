//! The types of all files of a study: its configs, and the files that a run leaves. Every
//! other crate uses these types.
//!
//! This crate trains nothing, judges nothing, and does not depend on Burn. Parsing
//! validates: every [`RunConfig`] and every [`Record`] that was read is well-formed. An
//! [`Error`] names the file, the key and the remedy.

mod configs;
mod data_info;
mod devices;
mod digest;
mod error;
mod files;
mod parity;
mod results;
#[cfg(test)]
mod samples;
mod split;
mod stream;
mod write;

pub use configs::*;
pub use data_info::{ChannelScale, DataInfo, ImageShape, RepeatedImages, RunData};
pub use devices::{Backend, DeviceName, DeviceReport, Host, Precision};
pub use digest::hex;
pub use error::{Error, Result};
pub use files::{
    ClaimLooks, GENERATED, Layout, Look, Looks, MNIST, OtherData, RunDir, Tree, TreeKind, Variant,
};
pub use parity::{LayerGap, ParityStep, relative_difference};
pub use results::{
    BURN_VERSION, Checkpoint, CheckpointState, CheckpointWriter, CsvRow, History, HistoryRow,
    Progress, Record, RecordError, ResultRow, RunIdentity, RunStatus, TimingRow, VERSION,
    image_columns, read_csv, read_numbers, write_csv, write_numbers,
};
pub use split::Split;
pub use stream::stream_key;
pub use write::{UnfinishedFile, if_there, remove_temporary, writable_by_umask, write_atomic};

#[cfg(test)]
mod tests {
    // `cargo bolero` builds all tests of the crate, and each test binary must link bolero.
    use bolero as _;
}
