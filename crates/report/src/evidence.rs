//! Figures of what single runs left beside their history: planes of codes, digits,
//! predictions. Of each cell the finished run with the smallest seed is shown.

use std::collections::BTreeMap;

use kindling_formats::{RunStatus, read_numbers};

use crate::Run;
use crate::figure::Drawn;
use crate::scatter::{Points, Scatter};
use crate::tiles::{Tile, Tiles};
use crate::weights::Weights;

/// Units of a first layer that are shown.
const UNITS: usize = 32;
/// Pixels of a digit's side.
const SIDE: usize = 28;

/// A table of numbers that a run left, with its columns.
pub(crate) struct Table {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<f64>>,
}

impl Table {
    /// The file, if the run left it. One that cannot be read joins `unreadable`.
    pub(crate) fn of(run: &Run, file: &str, unreadable: &mut Vec<String>) -> Option<Self> {
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

    /// The numbers of a row in a column.
    fn at(&self, row: &[f64], column: &str) -> Option<f64> {
        let place = self.columns.iter().position(|name| name == column)?;
        row.get(place).copied()
    }

    /// The image `name0`, `name1`, ... of a row, in [0, 1].
    fn image(&self, row: &[f64], name: &str) -> Option<Vec<f64>> {
        let first = format!("{name}0");
        let place = self.columns.iter().position(|column| *column == first)?;
        let bytes = row.get(place..place + SIDE * SIDE)?;
        Some(bytes.iter().map(|byte| byte / 255.0).collect())
    }
}

/// The figures of a section's runs.
///
/// # Errors
///
/// The words of what could not be drawn.
pub(crate) fn evidence(
    section: &str,
    runs: &[&Run],
    unreadable: &mut Vec<String>,
) -> Result<Vec<Drawn>, String> {
    let mut first: Vec<&Run> = Vec::new();
    for &run in runs {
        let seen = |shown: &&Run| shown.record.cell == run.record.cell;
        if run.record.status == RunStatus::Complete && !first.iter().any(seen) {
            first.push(run);
        }
    }
    let mut drawn = predictions(section, &first, unreadable)?;
    for run in first {
        let figures = [
            line(run, unreadable),
            plane(run, unreadable),
            reconstructions(run, unreadable),
            decoded(run, unreadable),
            first_weights(run, unreadable),
            confusion(run, unreadable),
            mistakes(run, unreadable),
        ];
        for (name, figure) in figures.into_iter().flatten() {
            let (title, caption, svg) = figure?;
            let record = &run.record;
            drawn.push(Drawn {
                file: format!("{section}-{}-{name}", record.cell),
                caption: format!("{caption} Seed {}.", record.seed),
                cells: vec![record.cell.clone()],
                title,
                svg,
            });
        }
    }
    Ok(drawn)
}

/// Title, caption and picture, by a name for the file; or why not.
type Figure = Option<(&'static str, Result<(String, String, String), String>)>;

fn scatter(name: &'static str, caption: &str, scatter: Scatter) -> Figure {
    let svg = scatter.svg().map_err(|error| error.to_string());
    Some((
        name,
        svg.map(|svg| (scatter.title, caption.to_string(), svg)),
    ))
}

fn tiles(name: &'static str, caption: &str, tiles: Tiles) -> Figure {
    // A network may make no mistakes.
    if tiles.tiles.is_empty() {
        return None;
    }
    let svg = tiles.svg().map_err(|error| error.to_string());
    Some((name, svg.map(|svg| (tiles.title, caption.to_string(), svg))))
}

/// Prediction against truth, a figure for each function, with all its models.
fn predictions(
    section: &str,
    runs: &[&Run],
    unreadable: &mut Vec<String>,
) -> Result<Vec<Drawn>, String> {
    let mut functions: BTreeMap<String, Vec<(&Run, Points)>> = BTreeMap::new();
    for &run in runs {
        let Some(table) = Table::of(run, "predictions.csv", unreadable) else {
            continue;
        };
        let cell = &run.record.cell;
        let function = cell.rsplit_once('-').map_or("", |(_, function)| function);
        let points = table
            .rows
            .iter()
            .filter_map(|row| Some((table.at(row, "y")?, table.at(row, "prediction")?)));
        let points = Points {
            name: cell.clone(),
            points: points.collect(),
        };
        let of_function = functions.entry(function.to_string()).or_default();
        of_function.push((run, points));
    }
    let draw = |(function, models): (String, Vec<(&Run, Points)>)| {
        let cells = models
            .iter()
            .map(|(run, _)| run.record.cell.clone())
            .collect();
        let figure = Scatter {
            title: format!("{function}: prediction against truth"),
            x: format!("{function} of a test row"),
            y: "prediction".into(),
            groups: models.into_iter().map(|(_, points)| points).collect(),
            diagonal: true,
            named: false,
        };
        Ok(Drawn {
            file: format!("{section}-{function}-predictions"),
            svg: figure.svg().map_err(|error| error.to_string())?,
            title: figure.title,
            caption: "A point is a test row; on the line the prediction is right. The smallest \
                      seed of each cell."
                .into(),
            cells,
        })
    };
    functions.into_iter().map(draw).collect()
}

/// The loss along the line through the stationary point.
fn line(run: &Run, unreadable: &mut Vec<String>) -> Figure {
    let table = Table::of(run, "line.csv", unreadable)?;
    let points = table
        .rows
        .iter()
        .filter_map(|row| Some((table.at(row, "t")?, table.at(row, "loss")?)));
    let figure = Scatter {
        title: "The tiny convnet's loss along a line".into(),
        x: "t: the drawn parameters times t".into(),
        y: "mean squared error".into(),
        groups: vec![Points {
            name: "loss".into(),
            points: points.collect(),
        }],
        diagonal: false,
        named: false,
    };
    scatter(
        "line",
        "At t = 0 all weights are zero: the gradient vanishes there, and the loss is not minimal.",
        figure,
    )
}

/// The codes of the test images, by label.
fn plane(run: &Run, unreadable: &mut Vec<String>) -> Figure {
    let table = Table::of(run, "codes.csv", unreadable)?;
    let mut labels: BTreeMap<u64, Vec<(f64, f64)>> = BTreeMap::new();
    for row in &table.rows {
        let point = (table.at(row, "z0")?, table.at(row, "z1")?);
        let label = table.at(row, "label")? as u64;
        labels.entry(label).or_default().push(point);
    }
    let classes = classes(run, unreadable);
    let groups = labels.into_iter().map(|(label, points)| Points {
        name: class(&classes, label as f64),
        points,
    });
    // Longer names would hide each other, and the points.
    let named = classes.iter().all(|name| name.len() <= 2);
    let figure = Scatter {
        title: format!(
            "{}: where {} test images land",
            run.record.cell,
            table.rows.len()
        ),
        x: "first number of the code".into(),
        y: "second number of the code".into(),
        groups: groups.collect(),
        diagonal: false,
        named,
    };
    let caption = if named {
        "A point is an image, its colour the label, which stands at the median of its points."
    } else {
        "A point is an image, its colour the label."
    };
    scatter("codes", caption, figure)
}

/// Digits above what comes back from their codes.
fn reconstructions(run: &Run, unreadable: &mut Vec<String>) -> Figure {
    let table = Table::of(run, "reconstructions.csv", unreadable)?;
    let of = |name: &'static str, caption: &'static str| {
        let table = &table;
        table.rows.iter().filter_map(move |row| {
            Some(Tile {
                pixels: table.image(row, name)?,
                caption: caption.into(),
            })
        })
    };
    let figure = Tiles {
        title: format!("{}: digits and what comes back", run.record.cell),
        side: SIDE,
        columns: table.rows.len().max(1),
        tiles: of("p", "digit").chain(of("r", "rebuilt")).collect(),
    };
    tiles(
        "reconstructions",
        "The first test image of each label, and below it the image decoded from its code.",
        figure,
    )
}

/// What the plane decodes to.
fn decoded(run: &Run, unreadable: &mut Vec<String>) -> Figure {
    let table = Table::of(run, "plane.csv", unreadable)?;
    let (first, last) = (table.rows.first()?, table.rows.last()?);
    let caption = format!(
        "The images that a grid of codes decodes to: from left to right the first number from \
         {:.2} to {:.2}, from below the second from {:.2} to {:.2}.",
        table.at(first, "z0")?,
        table.at(last, "z0")?,
        table.at(last, "z1")?,
        table.at(first, "z1")?,
    );
    let figure = Tiles {
        title: format!("{}: the plane, decoded", run.record.cell),
        side: SIDE,
        columns: (table.rows.len() as f64).sqrt().round() as usize,
        tiles: table
            .rows
            .iter()
            .filter_map(|row| {
                Some(Tile {
                    pixels: table.image(row, "p")?,
                    caption: String::new(),
                })
            })
            .collect(),
    };
    tiles("plane", &caption, figure)
}

/// What the first layer looks for: an image for each of its units, or a kernel for
/// each of its filters.
fn first_weights(run: &Run, unreadable: &mut Vec<String>) -> Figure {
    if run.record.family != "classifier" || !run.dir.weights().exists() {
        return None;
    }
    let (shape, weights) = match Weights::read(run).and_then(|weights| weights.first()) {
        Ok(first) => first,
        Err(error) => {
            unreadable.push(error.to_string());
            return None;
        }
    };
    // Dense weights are [inputs, outputs], kernels [filters, channels, side, side].
    let (side, units): (usize, Vec<Vec<f32>>) = match shape[..] {
        [inputs, outputs] if inputs == SIDE * SIDE => {
            let unit = |unit: usize| weights.iter().skip(unit).step_by(outputs).copied();
            (SIDE, (0..outputs).map(|one| unit(one).collect()).collect())
        }
        [_, 1, side, _] => {
            let kernels = weights.chunks(side * side).map(<[f32]>::to_vec);
            (side, kernels.collect())
        }
        _ => return None,
    };
    let shown: Vec<&Vec<f32>> = units.iter().take(UNITS).collect();
    let largest = shown
        .iter()
        .copied()
        .flatten()
        .fold(0f32, |most, weight| most.max(weight.abs()));
    let grey =
        |weight: &f32| 0.5 + 0.5 * f64::from(*weight) / f64::from(largest.max(f32::MIN_POSITIVE));
    let figure = Tiles {
        title: format!("{}: weights of the first layer", run.record.cell),
        side,
        columns: if shown.len() > 10 { 16 } else { 10 },
        tiles: shown
            .iter()
            .map(|weights| Tile {
                pixels: weights.iter().map(grey).collect(),
                caption: String::new(),
            })
            .collect(),
    };
    let caption = format!(
        "{} of {} units; grey is zero, white {largest:.3}, black the same below zero.",
        shown.len(),
        units.len(),
    );
    tiles("weights", &caption, figure)
}

/// The names of a run's classes; none where they cannot be read.
fn classes(run: &Run, unreadable: &mut Vec<String>) -> Vec<String> {
    run.dir.read_classes().unwrap_or_else(|error| {
        unreadable.push(error.to_string());
        Vec::new()
    })
}

/// The name of a label; the label itself where it has none.
fn class(classes: &[String], label: f64) -> String {
    let name = classes.get(label as usize);
    name.cloned().unwrap_or_else(|| label.to_string())
}

/// Which label is taken for which.
fn confusion(run: &Run, unreadable: &mut Vec<String>) -> Figure {
    let table = Table::of(run, "confusion.csv", unreadable)?;
    let title = format!("{}: labels and predictions", run.record.cell);
    let classes = classes(run, unreadable);
    let svg = crate::confusion::svg(&title, &classes, &table.rows);
    let caption = "Test images by label and prediction. Darker is more among the wrong ones.";
    Some(("confusion", Ok((title, caption.into(), svg))))
}

/// The digits that were taken for another with the most confidence.
fn mistakes(run: &Run, unreadable: &mut Vec<String>) -> Figure {
    let table = Table::of(run, "mistakes.csv", unreadable)?;
    let classes = classes(run, unreadable);
    let tile = |row: &Vec<f64>| {
        Some(Tile {
            pixels: table.image(row, "p")?,
            caption: format!(
                "{} for {}, {:.3}",
                class(&classes, table.at(row, "predicted")?),
                class(&classes, table.at(row, "label")?),
                table.at(row, "probability")?
            ),
        })
    };
    let figure = Tiles {
        title: format!("{}: most confidently wrong", run.record.cell),
        side: SIDE,
        columns: 7,
        tiles: table.rows.iter().filter_map(tile).collect(),
    };
    tiles(
        "mistakes",
        "Below each test image the prediction, the label and the predicted probability.",
        figure,
    )
}
