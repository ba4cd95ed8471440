//! `history.csv`: the losses and accuracies of a training, one row for each epoch. It holds no
//! times, so that equal trainings have equal files.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::split::Split;
use crate::write::write_atomic;

use super::rows::csv_text;

/// The history of a training: in memory, and in `history.csv`.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    /// The split on which the training is evaluated after each epoch. It names the columns of
    /// the evaluation: `test_loss` and `test_accuracy`, or `validation_loss` and
    /// `validation_accuracy`.
    pub split: Split,
    /// One row for each finished epoch, from the first.
    pub rows: Vec<HistoryRow>,
}

/// One epoch of a training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HistoryRow {
    /// The epoch (or iteration), from 1.
    pub epoch: usize,
    /// The learning rate during the epoch.
    pub learning_rate: f64,
    /// The mean loss on the training split during the epoch.
    pub train_loss: f64,
    /// The mean loss on the evaluated split ([`History::split`]) after the epoch.
    pub evaluated_loss: f64,
    /// The accuracy on the training split during the epoch, in [0, 1].
    pub train_accuracy: Option<f64>,
    /// The accuracy on the evaluated split ([`History::split`]) after the epoch, in [0, 1].
    pub evaluated_accuracy: Option<f64>,
}

/// The columns of `history.csv`, in the order of the fields of a row. `evaluated` is the split
/// on which the training is evaluated.
fn columns(evaluated: Split) -> [String; 6] {
    [
        "epoch".into(),
        "learning_rate".into(),
        "train_loss".into(),
        format!("{evaluated}_loss"),
        "train_accuracy".into(),
        format!("{evaluated}_accuracy"),
    ]
}

impl History {
    /// A history without rows, of a training that is evaluated on `split`.
    pub fn new(split: Split) -> Self {
        let rows = Vec::new();
        Self { split, rows }
    }

    /// Writes the history to the file `path`. The file is written whole or not at all.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let text = csv_text(&columns(self.split), &self.rows);
        write_atomic(path, &text.map_err(|error| Error::file(path, error))?)
    }

    /// Reads the history in the file `path`.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or has other columns.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        let found = reader.headers().map_err(|error| Error::file(path, error))?;
        let has_columns_of = |split: &Split| found.iter().eq(columns(*split));
        let split = [Split::Test, Split::Validation]
            .into_iter()
            .find(has_columns_of)
            .ok_or_else(|| {
                let of = |split| columns(split).join(",");
                Error::file(
                    path,
                    format!(
                        "its first line must be `{}` or `{}`; delete the run to train it again",
                        of(Split::Test),
                        of(Split::Validation)
                    ),
                )
            })?;
        // The fields are read by their places, because the names of two columns vary.
        let rows = reader
            .records()
            .map(|record| record?.deserialize(None))
            .collect::<std::result::Result<_, _>>()
            .map_err(|error| Error::file(path, error))?;
        Ok(Self { split, rows })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<HistoryRow> {
        vec![
            HistoryRow {
                epoch: 1,
                learning_rate: 0.02,
                train_loss: 0.1 + 0.2,
                evaluated_loss: 1.0 / 3.0,
                train_accuracy: Some(0.5),
                evaluated_accuracy: None,
            },
            HistoryRow {
                epoch: 2,
                learning_rate: 0.02,
                train_loss: f64::MIN_POSITIVE,
                evaluated_loss: 1e300,
                train_accuracy: None,
                evaluated_accuracy: Some(1.0),
            },
        ]
    }

    #[test]
    fn a_history_is_read_back_as_it_was_written() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("history.csv");
        for split in [Split::Test, Split::Validation] {
            for rows in [rows(), Vec::new()] {
                let history = History { split, rows };
                history.write(&path).expect("writes");
                assert_eq!(History::read(&path).expect("reads"), history);
            }
        }
    }

    #[test]
    fn the_columns_name_the_split_that_was_evaluated() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("history.csv");
        for (split, columns) in [
            (
                Split::Test,
                "epoch,learning_rate,train_loss,test_loss,train_accuracy,test_accuracy\n",
            ),
            (
                Split::Validation,
                "epoch,learning_rate,train_loss,validation_loss,train_accuracy,\
                 validation_accuracy\n",
            ),
        ] {
            let rows = rows();
            History { split, rows }.write(&path).expect("writes");
            let text = std::fs::read_to_string(&path).expect("reads");
            let expected = format!(
                "{columns}1,0.02,0.30000000000000004,0.3333333333333333,0.5,\n\
                 2,0.02,2.2250738585072014e-308,1e300,,1.0\n"
            );
            assert_eq!(text, expected);
        }
    }

    #[test]
    fn a_table_with_other_columns_is_not_a_history() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("history.csv");
        for text in [
            "",
            "epoch,seconds\n1,2.0\n",
            "epoch,learning_rate,train_loss,train_loss,train_accuracy,train_accuracy\n",
            "epoch,learning_rate,train_loss,test_loss,train_accuracy,validation_accuracy\n",
        ] {
            std::fs::write(&path, text).expect("writes");
            let error = History::read(&path)
                .expect_err("must be refused")
                .to_string();
            assert!(error.contains("history.csv"), "{error}");
            assert!(error.contains("its first line must be"), "{error}");
        }
    }
}
