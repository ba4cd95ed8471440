//! From histories to the curves of a figure: which cells share one, means over
//! seeds, and no more points than a figure can show.

use kindling_formats::HistoryRow;

use crate::figure::{Curve, Drawn, Error, Figure, Point};

/// Cells that one figure can tell apart by colour.
const CELLS: usize = 6;
/// Epochs at the end that are shown once more, larger.
const LAST: usize = 5;
/// Points of a line beyond which nobody sees a difference.
const POINTS: usize = 400;
/// Points of all lines of a figure, which keeps it below 200 kB.
const ALL_POINTS: usize = 15_000;

/// The histories of one cell.
pub(crate) struct History {
    pub(crate) cell: String,
    pub(crate) family: String,
    /// One for each seed.
    pub(crate) seeds: Vec<Vec<HistoryRow>>,
}

/// A figure and the name of its file, without the extension.
pub(crate) struct Named {
    pub(crate) file: String,
    pub(crate) figure: Figure,
}

impl Named {
    /// The picture.
    ///
    /// # Errors
    ///
    /// If plotters cannot draw it.
    pub(crate) fn draw(&self) -> Result<Drawn, Error> {
        let of_seeds = if self.figure.curves.iter().any(|curve| curve.seeds.len() > 1) {
            " Lines are means over seeds, faint lines single seeds, and the band holds them all (test)."
        } else {
            ""
        };
        Ok(Drawn {
            svg: self.figure.svg()?,
            cells: self
                .figure
                .curves
                .iter()
                .map(|curve| curve.name.clone())
                .collect(),
            caption: format!("{}.{of_seeds}", self.figure.title),
            title: self.figure.title.clone(),
            file: self.file.clone(),
        })
    }
}

/// The figures of a section, in the order of its cells.
pub(crate) fn figures(section: &str, histories: &[History]) -> Vec<Named> {
    let mut families: Vec<&str> = Vec::new();
    for history in histories {
        if !families.contains(&history.family.as_str()) {
            families.push(&history.family);
        }
    }
    let mut named = Vec::new();
    for family in families {
        let cells: Vec<&History> = histories
            .iter()
            .filter(|history| history.family == family)
            .collect();
        for group in groups(family, &cells) {
            named.extend(of_group(section, family, &group));
        }
        named.extend(beside(section, family, &cells));
        named.extend(zoom(section, family, &cells));
    }
    named
}

/// The study's four kinds of classifier on shared axes.
fn beside(section: &str, family: &str, cells: &[&History]) -> Vec<Named> {
    let kinds = ["linear", "mlp-10", "mlp", "convnet"];
    let cells: Vec<&History> = cells
        .iter()
        .copied()
        .filter(|history| kinds.contains(&history.cell.as_str()))
        .collect();
    if family != "classifier" || cells.len() < kinds.len() {
        return Vec::new();
    }
    let label = "four networks".to_string();
    of_group(section, family, &Group { label, cells })
}

/// The last epochs of the dropout sweep, beside the same network without dropout
/// and without those that learn too little to share an axis.
fn zoom(section: &str, family: &str, cells: &[&History]) -> Vec<Named> {
    let good = |history: &History| {
        let last = mean(&history.seeds, |row| row.test_accuracy).pop();
        last.is_some_and(|(epoch, accuracy)| epoch > 2 * LAST && accuracy > 0.9)
    };
    let late: Vec<History> = cells
        .iter()
        .filter(|history| history.cell == "mlp" || history.cell.starts_with("dropout"))
        .filter(|history| good(history))
        .map(|history| History {
            cell: history.cell.clone(),
            family: history.family.clone(),
            seeds: history
                .seeds
                .iter()
                .map(|rows| rows[rows.len().saturating_sub(LAST)..].to_vec())
                .collect(),
        })
        .collect();
    if late.len() < 2 {
        return Vec::new();
    }
    let label = "dropout, last epochs".to_string();
    let cells = late.iter().collect();
    of_group(section, family, &Group { label, cells })
}

/// Cells that share a figure.
struct Group<'a> {
    label: String,
    cells: Vec<&'a History>,
}

/// Models of one function belong together, and so do variants of one model. A
/// regression is called `model-function`, all else `model` or `model-variant`.
fn groups<'a>(family: &str, cells: &[&'a History]) -> Vec<Group<'a>> {
    let regression = family == "regression";
    let key = |cell: &str| {
        let parts = if regression {
            cell.rsplit_once('-').map(|(_, function)| function)
        } else {
            cell.split_once('-').map(|(model, _)| model)
        };
        parts.unwrap_or(cell).to_string()
    };
    let mut groups: Vec<Group> = Vec::new();
    for cell in cells {
        let label = key(&cell.cell);
        match groups.iter_mut().find(|group| group.label == label) {
            Some(group) => group.cells.push(cell),
            None => groups.push(Group {
                label,
                cells: vec![cell],
            }),
        }
    }
    let groups = if regression { groups } else { packed(groups) };
    groups.into_iter().flat_map(split).collect()
}

