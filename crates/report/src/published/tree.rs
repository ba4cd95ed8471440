//! A published tree as the page shows it.

use std::path::Path;

use kindling_formats::{Layout, Protocol, Size, Study, Tree, TreeKind};

use crate::judge::{Judgement, Verdict, look};
use crate::read::{RecordedRuns, read};

/// A published tree, with its verdicts.
pub(super) struct PublishedTree {
    /// What the page calls the tree: `written`, `tuned`, or the name of its images.
    pub(super) name: String,
    pub(super) runs: RecordedRuns,
    pub(super) judgements: Vec<Judgement>,
    pub(super) kind: TreeKind,
}

impl PublishedTree {
    /// Reads the tree of `layout`, which the page calls `name`.
    pub(super) fn read(study: &Study, name: &str, layout: &Layout) -> Self {
        let runs = read(study, layout);
        Self {
            name: name.to_string(),
            judgements: look(study, layout, &runs).judgements,
            runs,
            kind: layout.kind(),
        }
    }
}

/// The published trees below the folder `reference`, each with its name: the study, the tuned runs,
/// and the variants, which are called by their images.
pub fn published_trees(reference: &Path) -> Vec<(String, Layout)> {
    let written = Layout::new(reference, Size::Full);
    let mut trees = vec![
        (Protocol::Written.name().to_string(), written.clone()),
        (Protocol::Tuned.name().to_string(), written.tuned()),
    ];
    for name in written.variants() {
        let layout = written.variant(&name);
        let data = Tree::read(&layout).ok().and_then(|tree| tree.variant.data);
        let data = data.and_then(|data| Some(data.dir.file_stem()?.display().to_string()));
        trees.push((data.unwrap_or(name), layout));
    }
    trees.retain(|(_, layout)| layout.is_published());
    trees
}

/// The verdict in one or two words: `supported`, `refuted alone`, `open`.
pub(super) fn name_of(judgement: &Judgement) -> String {
    match judgement.verdict {
        Verdict::Undecided => "open".into(),
        verdict if verdict == judgement.together => verdict.name().into(),
        verdict => format!("{} alone", verdict.name()),
    }
}
