//! The CSV files that runs write besides their history: the times, and tables of numbers. Each
//! run is a row in `results.csv`.

use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::devices::Backend;
use crate::error::{Error, Result};
use crate::write::write_atomic;

use super::record::{Record, RunStatus};

/// A row of a CSV file. The type names the columns, so that a file without rows has a header,
/// too.
pub trait CsvRow: Serialize + DeserializeOwned {
    /// The names of the columns, in the order of the fields.
    const COLUMNS: &'static [&'static str];
}

/// A row of `timing.csv`: the time of one epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimingRow {
    /// The epoch, from 1.
    pub epoch: usize,
    /// The wall time of training and evaluation in the epoch, in seconds.
    pub seconds: f64,
}

impl CsvRow for TimingRow {
    const COLUMNS: &'static [&'static str] = &["epoch", "seconds"];
}

/// A row of `results.csv`: the result of one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of `Record`")]
pub struct ResultRow {
    pub section: String,
    pub cell: String,
    pub family: String,
    pub backend: Backend,
    pub seed: u64,
    pub epochs: usize,
    pub parameters: usize,
    pub train_loss: Option<f64>,
    pub test_loss: Option<f64>,
    pub train_accuracy: Option<f64>,
    pub test_accuracy: Option<f64>,
    pub seconds: f64,
    pub status: RunStatus,
}

impl CsvRow for ResultRow {
    const COLUMNS: &'static [&'static str] = &[
        "section",
        "cell",
        "family",
        "backend",
        "seed",
        "epochs",
        "parameters",
        "train_loss",
        "test_loss",
        "train_accuracy",
        "test_accuracy",
        "seconds",
        "status",
    ];
}

impl From<&Record> for ResultRow {
    fn from(record: &Record) -> Self {
        Self {
            section: record.section.clone(),
            cell: record.cell.clone(),
            family: record.family.clone(),
            backend: record.backend,
            seed: record.seed,
            epochs: record.epochs,
            parameters: record.parameters,
            train_loss: record.train_loss,
            test_loss: record.test_loss,
            train_accuracy: record.train_accuracy,
            test_accuracy: record.test_accuracy,
            seconds: record.seconds,
            status: record.status,
        }
    }
}

/// Writes a CSV file: a header, and `rows` below it. The file is written whole or not at all.
///
/// # Errors
///
/// If the file cannot be written.
pub fn write_csv<R: CsvRow>(path: &Path, rows: &[R]) -> Result<()> {
    let text = csv_text(R::COLUMNS, rows).map_err(|error| Error::file(path, error))?;
    write_atomic(path, &text)
}

/// The text of a CSV file: a header with `columns`, and `rows` below it.
pub(super) fn csv_text(
    columns: &[impl AsRef<[u8]>],
    rows: &[impl Serialize],
) -> std::result::Result<Vec<u8>, csv::Error> {
    let mut writer = csv::WriterBuilder::new()
        .has_headers(false)
        .from_writer(Vec::new());
    writer.write_record(columns)?;
    for row in rows {
        writer.serialize(row)?;
    }
    writer
        .into_inner()
        .map_err(|error| error.into_error().into())
}

/// Writes a CSV file of numbers: a header, and `rows` below it. The file is written whole or
/// not at all.
///
/// # Errors
///
/// If the file cannot be written, or a row does not have one number for each column.
pub fn write_numbers(
    path: &Path,
    columns: &[impl AsRef<str>],
    rows: impl IntoIterator<Item = Vec<f64>>,
) -> Result<()> {
    let text = || -> std::result::Result<Vec<u8>, csv::Error> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(columns.iter().map(AsRef::as_ref))?;
        for row in rows {
            writer.write_record(row.iter().map(f64::to_string))?;
        }
        writer
            .into_inner()
            .map_err(|error| error.into_error().into())
    };
    write_atomic(path, &text().map_err(|error| Error::file(path, error))?)
}

/// The names of the columns of an image with `pixels` pixels. If `name` is `p`, they are `p0`,
/// `p1`, and so on.
pub fn image_columns(name: &str, pixels: usize) -> impl Iterator<Item = String> {
    (0..pixels).map(move |pixel| format!("{name}{pixel}"))
}

/// Reads a CSV file of numbers: the names of its columns, and its rows.
///
/// # Errors
///
/// If the file cannot be read, or holds a value that is not a number.
pub fn read_numbers(path: &Path) -> Result<(Vec<String>, Vec<Vec<f64>>)> {
    let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    let columns = reader.headers().map_err(|error| Error::file(path, error))?;
    let columns = columns.iter().map(str::to_string).collect();
    let rows = reader
        .deserialize()
        .collect::<std::result::Result<_, _>>()
        .map_err(|error| Error::file(path, error))?;
    Ok((columns, rows))
}

/// Reads the rows of a CSV file.
///
/// # Errors
///
/// If the file cannot be read, or has other columns.
pub fn read_csv<R: CsvRow>(path: &Path) -> Result<Vec<R>> {
    let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
    csv::Reader::from_reader(bytes.as_slice())
        .deserialize()
        .collect::<std::result::Result<_, _>>()
        .map_err(|error| Error::file(path, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_back_as_they_were_written() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("timing.csv");
        let rows = [(1, 0.1 + 0.2), (2, f64::MIN_POSITIVE), (3, 1e300)]
            .map(|(epoch, seconds)| TimingRow { epoch, seconds });
        write_csv(&path, &rows).expect("writes");
        assert_eq!(read_csv::<TimingRow>(&path).expect("reads"), rows);
    }

    #[test]
    fn numbers_are_written_exactly() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("codes.csv");
        write_numbers(&path, &["label", "z0"], [vec![7.0, 0.1 + 0.2]]).expect("writes");
        let text = std::fs::read_to_string(&path).expect("reads");
        assert_eq!(text, "label,z0\n7,0.30000000000000004\n");
        assert!(write_numbers(&path, &["label", "z0"], [vec![7.0]]).is_err());
    }

    #[test]
    fn a_table_without_rows_has_a_header() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("timing.csv");
        write_csv::<TimingRow>(&path, &[]).expect("writes");
        let text = std::fs::read_to_string(&path).expect("reads");
        assert_eq!(text, "epoch,seconds\n");
    }
}
