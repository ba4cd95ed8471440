//! Figures that compare the cells of a section by one number.

use kindling_formats::{Figures, Measure, Record, StudyFigures, SweepFigures};

use crate::figures::drawn::{DrawError, Drawn};
use crate::figures::row_plot::{Mark, Row, RowPlot};
use crate::judge::capitalized;
use crate::spread::Spread;

/// A cell with a lower mean test accuracy is left out of a figure, because the axis would
/// become so long that the other cells could not be told apart.
pub(super) const LOW_ACCURACY: f64 = 0.9;

/// A complete run that is compared with others.
#[derive(Clone, Copy)]
pub(super) struct Compared<'a> {
    pub(super) record: &'a Record,
    /// The labels and axes that figures use for the run's family.
    pub(super) labels: Figures,
}

/// A figure of one number of some cells.
struct Comparison<'a> {
    /// The name of the figure's file, without the section before it.
    file: String,
    title: String,
    /// What the axis shows, with its unit.
    axis: String,
    /// The number of a record, as claims name it.
    of: &'static str,
    runs: Vec<Compared<'a>>,
}

/// The comparisons of a section's complete runs, which are in the study's order. First come
/// the cells outside of sweeps, by the number that their families are compared by. Then comes
/// each sweep, and last how well the nearest codes predict labels.
///
/// # Errors
///
/// If a figure cannot be drawn.
pub(super) fn comparisons(
    section: &str,
    runs: &[Compared],
    figures: &StudyFigures,
) -> Result<Vec<Drawn>, DrawError> {
    let chosen = |choose: &dyn Fn(&Compared) -> bool| -> Vec<Compared> {
        runs.iter().copied().filter(choose).collect()
    };
    let is_in = |sweep: &SweepFigures, cell: &str| sweep.cells.iter().any(|name| name == cell);
    let in_sweep = |cell: &str| figures.sweep.iter().any(|sweep| is_in(sweep, cell));
    let mut comparisons = Vec::new();
    let mut measures: Vec<Measure> = Vec::new();
    for measure in runs.iter().filter_map(|run| run.labels.compared) {
        if !measures.contains(&measure) {
            measures.push(measure);
        }
    }
    for measure in measures {
        let name = name_of(&measure);
        comparisons.push(Comparison {
            file: name.trim_start_matches("test ").to_string(),
            title: format!("{} by cell", capitalized(name)),
            axis: measure.label.to_string(),
            of: measure.name,
            runs: chosen(&|run| {
                run.labels.compared == Some(measure) && !in_sweep(&run.record.cell)
            }),
        });
    }
    for sweep in &figures.sweep {
        comparisons.extend(of_sweep(
            sweep,
            chosen(&|run| sweep.shown().any(|name| name == run.record.cell)),
        ));
    }
    comparisons.push(Comparison {
        file: "neighbours".into(),
        title: "Accuracy of predicting a label from the ten nearest codes".into(),
        axis: "accuracy (share of test images)".into(),
        of: "knn_accuracy",
        runs: runs.to_vec(),
    });
    let drawn = comparisons.into_iter();
    drawn
        .filter_map(|comparison| comparison.draw(section).transpose())
        .collect()
}

/// The figures of a sweep: the number that its family is compared by, and the distance
/// between train and test loss.
fn of_sweep<'a>(sweep: &SweepFigures, runs: Vec<Compared<'a>>) -> Vec<Comparison<'a>> {
    let Some(labels) = runs.first().map(|run| run.labels) else {
        return Vec::new();
    };
    let compared = labels.compared.map(|measure| Comparison {
        file: sweep.name.clone(),
        title: format!("{} by {}", capitalized(name_of(&measure)), sweep.by),
        axis: measure.label.to_string(),
        of: measure.name,
        runs: runs.clone(),
    });
    let unit = labels.loss.trim_start_matches("loss");
    let gap = Comparison {
        file: "gap".into(),
        title: format!("Distance between train and test loss by {}", sweep.by),
        axis: format!("distance between train and test loss{unit}"),
        of: "loss_gap",
        runs,
    };
    compared.into_iter().chain([gap]).collect()
}

/// The name of a measure, which is its label without the unit.
fn name_of(measure: &Measure) -> &'static str {
    measure.label.split(" (").next().unwrap_or(measure.label)
}

