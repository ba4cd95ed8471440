//! Studies, records and histories for the tests of this crate, made through the real types.
#![allow(dead_code, reason = "each test file uses a part of this one")]

use std::collections::BTreeMap;
use std::path::Path;

use kindling_formats::{
    BURN_VERSION, Backend, DataInfo, GENERATED, HistoryRow, Host, Layout, MNIST, Record, RunDir,
    RunStatus, Selection, Size, Study, VERSION,
};
use safetensors::tensor::{Dtype, TensorView, serialize};

/// A `study.toml` with one section, `2.5`.
pub(crate) const STUDY: &str = "title = \"t\"\nseeds = 3\n[[section]]\nid = \"2.5\"\n\
     title = \"s\"\n[quick]\nseeds = 1\n";

/// The config of a classifier in section `2.5`, with `more` keys before its tables.
pub(crate) fn classifier(cell: &str, more: &str) -> String {
    format!(
        "cell = \"{cell}\"\nsection = \"2.5\"\nabout = \"a\"\nfamily = \"classifier\"\n\
         {more}[data]\n[model]\nhidden = []\ndropout = 0.0\n[train]\nepochs = 1\n\
         batch_size = 1\noptimizer.sgd = {{ learning_rate = 0.1, momentum = 0.0, nesterov = false, weight_decay = 0.0 }}\n"
    )
}

/// Writes `files`, pairs of a name and a text, into the folder `configs` below `folder`, and
/// reads them as a study.
pub(crate) fn study_of(folder: &Path, files: &[(&str, &str)]) -> Study {
    let configs = folder.join("configs");
    std::fs::create_dir_all(&configs).expect("makes a folder");
    for (name, text) in files {
        std::fs::write(configs.join(name), text).expect("writes");
    }
    Study::read(&configs).expect("a valid study")
}

/// A study of classifiers with the names `cells`.
pub(crate) fn study(folder: &Path, cells: &[&str]) -> Study {
    let named = |cell: &&str| (format!("{cell}.toml"), classifier(cell, ""));
    let named: Vec<(String, String)> = cells.iter().map(named).collect();
    let mut files = vec![("study.toml", STUDY)];
    files.extend(
        named
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str())),
    );
    study_of(folder, &files)
}

/// A complete record of a cell and a seed, with the config and the data of `study`.
pub(crate) fn record_of(study: &Study, cell: &str, seed: u64) -> Record {
    with_config_of(study, Size::Full, record(cell, seed))
}

/// `record` with the config and the data that `study` has for its cell and seed.
pub(crate) fn with_config_of(study: &Study, size: Size, record: Record) -> Record {
    let cell = study.cell(&record.cell).expect("a cell");
    let config = study.resolve(cell, record.seed, &Selection::own(size));
    let config = config.expect("a valid config");
    let has_images = config.images().is_some();
    Record {
        config_hash: config.hash(),
        data_fingerprint: if has_images { MNIST } else { GENERATED }.into(),
        data: has_images.then(images),
        ..record
    }
}

/// What the images are: 28x28 pixels in one channel, of ten classes.
pub(crate) fn images() -> DataInfo {
    DataInfo {
        shape: [1, 28, 28].into(),
        classes: (0..10).map(|class| class.to_string()).collect(),
        train: 60_000,
        validation: 0,
        test: 10_000,
        repeated: Vec::new(),
    }
}

/// A complete record of a classifier.
pub(crate) fn record(cell: &str, seed: u64) -> Record {
    Record {
        version: VERSION.into(),
        section: "2.5".into(),
        cell: cell.into(),
        family: "classifier".into(),
        backend: Backend::Flex,
        seed,
        epochs: 2,
        parameters: 7850,
        train_loss: Some(0.05),
        validation_loss: None,
        test_loss: Some(0.06 + 0.001 * seed as f64),
        train_accuracy: Some(0.99),
        validation_accuracy: None,
        test_accuracy: Some(0.98),
        seconds: 12.0,
        status: RunStatus::Complete,
        error: None,
        metrics: BTreeMap::new(),
        config_hash: "c0".into(),
        data_fingerprint: MNIST.into(),
        data: Some(images()),
        scale: None,
        program: "0f0f".into(),
        revision: "0123abc".into(),
        burn_version: BURN_VERSION.into(),
        host: Host {
            platform: "linux-x86_64".into(),
            cpu: "a processor".into(),
            cores: 2,
            threads: 2,
            adapter: None,
        },
        files: Default::default(),
    }
}

/// The record of a run that failed before it had a result.
pub(crate) fn failed(cell: &str, seed: u64, error: &str) -> Record {
    Record {
        epochs: 0,
        parameters: 0,
        train_loss: None,
        test_loss: None,
        train_accuracy: None,
        test_accuracy: None,
        status: RunStatus::Failed,
        error: Some(error.into()),
        ..record(cell, seed)
    }
}

/// Writes the record of a finished run to the run's folder.
pub(crate) fn finish(layout: &Layout, record: &Record) -> RunDir {
    put(layout.finished(&record.cell, record.seed), record)
}

/// Writes the record of a failed run to the run's folder.
pub(crate) fn fail(layout: &Layout, record: &Record) -> RunDir {
    put(layout.partial(&record.cell, record.seed), record)
}

fn put(dir: RunDir, record: &Record) -> RunDir {
    dir.write_record(record).expect("a record can be written");
    dir
}

/// A row of a history without accuracies.
pub(crate) fn row(epoch: usize, train_loss: f64, test_loss: f64) -> HistoryRow {
    HistoryRow {
        epoch,
        learning_rate: 0.02,
        train_loss,
        evaluated_loss: test_loss,
        train_accuracy: None,
        evaluated_accuracy: None,
    }
}

/// The record of a run of a classifier that left `test.safetensors`, which is written to `dir`: the
/// losses of each image and the labels `labels`. The first images are labelled rightly, about as
/// many as the accuracy of `record` says.
pub(crate) fn with_test_images(
    record: Record,
    dir: &RunDir,
    losses: &[f32],
    labels: &[u8],
) -> Record {
    let accuracy = record.test_accuracy.unwrap_or(1.0);
    let right = (accuracy * losses.len() as f64).round() as usize;
    let predictions = labels.iter().zip(0..);
    let predictions: Vec<u8> = predictions
        .map(|(label, image)| label ^ u8::from(image >= right))
        .collect();
    let bytes: Vec<u8> = losses.iter().flat_map(|loss| loss.to_le_bytes()).collect();
    let view = |dtype, bytes| TensorView::new(dtype, vec![losses.len()], bytes).expect("a tensor");
    let tensors = [
        ("label", view(Dtype::U8, labels)),
        ("prediction", view(Dtype::U8, &predictions)),
        ("loss", view(Dtype::F32, &bytes)),
    ];
    let file = serialize(tensors, None).expect("a file");
    std::fs::create_dir_all(dir.path()).expect("makes a folder");
    std::fs::write(dir.file("test.safetensors"), file).expect("writes");
    let mean = losses.iter().copied().map(f64::from).sum::<f64>() / losses.len() as f64;
    let mut record = Record {
        test_loss: Some(mean),
        test_accuracy: Some(right as f64 / losses.len() as f64),
        ..record
    };
    let digests = dir.digests().expect("digests");
    record.files.extend(digests);
    record
}