/// Neighbours share a figure as long as it holds them, so that a model without
/// variants does not stand alone.
fn packed(groups: Vec<Group>) -> Vec<Group> {
    let mut packed: Vec<Group> = Vec::new();
    for group in groups {
        match packed.last_mut() {
            Some(last) if last.cells.len() + group.cells.len() <= CELLS => {
                last.label = format!("{}, {}", last.label, group.label);
                last.cells.extend(group.cells);
            }
            _ => packed.push(group),
        }
    }
    packed
}

/// Parts of about equal size, where a group has more cells than colours.
fn split(group: Group) -> Vec<Group> {
    let parts = group.cells.len().div_ceil(CELLS);
    if parts < 2 {
        return vec![group];
    }
    let size = group.cells.len().div_ceil(parts);
    (1..)
        .zip(group.cells.chunks(size))
        .map(|(number, cells)| Group {
            label: format!("{} ({number} of {parts})", group.label),
            cells: cells.to_vec(),
        })
        .collect()
}

/// The loss of a group, and its accuracy where it has one.
fn of_group(section: &str, family: &str, group: &Group) -> Vec<Named> {
    let (epoch, loss) = match family {
        "regression" => ("iteration", "loss (mean squared error)"),
        "classifier" => ("epoch", "loss (mean cross-entropy)"),
        "autoencoder" => ("epoch", "loss (mean squared error per pixel)"),
        _ => ("epoch", "loss"),
    };
    let losses = curves(group, |row| Some(row.train_loss), |row| Some(row.test_loss));
    let accuracies = curves(group, |row| row.train_accuracy, |row| row.test_accuracy);
    let log = family == "regression" || spans_a_decade(&losses);
    [
        ("loss", losses, loss, log),
        ("accuracy", accuracies, "accuracy (share of images)", false),
    ]
    .into_iter()
    .filter(|(_, curves, ..)| curves.iter().any(|curve| !curve.test.is_empty()))
    .map(|(quantity, curves, y, log)| Named {
        file: format!("{section}-{family}-{}-{quantity}", group.label),
        figure: Figure {
            title: format!("{}: {quantity} by {epoch}", group.label),
            x: epoch.to_string(),
            y: format!("{y}{}", if log { ", log scale" } else { "" }),
            log,
            curves,
        },
    })
    .collect()
}

/// Whether a linear axis would press most of the test losses against its end.
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

type Value = fn(&HistoryRow) -> Option<f64>;

fn curves(group: &Group, train: Value, test: Value) -> Vec<Curve> {
    // Two means and a line for each seed.
    let lines: usize = group.cells.iter().map(|cell| 2 + cell.seeds.len()).sum();
    let limit = POINTS.min(ALL_POINTS / lines.max(1));
    let curve = |history: &&History| Curve {
        name: history.cell.clone(),
        train: thin(&mean(&history.seeds, train), limit),
        test: thin(&mean(&history.seeds, test), limit),
        seeds: history
            .seeds
            .iter()
            .map(|rows| thin(&points(rows, test), limit))
            .collect(),
    };
    group.cells.iter().map(curve).collect()
}

/// Where there is a finite value; a diverged loss has no place in a figure.
fn points(rows: &[HistoryRow], value: Value) -> Vec<Point> {
    rows.iter()
        .filter_map(|row| Some((row.epoch, value(row)?)))
        .filter(|point| point.1.is_finite())
        .collect()
}

/// The mean at each epoch that all seeds have. Beyond the end of the shortest
/// run it would jump for no reason in the data.
fn mean(seeds: &[Vec<HistoryRow>], value: Value) -> Vec<Point> {
    let mut sums: std::collections::BTreeMap<usize, (f64, usize)> = Default::default();
    for point in seeds.iter().flat_map(|rows| points(rows, value)) {
        let sum = sums.entry(point.0).or_default();
        *sum = (sum.0 + point.1, sum.1 + 1);
    }
    sums.into_iter()
        .filter(|(_, (_, count))| *count == seeds.len())
        .map(|(epoch, (sum, count))| (epoch, sum / count as f64))
        .collect()
}

