//! Tables of numbers in the folder of a run, such as `codes.csv`.

use kindling_formats::{ImageShape, read_numbers};

use crate::read::recorded::RecordedRun;

/// A table of numbers, with the names of its columns.
pub(crate) struct NumberTable {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<f64>>,
}

impl NumberTable {
    /// Reads the file `file` of a run; `None` if the run has no such file. If the file
    /// cannot be read, the error is added to `unreadable`.
    pub(crate) fn read(
        run: &RecordedRun,
        file: &str,
        unreadable: &mut Vec<String>,
    ) -> Option<Self> {
        let path = run.dir.file(file);
        if !path.exists() {
            return None;
        }
        match read_numbers(&path) {
            Ok((columns, rows)) => Some(Self { columns, rows }),
            Err(error) => {
                unreadable.push(error.to_string());
                None
            }
        }
    }

    /// The number of a row in the column of the given name.
    pub(crate) fn at(&self, row: &[f64], column: &str) -> Option<f64> {
        let place = self.columns.iter().position(|name| name == column)?;
        row.get(place).copied()
    }

    /// The image of a row in the columns `name0`, `name1`, ...: pixels
    /// `[channels, height, width]` in [0, 1].
    pub(crate) fn image(&self, row: &[f64], name: &str, shape: ImageShape) -> Option<Vec<f64>> {
        let first = format!("{name}0");
        let place = self.columns.iter().position(|column| *column == first)?;
        let bytes = row.get(place..place + shape.numbers())?;
        Some(bytes.iter().map(|byte| byte / 255.0).collect())
    }
}
