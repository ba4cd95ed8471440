//! Figures that compare the cells of a section by one number.

use kindling_formats::{Record, StudyFigures, SweepFigures, figure};

use crate::figures::dots::{DotPlot, Row};
use crate::figures::drawn::{DrawError, Drawn};
use crate::spread::Spread;

/// The mean test accuracy below which a cell is left out of a figure: it would press all
/// others to the edge.
const LOW_ACCURACY: f64 = 0.9;

/// A figure of one number of some cells.
struct Comparison<'a> {
    /// The name of the figure's file, behind that of the section.
    file: &'a str,
    title: String,
    /// What the axis shows, with its unit.
    axis: &'static str,
    /// The number of a record, as claims name it.
    of: &'static str,
    records: Vec<&'a Record>,
}

const ACCURACY: &str = "test accuracy (share of images)";
const ERROR: &str = "test error (mean squared error per pixel)";
const GAP: &str = "distance between train and test loss (cross-entropy)";

/// The figures of a section's complete records. `records` is in the study's order.
///
/// # Errors
///
/// If a figure cannot be drawn.
pub(super) fn comparisons(
    section: &str,
    records: &[&Record],
    figures: &StudyFigures,
) -> Result<Vec<Drawn>, DrawError> {
    let of = |families: &[&str], chosen: &dyn Fn(&str) -> bool| -> Vec<&Record> {
        let records = records.iter().copied();
        records
            .filter(|record| families.contains(&record.family.as_str()) && chosen(&record.cell))
            .collect()
    };
    let is_in = |sweep: &SweepFigures, cell: &str| sweep.cells.iter().any(|name| name == cell);
    let in_no_sweep = |cell: &str| !figures.sweep.iter().any(|sweep| is_in(sweep, cell));
    let mut comparisons = vec![Comparison {
        file: "accuracy",
        title: "Test accuracy by network".into(),
        axis: ACCURACY,
        of: "test_accuracy",
        records: of(&["classifier"], &in_no_sweep),
    }];
    for sweep in &figures.sweep {
        let shown = |cell: &str| sweep.shown().any(|name| name == cell);
        let records = of(&["classifier"], &shown);
        comparisons.push(Comparison {
            file: &sweep.name,
            title: format!("Test accuracy by {}", sweep.by),
            axis: ACCURACY,
            of: "test_accuracy",
            records: records.clone(),
        });
        comparisons.push(Comparison {
            file: "gap",
            title: format!("Train against test by {}", sweep.by),
            axis: GAP,
            of: "loss_gap",
            records,
        });
    }
    let rebuilt = of(&["autoencoder", "pca"], &|_| true);
    comparisons.push(Comparison {
        file: "error",
        title: "Test error by autoencoder".into(),
        axis: ERROR,
        of: "test_loss",
        records: rebuilt.clone(),
    });
    comparisons.push(Comparison {
        file: "neighbours",
        title: "Labels told by ten neighbours in the plane".into(),
        axis: "share of test digits",
        of: "knn_accuracy",
        records: rebuilt,
    });
    let drawn = comparisons.into_iter();
    drawn
        .filter_map(|comparison| comparison.draw(section).transpose())
        .collect()
}

impl Comparison<'_> {
    /// The figure; `None` if fewer than two cells have the number.
    fn draw(self, section: &str) -> Result<Option<Drawn>, DrawError> {
        let mut rows: Vec<Row> = Vec::new();
        for cell in self.records.chunk_by(|left, right| left.cell == right.cell) {
            let values = cell.iter().filter_map(|record| figure(record, self.of));
            let values: Vec<f64> = values.collect();
            let seconds: Vec<f64> = cell.iter().map(|record| record.seconds).collect();
            let seconds = mean(&seconds);
            rows.push(Row {
                name: cell[0].cell.clone(),
                note: format!("{} parameters, {seconds:.0} s", cell[0].parameters),
                values,
            });
        }
        rows.retain(|row| !row.values.is_empty());
        let mut caption = format!(
            "{}: a dot is a seed, the bar is the mean over seeds. On the right are the number of \
             parameters and the mean wall time of a run.",
            self.title
        );
        if self.of == "test_accuracy" {
            let is_near = |row: &Row| mean(&row.values) >= LOW_ACCURACY;
            let (near, far): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(is_near);
            for row in &far {
                caption += &format!(" {} is outside, at {:.3}.", row.name, mean(&row.values));
            }
            rows = near;
        }
        if rows.len() < 2 {
            return Ok(None);
        }
        let plot = DotPlot {
            title: self.title,
            x: self.axis.into(),
            rows,
        };
        Ok(Some(Drawn {
            file: format!("{section}-{}", self.file),
            caption,
            svg: plot.svg()?,
            cells: plot.rows.iter().map(|row| row.name.clone()).collect(),
            title: plot.title,
        }))
    }
}

fn mean(values: &[f64]) -> f64 {
    Spread::of(values).map_or(0.0, |spread| spread.mean)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake;

    fn record(cell: &str, seed: u64, accuracy: f64) -> Record {
        let mut record = fake::record(cell, seed);
        record.test_accuracy = Some(accuracy);
        record
    }

    #[test]
    fn a_sweep_is_compared_with_its_reference_and_stands_apart_from_other_cells() {
        let records = [
            record("a", 0, 0.92),
            record("b", 0, 0.98),
            record("c", 0, 0.981),
            record("d", 0, 0.7),
        ];
        let records: Vec<&Record> = records.iter().collect();
        let study = StudyFigures {
            sweep: vec![SweepFigures {
                name: "dropout".into(),
                by: "dropout rate".into(),
                reference: Some("b".into()),
                cells: vec!["c".into(), "d".into()],
            }],
            ..StudyFigures::default()
        };
        let figures = comparisons("2.5", &records, &study).expect("draws");
        let files: Vec<&str> = figures.iter().map(|figure| figure.file.as_str()).collect();
        assert_eq!(files, ["2.5-accuracy", "2.5-dropout", "2.5-gap"]);
        assert_eq!(figures[0].cells, ["a", "b"]);
        assert_eq!(figures[1].cells, ["b", "c"]);
        assert_eq!(figures[1].title, "Test accuracy by dropout rate");
        assert!(figures[1].caption.contains("d is outside, at 0.700."));
        assert_eq!(figures[2].cells.len(), 3);
    }

    #[test]
    fn without_sweeps_all_classifiers_are_compared() {
        let records = [record("a", 0, 0.92), record("b", 0, 0.98)];
        let records: Vec<&Record> = records.iter().collect();
        let figures = comparisons("2.5", &records, &StudyFigures::default()).expect("draws");
        assert_eq!(figures.len(), 1);
        assert_eq!(figures[0].cells, ["a", "b"]);
    }

    #[test]
    fn one_cell_is_no_comparison() {
        let one = record("mlp", 0, 0.98);
        for records in [&[&one][..], &[]] {
            let figures = comparisons("2.5", records, &StudyFigures::default());
            assert!(figures.expect("draws").is_empty());
        }
    }
}
