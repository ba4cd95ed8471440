//! `mean-squares.csv`: the mean squares by which the claims of a published tree are judged. They
//! take the place of the results of each test image, which are too large to publish.

use kindling_formats::{Comparison, CsvRow, Error, Layout, Result, read_csv};
use serde::{Deserialize, Serialize};

use crate::judge::MeanSquares;

/// A comparison whose value is a mean over test images: what is compared, for which seeds, and the
/// mean squares of its table of seeds by images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct MeanSquaresRow {
    /// The cells of the left side, separated by spaces. Their mean is compared.
    pub(crate) left: String,
    /// The number that is taken from the cells of the left side, such as `test_accuracy`.
    pub(crate) left_of: String,
    /// The cells of the right side; empty if there is none.
    pub(crate) right: String,
    /// The number that is taken from the cells of the right side.
    pub(crate) right_of: String,
    /// `difference` or `ratio`.
    pub(crate) by: Comparison,
    /// The seeds, separated by spaces.
    pub(crate) seeds: String,
    /// The number of test images.
    pub(crate) images: usize,
    /// The mean over seeds and images: of ratios that of their logarithms.
    pub(crate) mean: f64,
    /// The mean square of the seeds; empty for a single seed.
    pub(crate) ms_seeds: Option<f64>,
    /// The mean square of the images.
    pub(crate) ms_images: f64,
    /// The mean square of what neither seeds nor images explain; 0 for a single seed.
    pub(crate) ms_rest: f64,
}

impl CsvRow for MeanSquaresRow {
    const COLUMNS: &'static [&'static str] = &[
        "left",
        "left_of",
        "right",
        "right_of",
        "by",
        "seeds",
        "images",
        "mean",
        "ms_seeds",
        "ms_images",
        "ms_rest",
    ];
}

impl MeanSquaresRow {
    /// The mean squares.
    pub(crate) fn mean_squares(&self) -> MeanSquares {
        MeanSquares {
            seeds: self.seeds.split_whitespace().count(),
            images: self.images,
            mean: self.mean,
            of_seeds: self.ms_seeds,
            of_images: self.ms_images,
            of_rest: self.ms_rest,
        }
    }

    /// Why the row cannot be used, if so.
    fn problem(&self) -> Option<&'static str> {
        let squares = self.mean_squares();
        let numbers = [self.ms_seeds, Some(self.ms_images), Some(self.ms_rest)];
        let mut numbers = numbers.into_iter().flatten();
        if self.images < 2 || squares.seeds == 0 {
            Some("it needs a seed and two images")
        } else if self.ms_seeds.is_some() != (squares.seeds > 1) {
            Some("ms_seeds must be given if and only if there are several seeds")
        } else if !self.mean.is_finite() || !numbers.all(|one| one.is_finite() && one >= 0.0) {
            Some("mean must be finite, and mean squares must be finite and not negative")
        } else {
            None
        }
    }
}

/// The mean squares of a published tree.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct MeanSquaresTable {
    rows: Vec<MeanSquaresRow>,
}

impl MeanSquaresTable {
    /// Reads the table of a tree; `None` if the tree is not a published one.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or a row makes no sense.
    pub(crate) fn read(layout: &Layout) -> Result<Option<Self>> {
        if !layout.is_published() {
            return Ok(None);
        }
        let path = layout.mean_squares();
        let rows: Vec<MeanSquaresRow> = read_csv(&path)?;
        for (place, row) in rows.iter().enumerate() {
            if let Some(problem) = row.problem() {
                let problem = format!("row {}: {problem}; restore the file", place + 1);
                return Err(Error::File {
                    file: path,
                    problem,
                });
            }
        }
        Ok(Some(Self { rows }))
    }

    /// All rows.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &MeanSquaresRow> {
        self.rows.iter()
    }

    /// The mean squares of the figure `of` of one cell, for all its runs.
    pub(crate) fn of_cell(&self, cell: &str, of: &str) -> Option<MeanSquares> {
        let mut rows = self.rows.iter();
        let row = rows.find(|row| row.left == cell && row.left_of == of && row.right.is_empty());
        row.map(MeanSquaresRow::mean_squares)
    }
}
