//! Records for the tests of this crate, made through the real types.

use std::collections::BTreeMap;

use kindling_spec::{
    BURN_VERSION, Backend, HistoryRow, Host, Layout, Record, RunDir, Status, VERSION,
};

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
        status: Status::Complete,
        error: None,
        metrics: BTreeMap::new(),
        config_hash: "c0".into(),
        data_fingerprint: "da".into(),
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
        status: Status::Failed,
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
