//! Writes made-up runs of a whole study: every file that the report reads, with numbers that
//! were not computed by a training.

use std::collections::HashMap;

use kindling_formats::{
    AutoencoderModel, ClassifierModel, History, HistoryRow, Layout, Record, RunConfig, RunDir,
    Selection, Size, Split, Study, Task, image_columns, write_numbers,
};
use safetensors::tensor::{Dtype, TensorView};

use crate::fake;

/// Pixels of an image.
const NUMBERS: usize = 28 * 28;
/// Labels of the images.
const LABELS: usize = 10;
/// Seeds of a cell in which something is random.
const SEEDS: u64 = 2;

/// Writes a finished run of every cell of `study`, with all its files.
pub fn write(study: &Study, layout: &Layout) {
    let selection = Selection {
        seeds: Some(SEEDS),
        ..Selection::own(Size::Full)
    };
    let configs = study.expand(&selection).expect("a valid study");
    let cells = study.cells().iter().map(|cell| cell.name.as_str());
    let places: HashMap<&str, usize> = cells.zip(0..).collect();
    for config in &configs {
        let place = places[config.cell.as_str()] as f64;
        let record = record(config, place);
        let dir = fake::finish(layout, &fake::with_config_of(study, Size::Full, record));
        std::fs::write(dir.config(), config.to_toml()).expect("writes");
        write_files(&dir, config, place);
    }
}

/// The record of a run of the cell with the position `place` in the study.
fn record(config: &RunConfig, place: f64) -> Record {
    let is_classifier = matches!(config.task, Task::Classifier(_));
    let accuracy = is_classifier.then_some(accuracy(config, place));
    let separation = [("knn_accuracy".to_string(), 0.5 + 0.01 * place)];
    Record {
        section: config.section.clone(),
        family: config.task.family().into(),
        epochs: config.task.epochs(),
        train_loss: Some(0.04 + 0.002 * place),
        test_loss: Some(0.05 + 0.001 * place + 0.0001 * config.seed as f64),
        train_accuracy: accuracy,
        test_accuracy: accuracy,
        metrics: match config.task {
            Task::Autoencoder(_) | Task::Pca(_) => separation.into(),
            _ => Default::default(),
        },
        ..fake::record(&config.cell, config.seed)
    }
}

/// A test accuracy, which is low for a high dropout rate.
fn accuracy(config: &RunConfig, place: f64) -> f64 {
    let learns = match &config.task {
        Task::Classifier(task) => task.model.dropout < 0.8,
        _ => true,
    };
    if learns { 0.95 + 0.001 * place } else { 0.7 }
}

fn write_files(dir: &RunDir, config: &RunConfig, place: f64) {
    let write = |name: &str, columns: &[String], rows: Vec<Vec<f64>>| {
        write_numbers(&dir.file(name), columns, rows).expect("writes");
    };
    let epochs = config.task.epochs();
    if epochs > 0 {
        let accuracy = matches!(config.task, Task::Classifier(_)).then(|| accuracy(config, place));
        let row = |epoch: usize| HistoryRow {
            train_accuracy: accuracy,
            evaluated_accuracy: accuracy,
            ..fake::row(
                epoch,
                0.1 + 1.0 / epoch as f64,
                0.2 + (1.0 + 0.1 * place) / epoch as f64,
            )
        };
        let history = History {
            split: Split::Test,
            rows: (1..=epochs).map(row).collect(),
        };
        history.write(&dir.history()).expect("writes");
    }
    match &config.task {
        Task::Gradients(_) => {
            let rows = |count: usize| (0..count).map(|row| vec![row as f64 - 3.0, row as f64]);
            write("line.csv", &names(["t", "loss"]), rows(7).collect());
            write(
                "gradients.csv",
                &names(["automatic", "by_hand"]),
                rows(4).collect(),
            );
        }
        Task::Regression(_) => {
            let rows = (0..9).map(|row| vec![f64::from(row), f64::from(row) + 0.1 * place]);
            write(
                "predictions.csv",
                &names(["y", "prediction"]),
                rows.collect(),
            );
        }
        Task::Classifier(task) => {
            write_classifier(&write, place);
            write_weights(dir, &classifier_shapes(&task.model));
        }
        Task::Autoencoder(task) => {
            write_plane(&write);
            if task.model.conv.is_none() {
                write_weights(dir, &autoencoder_shapes(&task.model));
            }
        }
        Task::Pca(_) => {
            write_plane(&write);
            let rows = (0..NUMBERS).map(|pixel| vec![0.5, 1e-3 * pixel as f64, 0.01]);
            let columns = names(["mean", "component0", "component1"]);
            write("components.csv", &columns, rows.collect());
        }
    }
}

