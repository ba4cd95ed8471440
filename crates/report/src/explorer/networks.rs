//! The networks of the explorer, with their layers.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use kindling_formats::{
    ChannelScale, DataInfo, Error, ExplorerCells, ImageShape, Result, RunStatus, Task, read_numbers,
};
use serde::Serialize;

use crate::explorer::layers::{Layer, classifier, decoder, encoder, principal_components};
use crate::read::{NumberTable, RecordedRun, Weights};

/// The largest number of codes that are drawn in a plane.
const CODES: usize = 2000;

/// The data of the explorer.
#[derive(Debug, Serialize)]
pub(crate) struct Explorer {
    /// The shape of the images of all networks.
    shape: ImageShape,
    /// The names of the classes, in the order of the labels from 0.
    classes: Vec<String>,
    classifiers: Vec<Network>,
    planes: Vec<Plane>,
    /// A test image of each class.
    examples: Vec<Example>,
}

/// A test image.
#[derive(Debug, Serialize)]
struct Example {
    label: usize,
    /// The bytes `[channels, height, width]` in base64.
    pixels: String,
}

/// A classifier.
#[derive(Debug, Serialize)]
struct Network {
    name: String,
    seed: u64,
    /// The scale of each channel; `None` if the network sees pixels in [0, 1].
    scale: Option<Vec<ChannelScale>>,
    layers: Vec<Layer>,
}

/// A plane of codes, with the layers from an image to its code and back.
#[derive(Debug, Serialize)]
struct Plane {
    name: String,
    seed: u64,
    encoder: Vec<Layer>,
    decoder: Vec<Layer>,
    /// `[label, z0, z1]` of some test images.
    codes: Vec<[f64; 3]>,
}

/// The networks of `cells`, each from the cell's complete run with the smallest seed, of those
/// that learned from the same kind of images as the first one. `None` if there are no such
/// networks. If a network cannot be read, the error is added to `unreadable`.
pub(crate) fn explorer(
    cells: &ExplorerCells,
    runs: &[RecordedRun],
    unreadable: &mut Vec<String>,
) -> Option<Explorer> {
    let first = |cell: &String| {
        runs.iter()
            .find(|run| run.record.cell == *cell && run.record.status == RunStatus::Complete)
    };
    let mut keep = |run: &RecordedRun, error: Error| {
        unreadable.push(format!("{} in the explorer: {error}", run.record.cell));
    };
    let of = |cells: &[String]| -> Vec<&RecordedRun> { cells.iter().filter_map(first).collect() };
    let (classifiers, planes) = (of(&cells.classifiers), of(&cells.planes));
    let mut all = classifiers.iter().chain(&planes);
    let data = all.find_map(|run| run.record.data.as_ref())?;
    let kind = |data: &DataInfo| (data.shape, data.classes.clone());
    let is_alike = |run: &&RecordedRun| {
        let own = run.record.data.as_ref();
        own.is_some_and(|own| kind(own) == kind(data))
    };
    let mut found = Explorer {
        shape: data.shape,
        classes: data.classes.clone(),
        classifiers: Vec::new(),
        planes: Vec::new(),
        examples: Vec::new(),
    };
    for run in classifiers.into_iter().filter(is_alike) {
        match network(run, data.shape) {
            Ok(network) => found.classifiers.extend(network),
            Err(error) => keep(run, error),
        }
    }
    found.examples = planes
        .iter()
        .filter(|run| is_alike(run))
        .map(|run| examples(run, data.shape))
        .find(|examples| !examples.is_empty())
        .unwrap_or_default();
    for run in planes.into_iter().filter(is_alike) {
        match plane(run) {
            Ok(plane) => found.planes.extend(plane),
            Err(error) => keep(run, error),
        }
    }
    (!found.classifiers.is_empty() || !found.planes.is_empty()).then_some(found)
}

/// The first test image of each class, as the run has kept it beside its reconstruction.
fn examples(run: &RecordedRun, shape: ImageShape) -> Vec<Example> {
    // The figure of the reconstructions reads the same file, and reports an error.
    let table = NumberTable::read(run, "reconstructions.csv", &mut Vec::new());
    let rows = table.iter().flat_map(|table| {
        table.rows.iter().filter_map(|row| {
            let pixels = table.image(row, "p", shape)?;
            let bytes: Vec<u8> = pixels
                .iter()
                .map(|pixel| (255.0 * pixel).round() as u8)
                .collect();
            Some(Example {
                label: table.at(row, "label")? as usize,
                pixels: BASE64_STANDARD.encode(bytes),
            })
        })
    });
    rows.collect()
}

/// The classifier of a run on images of the shape `image`; `None` if the run has no file of
/// weights.
fn network(run: &RecordedRun, image: ImageShape) -> Result<Option<Network>> {
    let Task::Classifier(task) = &run.config.task else {
        return Ok(None);
    };
    if !run.dir.weights().exists() {
        return Ok(None);
    }
    let weights = Weights::read(run)?;
    Ok(Some(Network {
        name: run.record.cell.clone(),
        seed: run.record.seed,
        scale: run.record.scale.clone(),
        layers: classifier(&weights, &task.model, image)?,
    }))
}

/// The plane of a run; `None` if its codes do not have two numbers, or the page's script
/// cannot compute its layers.
fn plane(run: &RecordedRun) -> Result<Option<Plane>> {
    let path = run.dir.file("codes.csv");
    if !path.exists() {
        return Ok(None);
    }
    let (encoder, decoder) = match &run.config.task {
        Task::Autoencoder(task) if task.model.conv.is_none() && task.model.code == 2 => {
            if !run.dir.weights().exists() {
                return Ok(None);
            }
            let weights = Weights::read(run)?;
            (
                encoder(&weights, &task.model)?,
                decoder(&weights, &task.model)?,
            )
        }
        Task::Pca(task) if task.model.components == 2 => principal_components(run)?,
        _ => return Ok(None),
    };
    let (_, rows) = read_numbers(&path)?;
    let codes = rows.iter().take(CODES).filter_map(|row| {
        let code: [f64; 3] = row.as_slice().try_into().ok()?;
        // Four decimals are far finer than a pixel.
        Some(code.map(|number| (1e4 * number).round() / 1e4))
    });
    Ok(Some(Plane {
        name: run.record.cell.clone(),
        seed: run.record.seed,
        encoder,
        decoder,
        codes: codes.collect(),
    }))
}