/// At most about `limit` of the points, evenly spaced, the last among them.
fn thin(points: &[Point], limit: usize) -> Vec<Point> {
    let step = points.len().div_ceil(limit.max(1)).max(1);
    let mut thinned: Vec<Point> = points.iter().copied().step_by(step).collect();
    if let Some(&last) = points.last()
        && thinned.last() != Some(&last)
    {
        thinned.push(last);
    }
    thinned
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake;

    fn histories(family: &str, cells: &[&str]) -> Vec<History> {
        cells
            .iter()
            .map(|cell| History {
                cell: (*cell).to_string(),
                family: family.to_string(),
                seeds: vec![vec![fake::row(1, 0.5, 0.6)]],
            })
            .collect()
    }

    fn grouped(family: &str, cells: &[&str]) -> Vec<(String, Vec<String>)> {
        let histories = histories(family, cells);
        groups(family, &histories.iter().collect::<Vec<_>>())
            .into_iter()
            .map(|group| {
                let cells = group.cells.iter().map(|cell| cell.cell.clone());
                (group.label, cells.collect())
            })
            .collect()
    }

    #[test]
    fn the_models_of_a_function_share_a_figure() {
        let cells = ["linear-y0", "linear-y1", "convnet-y0", "convnet-y1"];
        assert_eq!(
            grouped("regression", &cells),
            [
                ("y0".into(), vec!["linear-y0".into(), "convnet-y0".into()]),
                ("y1".into(), vec!["linear-y1".into(), "convnet-y1".into()])
            ]
        );
    }

    #[test]
    fn the_variants_of_a_model_share_a_figure() {
        let cells = [
            "linear", "mlp-10", "depth-1", "depth-2", "depth-3", "depth-4", "mlp", "drop-1",
        ];
        assert_eq!(
            grouped("classifier", &cells),
            [
                (
                    "linear, mlp".into(),
                    vec!["linear".into(), "mlp-10".into(), "mlp".into()]
                ),
                (
                    "depth, drop".into(),
                    ["depth-1", "depth-2", "depth-3", "depth-4", "drop-1"]
                        .map(String::from)
                        .to_vec()
                )
            ]
        );
    }

    #[test]
    fn more_cells_than_colours_are_split_evenly() {
        let names: Vec<String> = (0..7).map(|index| format!("depth-{index}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let sizes: Vec<(String, usize)> = grouped("classifier", &names)
            .into_iter()
            .map(|(label, cells)| (label, cells.len()))
            .collect();
        assert_eq!(
            sizes,
            [("depth (1 of 2)".into(), 4), ("depth (2 of 2)".into(), 3)]
        );
    }

    #[test]
    fn the_mean_ends_with_the_shortest_run() {
        let long = vec![fake::row(1, 0.5, 4.0), fake::row(2, 0.5, 3.0)];
        let short = vec![fake::row(1, 0.5, 2.0)];
        assert_eq!(mean(&[long, short], |row| Some(row.test_loss)), [(1, 3.0)]);
    }

    #[test]
    fn a_diverged_loss_is_left_out() {
        let rows = [
            fake::row(1, 0.5, f64::NAN),
            fake::row(2, 0.5, f64::INFINITY),
        ];
        assert_eq!(points(&rows, |row| Some(row.test_loss)), []);
    }

    #[test]
    fn thinning_keeps_both_ends() {
        let points: Vec<Point> = (1..=1500).map(|epoch| (epoch, 0.0)).collect();
        let thinned = thin(&points, 400);
        assert_eq!(thinned.len(), 376); // 1, 5, .., 1497, and 1500
        assert_eq!(thinned.first(), points.first());
        assert_eq!(thinned.last(), points.last());
        assert_eq!(thin(&points[..3], 400), points[..3]);
        assert_eq!(thin(&[], 400), []);
    }

    #[test]
    fn many_cells_seeds_and_epochs_make_a_small_figure() {
        let mut histories = histories("classifier", &["a-1", "a-2", "a-3", "a-4", "a-5", "a-6"]);
        for (number, history) in histories.iter_mut().enumerate() {
            let loss = |epoch: usize| (number + 1) as f64 + 100.0 / epoch as f64;
            let rows = (1..=1500).map(|epoch| fake::row(epoch, loss(epoch), loss(epoch)));
            history.seeds = vec![rows.collect(); 20];
        }
        let svg = figures("2.5", &histories)[0].figure.svg().expect("draws");
        assert!(svg.len() < 200_000, "{} bytes", svg.len());
    }

    #[test]
    fn an_axis_is_logarithmic_where_losses_are_decades_apart() {
        let with = |loss: f64| {
            let mut histories = histories("classifier", &["a-1", "a-2"]);
            histories[0].seeds[0][0].test_loss = loss;
            let figures = figures("2.5", &histories);
            (figures[0].figure.log, figures[0].figure.y.clone())
        };
        assert_eq!(with(0.7), (false, "loss (mean cross-entropy)".into()));
        assert_eq!(
            with(7.0),
            (true, "loss (mean cross-entropy), log scale".into())
        );
    }
}
