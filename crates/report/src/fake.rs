//! Records for the tests of this crate, made through the real types.

use std::collections::BTreeMap;

use std::path::Path;

use kindling_formats::{
    BURN_VERSION, Backend, GENERATED, HistoryRow, Host, Layout, MNIST, Record, RunDir, RunStatus,
    Selection, Size, Study, VERSION,
};

/// A study of classifiers with these names, in the folder `configs` below `folder`.
#[allow(dead_code, reason = "each test file uses a part of this one")]
pub(crate) fn study(folder: &Path, cells: &[&str]) -> Study {
    let configs = folder.join("configs");
    let write = |name: &str, text: &str| {
        std::fs::create_dir_all(&configs).expect("makes a folder");
        std::fs::write(configs.join(name), text).expect("writes");
    };
    write(
        "study.toml",
        "title = \"t\"\nseeds = 3\n[[section]]\nid = \"2.5\"\ntitle = \"s\"\n\
         [quick]\nseeds = 1\n",
    );
    for cell in cells {
        let text = format!(
            "cell = \"{cell}\"\nsection = \"2.5\"\nabout = \"a\"\nfamily = \"classifier\"\n\
             [data]\n[model]\nhidden = []\ndropout = 0.0\n[train]\nepochs = 1\n\
             batch_size = 1\noptimizer.sgd = {{ learning_rate = 0.1, momentum = 0.0 }}\n"
        );
        write(&format!("{cell}.toml"), &text);
    }
    Study::read(&configs).expect("a valid study")
}

/// A complete record of what the study says of a cell and a seed.
#[allow(dead_code, reason = "each test file uses a part of this one")]
pub(crate) fn answer(study: &Study, cell: &str, seed: u64) -> Record {
    answering(study, Size::Full, record(cell, seed))
}

/// `record` as one of what the study says of its cell and seed.
pub(crate) fn answering(study: &Study, size: Size, record: Record) -> Record {
    let cell = study.cell(&record.cell).expect("a cell");
    let config = study.resolve(cell, record.seed, &Selection::own(size));
    let config = config.expect("a valid config");
    let has_images = config.images().is_some();
    Record {
        config_hash: config.hash(),
        data_fingerprint: if has_images { MNIST } else { GENERATED }.into(),
        ..record
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
        test_loss: Some(0.06 + 0.001 * seed as f64),
        train_accuracy: Some(0.99),
        test_accuracy: Some(0.98),
        seconds: 12.0,
        status: RunStatus::Complete,
        error: None,
        metrics: BTreeMap::new(),
        config_hash: "c0".into(),
        data_fingerprint: MNIST.into(),
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

/// The record of a run that failed before it had any result.
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

/// Puts a record where a finished run has it.
pub(crate) fn finish(layout: &Layout, record: &Record) -> RunDir {
    put(layout.finished(&record.cell, record.seed), record)
}

/// Puts a record where a failed run has it.
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
        test_loss,
        train_accuracy: None,
        test_accuracy: None,
    }
}
