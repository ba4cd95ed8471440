//! Figures of losses and accuracies by epoch.

use kindling_formats::{Figures, HistoryRow, StudyFigures};

use crate::figures::averages::{Value, mean, points, thin};
use crate::figures::chart_data::ChartData;
use crate::figures::drawn::{DrawError, Drawn};
use crate::figures::groups::{Group, History, groups};
use crate::figures::line_chart::{Curve, LineChart};

/// The largest number of points of a line. More points would make no visible difference.
const LINE_POINTS: usize = 400;
/// The largest number of points of all lines of a figure. It keeps the file below 200 kB.
const FIGURE_POINTS: usize = 15_000;

/// A chart and the name of its file, without the extension.
struct Named {
    file: String,
    chart: LineChart,
}

/// The figures of a section's curves. Only cells of one family share a figure. The families
/// are in the order of their first cells.
///
/// # Errors
///
/// If a figure cannot be drawn.
pub(super) fn curves(
    section: &str,
    histories: &[History],
    figures: &StudyFigures,
) -> Result<Vec<Drawn>, DrawError> {
    let charts = charts(section, histories, figures);
    charts.iter().map(Named::draw).collect()
}

fn charts(section: &str, histories: &[History], figures: &StudyFigures) -> Vec<Named> {
    let mut families: Vec<&str> = Vec::new();
    for history in histories {
        if !families.contains(&history.family.as_str()) {
            families.push(&history.family);
        }
    }
    let mut named = Vec::new();
    for family in families {
        let cells = histories.iter();
        let cells: Vec<&History> = cells.filter(|cell| cell.family == family).collect();
        for group in groups(&cells, figures) {
            named.extend(of_group(section, family, &group));
        }
    }
    named
}

impl Named {
    fn draw(&self) -> Result<Drawn, DrawError> {
        let curves = &self.chart.curves;
        let of_seeds = if curves.iter().any(|curve| curve.seeds.len() > 1) {
            " Thick lines are means over seeds. Faint lines are single seeds on the test \
             split, and the band covers all of them."
        } else {
            ""
        };
        Ok(Drawn {
            svg: self.chart.svg()?,
            cells: curves.iter().map(|curve| curve.name.clone()).collect(),
            caption: format!("{}.{of_seeds}", self.chart.title),
            title: self.chart.title.clone(),
            file: self.file.clone(),
            data: ChartData::of(&self.chart).json(),
        })
    }
}

/// The chart of a group's losses, and that of its accuracies if it has any.
fn of_group(section: &str, family: &str, group: &Group) -> Vec<Named> {
    let labels = group
        .cells
        .first()
        .map_or(Figures::PLAIN, |cell| cell.labels);
    let epoch = labels.step;
    let losses = curves_of(
        group,
        |row| Some(row.train_loss),
        |row| Some(row.evaluated_loss),
    );
    let accuracies = curves_of(
        group,
        |row| row.train_accuracy,
        |row| row.evaluated_accuracy,
    );
    let log = labels.is_log || spans_a_decade(&losses);
    [
        ("loss", losses, labels.loss, log),
        ("accuracy", accuracies, "accuracy (share of images)", false),
    ]
    .into_iter()
    .filter(|(_, curves, ..)| curves.iter().any(|curve| !curve.test.is_empty()))
    .map(|(quantity, curves, y, log)| Named {
        file: format!("{section}-{family}-{}-{quantity}", group.name),
        chart: LineChart {
            title: format!("{}: {quantity} by {epoch}", group.name),
            x: epoch.to_string(),
            y: format!("{y}{}", if log { ", log scale" } else { "" }),
            log,
            curves,
        },
    })
    .collect()
}

/// Whether the largest test loss is more than ten times the smallest one, so that on a linear
/// axis most losses could not be told apart.
fn spans_a_decade(curves: &[Curve]) -> bool {
    let losses = || {
        curves
            .iter()
            .flat_map(|curve| &curve.test)
            .map(|point| point.1)
    };
    let least = losses().fold(f64::INFINITY, f64::min);
    let most = losses().fold(0.0, f64::max);
    least > 0.0 && most > 10.0 * least
}

/// The largest number of points of a line in a figure of this many lines.
pub(super) fn line_points(lines: usize) -> usize {
    LINE_POINTS.min(FIGURE_POINTS / lines.max(1))
}

fn curves_of(group: &Group, train: Value, test: Value) -> Vec<Curve> {
    // A cell has two means and a line for each seed.
    let lines: usize = group.cells.iter().map(|cell| 2 + cell.seeds.len()).sum();
    let limit = line_points(lines);
    let seed = |rows: &Vec<HistoryRow>| thin(&points(rows, test), limit);
    let curve = |history: &History| Curve {
        name: history.cell.clone(),
        train: thin(&mean(&history.seeds, train), limit),
        test: thin(&mean(&history.seeds, test), limit),
        seeds: history.seeds.iter().map(seed).collect(),
    };
    group.cells.iter().map(curve).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake;

    fn histories(cells: &[&str]) -> Vec<History> {
        cells
            .iter()
            .map(|cell| {
                let mut history = History {
                    cell: (*cell).to_string(),
                    family: "classifier".to_string(),
                    labels: Figures {
                        loss: "loss (mean cross-entropy)",
                        ..Figures::PLAIN
                    },
                    function: None,
                    seeds: Vec::new(),
                    last: Vec::new(),
                };
                history.add_seed(&[fake::row(1, 0.5, 0.6)], LINE_POINTS);
                history
            })
            .collect()
    }

    #[test]
    fn many_cells_seeds_and_epochs_make_a_small_figure() {
        let mut histories = histories(&["a-1", "a-2", "a-3", "a-4", "a-5", "a-6"]);
        for (number, history) in histories.iter_mut().enumerate() {
            let loss = |epoch: usize| (number + 1) as f64 + 100.0 / epoch as f64;
            let rows = (1..=1500).map(|epoch| fake::row(epoch, loss(epoch), loss(epoch)));
            history.seeds = vec![rows.collect(); 20];
        }
        let figures = curves("2.5", &histories, &StudyFigures::default()).expect("draws");
        let svg = &figures[0].svg;
        assert!(svg.len() < 200_000, "{} bytes", svg.len());
    }

    #[test]
    fn an_axis_is_logarithmic_where_losses_are_decades_apart() {
        let with = |loss: f64| {
            let mut histories = histories(&["a-1", "a-2"]);
            histories[0].seeds[0][0].evaluated_loss = loss;
            let charts = charts("2.5", &histories, &StudyFigures::default());
            (charts[0].chart.log, charts[0].chart.y.clone())
        };
        assert_eq!(with(0.7), (false, "loss (mean cross-entropy)".into()));
        assert_eq!(
            with(7.0),
            (true, "loss (mean cross-entropy), log scale".into())
        );
    }
}