fn write_classifier(write: &impl Fn(&str, &[String], Vec<Vec<f64>>), place: f64) {
    let labels = (0..LABELS).map(|label| label.to_string());
    let columns: Vec<String> = std::iter::once("label".into()).chain(labels).collect();
    let count = |label: usize, class: usize| match (label, class) {
        _ if label == class => 90.0,
        (3, 5) => 7.0 + place,
        _ => ((label + class) % 3) as f64,
    };
    let counts = |label: usize| (0..LABELS).map(move |class| count(label, class));
    let row = |label: usize| std::iter::once(label as f64).chain(counts(label)).collect();
    write("confusion.csv", &columns, (0..LABELS).map(row).collect());
    let mut columns = names(["index", "label", "predicted", "probability"]);
    columns.extend(image_columns("p", NUMBERS));
    let row = |index: usize| {
        let head = [index as f64, (index % 10) as f64, 3.0, 0.9];
        head.into_iter().chain(image(index)).collect()
    };
    write("mistakes.csv", &columns, (0..9).map(row).collect());
}

fn write_plane(write: &impl Fn(&str, &[String], Vec<Vec<f64>>)) {
    let row = |index: usize| {
        let index = index as f64;
        vec![index % 10.0, index.sin(), (2.0 * index).cos()]
    };
    write(
        "codes.csv",
        &names(["label", "z0", "z1"]),
        (0..60).map(row).collect(),
    );
    let mut columns = names(["index", "label"]);
    columns.extend(image_columns("p", NUMBERS));
    columns.extend(image_columns("r", NUMBERS));
    let row = |label: usize| {
        let head = [label as f64, label as f64];
        let images = image(label).chain(image(label + 1));
        head.into_iter().chain(images).collect()
    };
    write(
        "reconstructions.csv",
        &columns,
        (0..LABELS).map(row).collect(),
    );
    let mut columns = names(["z0", "z1"]);
    columns.extend(image_columns("p", NUMBERS));
    let row = |place: usize| {
        let head = [(place % 3) as f64, 2.0 - (place / 3) as f64];
        head.into_iter().chain(image(place)).collect()
    };
    write("plane.csv", &columns, (0..9).map(row).collect());
}

fn names<const N: usize>(names: [&str; N]) -> Vec<String> {
    names.map(str::to_string).to_vec()
}

/// The bytes of an image, each in [0, 255].
fn image(number: usize) -> impl Iterator<Item = f64> {
    (0..NUMBERS).map(move |pixel| ((pixel * (number + 1)) % 256) as f64)
}

/// The name of a layer and the shape of its weight.
type Shape = (String, Vec<usize>);

fn classifier_shapes(model: &ClassifierModel) -> Vec<Shape> {
    let mut shapes = Vec::new();
    let mut inputs = NUMBERS;
    if let Some(conv) = &model.conv {
        let mut from = 1;
        for &to in conv.blocks.iter().flatten() {
            let name = format!("convolutions.{}", shapes.len());
            shapes.push((name, vec![to, from, conv.kernel, conv.kernel]));
            from = to;
        }
        let inner = conv.output(fake::images().shape);
        inputs = inner.expect("a valid network").numbers();
    }
    for (index, &outputs) in model.hidden.iter().enumerate() {
        shapes.push((format!("hidden.{index}"), vec![inputs, outputs]));
        inputs = outputs;
    }
    shapes.push(("output".into(), vec![inputs, LABELS]));
    shapes
}

fn autoencoder_shapes(model: &AutoencoderModel) -> Vec<Shape> {
    let mut widths = vec![NUMBERS];
    widths.extend(&model.hidden);
    widths.push(model.code);
    let layers = |name: &'static str, widths: &[usize]| -> Vec<Shape> {
        let pairs = widths.windows(2).enumerate();
        pairs
            .map(|(index, pair)| (format!("{name}.{index}"), pair.to_vec()))
            .collect()
    };
    let mut shapes = layers("encoder", &widths);
    widths.reverse();
    shapes.extend(layers("decoder", &widths));
    shapes
}

/// Writes `weights.safetensors`, with a weight and a bias for each layer.
fn write_weights(dir: &RunDir, shapes: &[Shape]) {
    let numbers = |count: usize| -> Vec<u8> {
        let number = |index: usize| (index % 17) as f32 / 17.0 - 0.4;
        (0..count).map(number).flat_map(f32::to_le_bytes).collect()
    };
    let mut tensors: Vec<(String, Vec<usize>, Vec<u8>)> = Vec::new();
    for (name, shape) in shapes {
        // A kernel is [outputs, inputs, side, side], a dense weight [inputs, outputs].
        let outputs = if shape.len() == 4 { shape[0] } else { shape[1] };
        let count = shape.iter().product();
        tensors.push((format!("{name}.weight"), shape.clone(), numbers(count)));
        tensors.push((format!("{name}.bias"), vec![outputs], numbers(outputs)));
    }
    let views = tensors.iter().map(|(name, shape, bytes)| {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytes).expect("a tensor");
        (name, view)
    });
    let bytes = safetensors::serialize(views, None).expect("tensors");
    std::fs::write(dir.weights(), bytes).expect("writes");
}
