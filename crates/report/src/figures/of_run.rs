//! Figures of the tables and weights of a single run: its codes, its mistakes, the weights of
//! its first layer.

use std::collections::BTreeMap;

use kindling_formats::ImageShape;

use crate::figures::confusion;
use crate::figures::drawn::{DrawError, Drawn};
use crate::figures::scatter::{Points, Scatter};
use crate::figures::tiles::{Tile, Tiles};
use crate::read::{NumberTable, RecordedRun, Weights};

/// The largest number of units of a first layer that are shown.
const UNITS: usize = 32;

/// The number of steps between black and white in a plane of decoded images. With 255 steps the
/// figure would be more than twice as large, and look the same.
const PLANE_STEPS: f64 = 15.0;
/// The number of steps between black and white in images of weights. With 255 steps the figure would
/// be larger, and look the same. The number is even, so that the grey of zero is one of the steps.
const WEIGHT_STEPS: f64 = 30.0;

/// A figure of a run.
struct RunFigure {
    /// What the figure shows, in the name of its file.
    name: &'static str,
    title: String,
    caption: String,
    svg: String,
}

/// A figure of a run; `None` if the run does not have the file that the figure needs.
type MaybeFigure = Result<Option<RunFigure>, DrawError>;

/// The figures of a run.
///
/// # Errors
///
/// If a figure cannot be drawn.
pub(super) fn figures_of_run(
    section: &str,
    run: &RecordedRun,
    unreadable: &mut Vec<String>,
) -> Result<Vec<Drawn>, DrawError> {
    let figures = [
        loss_line(run, unreadable)?,
        codes(run, unreadable)?,
        reconstructions(run, unreadable)?,
        decoded_plane(run, unreadable)?,
        first_weights(run, unreadable)?,
        confusion_matrix(run, unreadable)?,
        mistakes(run, unreadable)?,
    ];
    let record = &run.record;
    let drawn = figures.into_iter().flatten().map(|figure| Drawn {
        file: format!("{section}-{}-{}", record.cell, figure.name),
        title: figure.title,
        caption: format!("{} Seed {}.", figure.caption, record.seed),
        svg: figure.svg,
        cells: vec![record.cell.clone()],
        data: None,
    });
    Ok(drawn.collect())
}

fn of_scatter(name: &'static str, caption: &str, plot: Scatter) -> MaybeFigure {
    Ok(Some(RunFigure {
        name,
        svg: plot.svg()?,
        title: plot.title,
        caption: caption.to_string(),
    }))
}

/// The figure of `tiles`; `None` if there are no tiles, for example because a network makes no
/// mistakes.
fn of_tiles(name: &'static str, caption: &str, tiles: Tiles) -> MaybeFigure {
    if tiles.tiles.is_empty() {
        return Ok(None);
    }
    Ok(Some(RunFigure {
        name,
        svg: tiles.svg()?,
        title: tiles.title,
        caption: caption.to_string(),
    }))
}

/// The loss of the tiny convnet along the line through its stationary point.
fn loss_line(run: &RecordedRun, unreadable: &mut Vec<String>) -> MaybeFigure {
    let Some(table) = NumberTable::read(run, "line.csv", unreadable) else {
        return Ok(None);
    };
    let points = table
        .rows
        .iter()
        .filter_map(|row| Some((table.at(row, "t")?, table.at(row, "loss")?)));
    let figure = Scatter {
        title: "The tiny convnet's loss along a line".into(),
        x: "t, by which the random parameters are multiplied".into(),
        y: "mean squared error".into(),
        groups: vec![Points {
            name: "loss".into(),
            points: points.collect(),
        }],
        diagonal: false,
        named: false,
    };
    of_scatter(
        "line",
        "At t = 0 all weights are zero. The gradient is zero there, but the loss is not minimal.",
        figure,
    )
}

