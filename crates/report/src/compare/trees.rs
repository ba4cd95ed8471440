//! The trees that are compared, and in what they differ.

use std::collections::BTreeSet;

use kindling_formats::{Layout, Record, Study, Tree, Variant};
use serde::Serialize;

use crate::judge::{Judgement, Looked, look};
use crate::read::{RecordedRuns, read};
use crate::tables::complete;

/// A tree that is compared, as the comparison shows it.
#[derive(Debug, Serialize)]
pub struct ComparedTree {
    /// The folder of the tree, as the user named it.
    pub tree: String,
    /// How much of each run was trained: `full`, `quick` or `smoke`.
    pub size: &'static str,
    /// How the hyper-parameters of the runs came about: `written` or `tuned`.
    pub protocol: &'static str,
    /// How the runs differ from the study's files, such as `ndarray` or `train.epochs=5`; `None`
    /// if they do not.
    pub variant: Option<String>,
    /// The number of complete runs of the study as its files are today.
    pub runs: usize,
    /// The seeds of these runs.
    pub seeds: Vec<u64>,
    /// The revisions of the code that these runs were trained by.
    pub revisions: Vec<String>,
    /// The SHA-256 of the images that these runs learned from, and `generated` for generated
    /// data.
    pub data: Vec<String>,
}

/// A tree with all that was read from it.
pub(super) struct ReadTree {
    pub(super) shown: ComparedTree,
    variant: Variant,
    pub(super) runs: RecordedRuns,
    pub(super) judgements: Vec<Judgement>,
    /// Why the ledger of looks could not be read or written, if so.
    pub(super) problem: Option<String>,
}

impl ReadTree {
    /// Reads the tree of `layout`, which the user called `name`.
    pub(super) fn new(study: &Study, name: &str, layout: &Layout) -> Self {
        let runs = read(study, layout);
        let records: Vec<&Record> = complete(runs.records()).collect();
        let each = |value: fn(&Record) -> &str| -> Vec<String> {
            let values: BTreeSet<&str> = records.iter().map(|record| value(record)).collect();
            values.into_iter().map(str::to_string).collect()
        };
        let seeds: BTreeSet<u64> = records.iter().map(|record| record.seed).collect();
        let Looked {
            judgements,
            problem,
        } = look(study, layout, &runs);
        // If tree.json cannot be read, `runs` says so.
        let variant = Tree::read(layout).unwrap_or_default().variant;
        Self {
            shown: ComparedTree {
                tree: name.to_string(),
                size: layout.size().name(),
                protocol: layout.protocol().name(),
                variant: variant.name(),
                runs: records.len(),
                seeds: seeds.into_iter().collect(),
                revisions: each(|record| &record.revision),
                data: each(|record| &record.data_fingerprint),
            },
            judgements,
            problem,
            variant,
            runs,
        }
    }
}

/// In what `trees` differ: protocol, backend, precision, data, other settings, and the revision
/// of the code.
pub(super) fn differences(trees: &[ReadTree]) -> Vec<&'static str> {
    let Some((first, others)) = trees.split_first() else {
        return Vec::new();
    };
    let fingerprint = |tree: &ReadTree| {
        let data = tree.variant.data.as_ref();
        data.map(|data| data.fingerprint.clone())
    };
    let differ = |differs: &dyn Fn(&ReadTree) -> bool| others.iter().any(differs);
    let found = [
        (
            "protocol",
            differ(&|tree| tree.shown.protocol != first.shown.protocol),
        ),
        (
            "backend",
            differ(&|tree| tree.variant.backend != first.variant.backend),
        ),
        (
            "precision",
            differ(&|tree| tree.variant.precision != first.variant.precision),
        ),
        (
            "data",
            differ(&|tree| fingerprint(tree) != fingerprint(first)),
        ),
        (
            "settings",
            differ(&|tree| tree.variant.set != first.variant.set),
        ),
        (
            "revision",
            differ(&|tree| tree.shown.revisions != first.shown.revisions),
        ),
    ];
    let found = found.into_iter().filter(|(_, differs)| *differs);
    found.map(|(name, _)| name).collect()
}