impl Comparison<'_> {
    /// The figure; `None` if fewer than two cells have the number.
    fn draw(self, section: &str) -> Result<Option<Drawn>, DrawError> {
        let mut caption = format!(
            "{}. Each dot is a seed, and the bar is the mean over seeds. On the right are the number \
             of parameters and the mean wall time of a run.",
            self.title
        );
        let mut rows: Vec<Row> = Vec::new();
        let is_same_cell =
            |left: &Compared, right: &Compared| left.record.cell == right.record.cell;
        for cell in self.runs.chunk_by(is_same_cell) {
            let values = cell.iter().filter_map(|run| run.record.number(self.of));
            let values: Vec<f64> = values.collect();
            let seconds: Vec<f64> = cell.iter().map(|run| run.record.seconds).collect();
            let seconds = mean(&seconds);
            let record = cell[0].record;
            let Some(Spread { mean, .. }) = Spread::of(&values) else {
                continue;
            };
            if self.of == "test_accuracy" && mean < LOW_ACCURACY {
                caption += &not_shown(&record.cell, mean);
                continue;
            }
            let seeds = values.into_iter().map(Mark::Seed);
            rows.push(Row {
                name: record.cell.clone(),
                marks: seeds.chain([Mark::MeanBar(mean)]).collect(),
                note: format!("{} parameters, {seconds:.0} s", record.parameters),
            });
        }
        if rows.len() < 2 {
            return Ok(None);
        }
        let plot = RowPlot {
            title: self.title,
            x: self.axis,
            rows,
        };
        Ok(Some(Drawn {
            file: format!("{section}-{}", self.file),
            caption,
            svg: plot.svg()?,
            cells: plot.rows.iter().map(|row| row.name.clone()).collect(),
            title: plot.title,
            data: None,
        }))
    }
}

/// The sentence in a caption about a cell that is far from the others.
pub(super) fn not_shown(cell: &str, mean: f64) -> String {
    format!(" {cell} is not shown: its mean is {mean:.3}.")
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

    /// The records as those of a family that is compared by its test accuracy.
    fn compared(records: &[Record]) -> Vec<Compared<'_>> {
        let labels = Figures {
            loss: "loss (mean cross-entropy)",
            compared: Some(Measure {
                name: "test_accuracy",
                label: "test accuracy (share of images)",
            }),
            ..Figures::PLAIN
        };
        let records = records.iter();
        records.map(|record| Compared { record, labels }).collect()
    }

    #[test]
    fn a_sweep_is_compared_with_its_reference_and_separate_from_other_cells() {
        let records = [
            record("a", 0, 0.92),
            record("b", 0, 0.98),
            record("c", 0, 0.981),
            record("d", 0, 0.7),
        ];
        let study = StudyFigures {
            sweep: vec![SweepFigures {
                name: "dropout".into(),
                by: "dropout rate".into(),
                reference: Some("b".into()),
                cells: vec!["c".into(), "d".into()],
            }],
            ..StudyFigures::default()
        };
        let figures = comparisons("2.5", &compared(&records), &study).expect("draws");
        let files: Vec<&str> = figures.iter().map(|figure| figure.file.as_str()).collect();
        assert_eq!(files, ["2.5-accuracy", "2.5-dropout", "2.5-gap"]);
        assert_eq!(figures[0].cells, ["a", "b"]);
        assert_eq!(figures[1].cells, ["b", "c"]);
        assert_eq!(figures[1].title, "Test accuracy by dropout rate");
        assert!(
            figures[1]
                .caption
                .contains("d is not shown: its mean is 0.700.")
        );
        assert_eq!(figures[2].cells.len(), 3);
    }

    #[test]
    fn without_sweeps_all_cells_are_compared() {
        let records = [record("a", 0, 0.92), record("b", 0, 0.98)];
        let figures =
            comparisons("2.5", &compared(&records), &StudyFigures::default()).expect("draws");
        assert_eq!(figures.len(), 1);
        assert_eq!(figures[0].cells, ["a", "b"]);
    }

    #[test]
    fn a_single_cell_has_no_comparison() {
        let one = record("mlp", 0, 0.98);
        for records in [&[one][..], &[]] {
            let figures = comparisons("2.5", &compared(records), &StudyFigures::default());
            assert!(figures.expect("draws").is_empty());
        }
    }
}