/// The codes of the test images in the plane, by label.
fn codes(run: &RecordedRun, unreadable: &mut Vec<String>) -> MaybeFigure {
    let Some(table) = NumberTable::read(run, "codes.csv", unreadable) else {
        return Ok(None);
    };
    let mut labels: BTreeMap<u64, Vec<(f64, f64)>> = BTreeMap::new();
    for row in &table.rows {
        let at = |column: &str| table.at(row, column);
        let (Some(label), Some(z0), Some(z1)) = (at("label"), at("z0"), at("z1")) else {
            return Ok(None);
        };
        labels.entry(label as u64).or_default().push((z0, z1));
    }
    let classes = classes(run);
    let groups = labels.into_iter().map(|(label, points)| Points {
        name: class(classes, label as f64),
        points,
    });
    // Longer names would cover each other and the points.
    let named = classes.iter().all(|name| name.len() <= 2);
    let figure = Scatter {
        title: format!(
            "{}: codes of {} test images",
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
        "A point is a test image, and its colour is its label. Each label is written at the \
         median of its points."
    } else {
        "A point is a test image, and its colour is its label."
    };
    of_scatter("codes", caption, figure)
}

/// Test images, and below each the image that is decoded from its code.
fn reconstructions(run: &RecordedRun, unreadable: &mut Vec<String>) -> MaybeFigure {
    let Some(table) = NumberTable::read(run, "reconstructions.csv", unreadable) else {
        return Ok(None);
    };
    let Some(shape) = shape(run) else {
        return Ok(None);
    };
    let of = |name: &'static str, caption: &'static str| {
        let table = &table;
        table.rows.iter().filter_map(move |row| {
            Some(Tile {
                pixels: table.image(row, name, shape)?,
                caption: caption.into(),
            })
        })
    };
    let figure = Tiles {
        title: format!("{}: images and their reconstructions", run.record.cell),
        shape,
        columns: table.rows.len().max(1),
        tiles: of("p", "image").chain(of("r", "decoded")).collect(),
    };
    of_tiles(
        "reconstructions",
        "The first test image of each label, and below it the image that is decoded from its code.",
        figure,
    )
}

/// The images that a grid of codes is decoded to.
fn decoded_plane(run: &RecordedRun, unreadable: &mut Vec<String>) -> MaybeFigure {
    let Some(table) = NumberTable::read(run, "plane.csv", unreadable) else {
        return Ok(None);
    };
    let corner = |row: &Vec<f64>| Some((table.at(row, "z0")?, table.at(row, "z1")?));
    let corners = table.rows.first().zip(table.rows.last());
    let corners = corners.and_then(|(first, last)| corner(first).zip(corner(last)));
    let (Some(((left, top), (right, bottom))), Some(shape)) = (corners, shape(run)) else {
        return Ok(None);
    };
    let caption = format!(
        "The images that a grid of codes is decoded to. From left to right the first number of \
         the code goes from {left:.2} to {right:.2}, from bottom to top the second from \
         {bottom:.2} to {top:.2}.",
    );
    let figure = Tiles {
        title: format!("{}: images decoded from a grid of codes", run.record.cell),
        shape,
        columns: (table.rows.len() as f64).sqrt().round() as usize,
        tiles: table
            .rows
            .iter()
            .filter_map(|row| {
                let pixels = table.image(row, "p", shape)?.into_iter();
                Some(Tile {
                    pixels: pixels.map(|pixel| rounded(pixel, PLANE_STEPS)).collect(),
                    caption: String::new(),
                })
            })
            .collect(),
    };
    of_tiles("plane", &caption, figure)
}

/// The weights of a classifier's first layer: an image for each of its units, or a kernel
/// for each of its filters.
fn first_weights(run: &RecordedRun, unreadable: &mut Vec<String>) -> MaybeFigure {
    if run.record.family != "classifier" || !run.dir.weights().exists() {
        return Ok(None);
    }
    let Some(image) = shape(run) else {
        return Ok(None);
    };
    let (dimensions, weights) = match Weights::read(run).and_then(|weights| weights.first()) {
        Ok(first) => first,
        Err(error) => {
            unreadable.push(error.to_string());
            return Ok(None);
        }
    };
    // A dense weight is [inputs, outputs], a convolution's [filters, channels, side, side].
    let (shape, units): (ImageShape, Vec<Vec<f32>>) = match dimensions[..] {
        [inputs, outputs] if inputs == image.numbers() => {
            let unit = |unit: usize| weights.iter().skip(unit).step_by(outputs).copied();
            (image, (0..outputs).map(|one| unit(one).collect()).collect())
        }
        [_, channels, side, _] => {
            let shape = ImageShape::from([channels, side, side]);
            let kernels = weights.chunks(shape.numbers()).map(<[f32]>::to_vec);
            (shape, kernels.collect())
        }
        _ => return Ok(None),
    };
    let shown: Vec<&Vec<f32>> = units.iter().take(UNITS).collect();
    let largest = shown
        .iter()
        .copied()
        .flatten()
        .fold(0f32, |most, weight| most.max(weight.abs()));
    let grey = |weight: &f32| {
        let share = f64::from(*weight) / f64::from(largest.max(f32::MIN_POSITIVE));
        rounded(0.5 + 0.5 * share, WEIGHT_STEPS)
    };
    let figure = Tiles {
        title: format!("{}: weights of the first layer", run.record.cell),
        shape,
        columns: if shown.len() > 10 { 16 } else { 10 },
        tiles: shown
            .iter()
            .map(|weights| Tile {
                pixels: weights.iter().map(grey).collect(),
                caption: String::new(),
            })
            .collect(),
    };
    let colours = match shape.channels {
        1 => "",
        _ => " The weights of red, green and blue are shown as these colours.",
    };
    let caption = format!(
        "{} of {} units. Grey is zero, white is {largest:.3}, and black is -{largest:.3}.{colours}",
        shown.len(),
        units.len(),
    );
    of_tiles("weights", &caption, figure)
}

/// A pixel in [0, 1], rounded to a multiple of one of `steps`.
fn rounded(pixel: f64, steps: f64) -> f64 {
    (steps * pixel).round() / steps
}

/// The shape of the images of a run; `None` if its record does not say it.
fn shape(run: &RecordedRun) -> Option<ImageShape> {
    run.record.data.as_ref().map(|data| data.shape)
}

/// The names of a run's classes; none if its record does not say them.
fn classes(run: &RecordedRun) -> &[String] {
    let data = run.record.data.as_ref();
    data.map_or(&[], |data| &data.classes)
}

/// The name of a label; its number if it has no name.
fn class(classes: &[String], label: f64) -> String {
    let name = classes.get(label as usize);
    name.cloned().unwrap_or_else(|| label.to_string())
}

/// The number of test images by label and prediction.
fn confusion_matrix(run: &RecordedRun, unreadable: &mut Vec<String>) -> MaybeFigure {
    let Some(table) = NumberTable::read(run, "confusion.csv", unreadable) else {
        return Ok(None);
    };
    let title = format!("{}: labels and predictions", run.record.cell);
    Ok(Some(RunFigure {
        name: "confusion",
        svg: confusion::svg(&title, classes(run), &table.rows)?,
        title,
        caption: "Number of test images by label and prediction. The darker a field outside the \
                  diagonal, the more mistakes it counts."
            .into(),
    }))
}

/// The wrongly classified test images with the highest predicted probabilities.
fn mistakes(run: &RecordedRun, unreadable: &mut Vec<String>) -> MaybeFigure {
    let Some(table) = NumberTable::read(run, "mistakes.csv", unreadable) else {
        return Ok(None);
    };
    let Some(shape) = shape(run) else {
        return Ok(None);
    };
    let classes = classes(run);
    let tile = |row: &Vec<f64>| {
        Some(Tile {
            pixels: table.image(row, "p", shape)?,
            caption: format!(
                "{} for {}, {:.3}",
                class(classes, table.at(row, "predicted")?),
                class(classes, table.at(row, "label")?),
                table.at(row, "probability")?
            ),
        })
    };
    let figure = Tiles {
        title: format!("{}: mistakes with the highest probability", run.record.cell),
        shape,
        columns: 7,
        tiles: table.rows.iter().filter_map(tile).collect(),
    };
    of_tiles(
        "mistakes",
        "Below each test image are the predicted label, the true label and the predicted \
         probability.",
        figure,
    )
}
