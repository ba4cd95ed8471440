//! The tables that runs leave: their history, their times, numbers of their own, and
//! the row that each gives to `results.csv`.

use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{Backend, Error, Record, Result, RunStatus, write_atomic};

/// A row of a CSV file, which knows its columns even when there is no row.
pub trait CsvRow: Serialize + DeserializeOwned {
    /// The header, in the order of the fields.
    const COLUMNS: &'static [&'static str];
}

/// A row of `history.csv`. It holds no times, so equal runs have equal bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HistoryRow {
    /// Epoch (or iteration), from 1.
    pub epoch: usize,
    /// Learning rate in it.
    pub learning_rate: f64,
    /// Mean loss on the training split, as it was trained.
    pub train_loss: f64,
    /// Mean loss on the test split after it.
    pub test_loss: f64,
    /// Accuracy on the training split, as it was trained, in [0, 1].
    pub train_accuracy: Option<f64>,
    /// Accuracy on the test split after it, in [0, 1].
    pub test_accuracy: Option<f64>,
}

impl CsvRow for HistoryRow {
    const COLUMNS: &'static [&'static str] = &[
        "epoch",
        "learning_rate",
        "train_loss",
        "test_loss",
        "train_accuracy",
        "test_accuracy",
    ];
}

/// A row of `timing.csv`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimingRow {
    /// Epoch, from 1.
    pub epoch: usize,
    /// Wall time of it, training and evaluation.
    pub seconds: f64,
}

impl CsvRow for TimingRow {
    const COLUMNS: &'static [&'static str] = &["epoch", "seconds"];
}

/// A row of `results.csv`.
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

/// Writes `rows` below their header, whole or not at all.
///
/// # Errors
///
/// If the file cannot be written.
pub fn write_csv<R: CsvRow>(path: &Path, rows: &[R]) -> Result<()> {
    let text = || -> std::result::Result<Vec<u8>, csv::Error> {
        let mut writer = csv::WriterBuilder::new()
            .has_headers(false)
            .from_writer(Vec::new());
        writer.write_record(R::COLUMNS)?;
        for row in rows {
            writer.serialize(row)?;
        }
        writer
            .into_inner()
            .map_err(|error| error.into_error().into())
    };
    write_atomic(path, &text().map_err(|error| Error::file(path, error))?)
}

/// Writes a table of numbers below its header, whole or not at all.
///
/// # Errors
///
/// If the file cannot be written, or a row has not one number for each column.
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

/// The columns of an image's `pixels`: `p0`, `p1`, ... for the name `p`.
pub fn image_columns(name: &str, pixels: usize) -> impl Iterator<Item = String> {
    (0..pixels).map(move |pixel| format!("{name}{pixel}"))
}

/// Reads the rows of a table of numbers, and its columns.
///
/// # Errors
///
/// If it cannot be read, or holds what is no number.
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
/// If it cannot be read, or has other columns.
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
    fn rows_come_back_as_they_were_written() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("history.csv");
        let rows = [
            HistoryRow {
                epoch: 1,
                learning_rate: 0.02,
                train_loss: 0.1 + 0.2,
                test_loss: 1.0 / 3.0,
                train_accuracy: Some(0.5),
                test_accuracy: None,
            },
            HistoryRow {
                epoch: 2,
                learning_rate: 0.02,
                train_loss: f64::MIN_POSITIVE,
                test_loss: 1e300,
                train_accuracy: None,
                test_accuracy: Some(1.0),
            },
        ];
        write_csv(&path, &rows).expect("writes");
        assert_eq!(read_csv::<HistoryRow>(&path).expect("reads"), rows);
    }

    #[test]
    fn numbers_are_written_in_full() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("codes.csv");
        write_numbers(&path, &["label", "z0"], [vec![7.0, 0.1 + 0.2]]).expect("writes");
        let text = std::fs::read_to_string(&path).expect("reads");
        assert_eq!(text, "label,z0\n7,0.30000000000000004\n");
        assert!(write_numbers(&path, &["label", "z0"], [vec![7.0]]).is_err());
    }

    #[test]
    fn a_table_without_rows_still_has_its_header() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("timing.csv");
        write_csv::<TimingRow>(&path, &[]).expect("writes");
        let text = std::fs::read_to_string(&path).expect("reads");
        assert_eq!(text, "epoch,seconds\n");
    }
}
