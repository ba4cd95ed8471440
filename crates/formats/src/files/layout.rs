//! The folders below `--out`.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::configs::{CHOICES, Protocol, Size};
use crate::error::Error;

use super::run_dir::RunDir;

/// Which runs a tree holds. Final runs and trials never mix, and neither do runs of different
/// protocols.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TreeKind {
    /// Final runs with the hyper-parameters of the cells' files.
    #[default]
    Written,
    /// Final runs with tuned hyper-parameters.
    Tuned,
    /// Trials, by which hyper-parameters are chosen.
    Trials,
}

impl TreeKind {
    /// The folder below `--out` that holds the trees of this kind; `None` for `--out` itself.
    fn folder(self) -> Option<&'static str> {
        match self {
            TreeKind::Written => None,
            TreeKind::Tuned => Some("tuned"),
            TreeKind::Trials => Some("trials"),
        }
    }
}

impl From<Protocol> for TreeKind {
    fn from(protocol: Protocol) -> Self {
        match protocol {
            Protocol::Written => TreeKind::Written,
            Protocol::Tuned => TreeKind::Tuned,
        }
    }
}

/// The paths of a tree of runs below `--out`.
///
/// Quick and smoke runs have separate trees, so they never mix with full runs. Tuned runs and
/// trials have separate trees too.
#[derive(Debug, Clone)]
pub struct Layout {
    out: PathBuf,
    root: PathBuf,
    size: Size,
    kind: TreeKind,
}

impl Layout {
    /// The tree below `out` for runs of a size, with the hyper-parameters of the cells' files.
    pub fn new(out: &Path, size: Size) -> Self {
        Self::of(out, size, TreeKind::Written)
    }

    /// The tree below `out` for runs of a size and a kind.
    pub fn of(out: &Path, size: Size, kind: TreeKind) -> Self {
        let mut root = out.to_path_buf();
        root.extend(kind.folder());
        root.extend((size != Size::Full).then_some(size.name()));
        Self {
            out: out.to_path_buf(),
            root,
            size,
            kind,
        }
    }

    /// The tree whose top folder is `root`, wherever this folder lies. Without `size` and `kind`,
    /// the last names of the path give them: `tuned/quick` holds tuned quick runs.
    pub(super) fn with_root(root: &Path, size: Option<Size>, kind: Option<TreeKind>) -> Self {
        let mut out = root.to_path_buf();
        let mut take = |name: &str| out.ends_with(name) && out.pop();
        let sizes = size.map_or(vec![Size::Quick, Size::Smoke], |size| vec![size]);
        let size_of_path = sizes.into_iter().find(|size| take(size.name()));
        let kinds = kind.map_or(vec![TreeKind::Tuned, TreeKind::Trials], |kind| vec![kind]);
        let kind_of_path = kinds
            .into_iter()
            .find(|kind| kind.folder().is_some_and(&mut take));
        Self {
            out,
            root: root.to_path_buf(),
            size: size.or(size_of_path).unwrap_or_default(),
            kind: kind.or(kind_of_path).unwrap_or_default(),
        }
    }

    /// The tree for runs of this size and another kind.
    pub fn with_kind(&self, kind: TreeKind) -> Self {
        Self::of(&self.out, self.size, kind)
    }

    /// The tree for tuned runs of this size.
    pub fn tuned(&self) -> Self {
        self.with_kind(TreeKind::Tuned)
    }

    /// The tree for trials of this size.
    pub fn trials(&self) -> Self {
        self.with_kind(TreeKind::Trials)
    }

    /// How much of each run in this tree is trained.
    pub fn size(&self) -> Size {
        self.size
    }

    /// Which runs this tree holds.
    pub fn kind(&self) -> TreeKind {
        self.kind
    }

    /// The protocol of the runs in this tree. Trials are [`Protocol::Written`], since nothing
    /// has been chosen for them.
    pub fn protocol(&self) -> Protocol {
        match self.kind {
            TreeKind::Tuned => Protocol::Tuned,
            TreeKind::Written | TreeKind::Trials => Protocol::Written,
        }
    }

    /// The folder of `--out`, which holds the trees of all sizes.
    pub fn out(&self) -> &Path {
        &self.out
    }

    /// The top folder of this tree.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The tree of a variant of the study, by [`Variant::name`](crate::Variant::name).
    pub fn variant(&self, name: &str) -> Self {
        Self::of(&self.out.join(VARIANTS).join(name), self.size, self.kind)
    }

    /// The names of the variants that have a tree of this size and kind, sorted.
    pub fn variants(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.out.join(VARIANTS));
        let names = entries.into_iter().flatten().flatten();
        let mut names: Vec<String> = names
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .filter(|name| self.variant(name).root().is_dir())
            .collect();
        names.sort();
        names
    }

    /// `tree.json`: how the runs of this tree differ from the study's files.
    pub fn tree(&self) -> PathBuf {
        self.root.join(TREE)
    }

    /// `choices.toml` of the tuned tree: the hyper-parameters that trials of this size chose.
    pub fn choices(&self) -> PathBuf {
        match self.kind {
            TreeKind::Tuned => self.root.join(CHOICES),
            TreeKind::Written | TreeKind::Trials => self.tuned().root.join(CHOICES),
        }
    }

    /// `looks.json`: how often each claim was judged by the runs of this tree.
    pub fn looks(&self) -> PathBuf {
        self.root.join("looks.json")
    }

    /// `mean-squares.csv` of a published tree: what its claims are judged by.
    pub fn mean_squares(&self) -> PathBuf {
        self.root.join("mean-squares.csv")
    }

    /// Whether the tree is a published one. Of each run it holds the record alone.
    pub fn is_published(&self) -> bool {
        self.mean_squares().exists()
    }

    /// `results.csv`: a table with a row for each record.
    pub fn results(&self) -> PathBuf {
        self.root.join("results.csv")
    }

    /// `report/`: `report.md` and its figures.
    pub fn report(&self) -> PathBuf {
        self.root.join("report")
    }

    /// `report/figures/`: the figures of the report.
    pub fn figures(&self) -> PathBuf {
        self.report().join("figures")
    }

    /// `runs/`: the folders of all runs.
    pub fn runs(&self) -> PathBuf {
        self.root.join("runs")
    }

    /// Looks for a record in this tree that another version of Kindling wrote, and returns the
    /// error of reading it; `None` if there is no such record.
    pub fn foreign(&self) -> Option<Error> {
        let below = |folder: PathBuf| {
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
            entries.map(|entry| entry.path())
        };
        let mut runs = below(self.runs()).flat_map(below).map(RunDir::new);
        runs.find_map(|run| run.read_record().err().filter(Error::is_of_version))
    }

    /// The folder of the finished run of `cell` with `seed`.
    pub fn finished(&self, cell: &str, seed: u64) -> RunDir {
        RunDir::new(self.runs().join(cell).join(format!("seed-{seed}")))
    }

    /// The folder in which the run of `cell` with `seed` is being trained, was stopped, or has
    /// failed. When the run is finished, this folder replaces the folder
    /// [`Layout::finished`]. Until then, both may exist.
    pub fn partial(&self, cell: &str, seed: u64) -> RunDir {
        RunDir::new(self.runs().join(cell).join(format!("seed-{seed}.partial")))
    }

    /// The folder of a finished run of `cell` with `seed` that a run with another config has
    /// replaced. `key` distinguishes such runs.
    pub fn set_aside(&self, cell: &str, seed: u64, key: &str) -> RunDir {
        RunDir::new(self.runs().join(cell).join(format!("seed-{seed}.{key}")))
    }

    /// The folder of a stopped run of `cell` with `seed` that a run with another config has
    /// replaced. `key` distinguishes such runs.
    pub fn partial_set_aside(&self, cell: &str, seed: u64, key: &str) -> RunDir {
        let name = format!("seed-{seed}.{key}.partial");
        RunDir::new(self.runs().join(cell).join(name))
    }

    /// The lock of the run of `cell` with `seed`. The process that trains the run locks this
    /// file.
    pub fn lock(&self, cell: &str, seed: u64) -> PathBuf {
        self.runs().join(cell).join(format!(".seed-{seed}.lock"))
    }
}

/// The name of the file that says how the runs of a tree differ from the study's files.
pub(super) const TREE: &str = "tree.json";
/// The name of the folder that holds the trees of the variants.
const VARIANTS: &str = "variants";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quick_runs_have_a_separate_tree() {
        let full = Layout::new(Path::new("artifacts"), Size::Full);
        let quick = Layout::new(Path::new("artifacts"), Size::Quick);
        assert_eq!(
            full.finished("mlp", 2).path(),
            Path::new("artifacts/runs/mlp/seed-2")
        );
        assert_eq!(
            quick.partial("mlp", 2).path(),
            Path::new("artifacts/quick/runs/mlp/seed-2.partial")
        );
    }

    #[test]
    fn each_kind_of_run_has_a_separate_tree() {
        let root = |layout: Layout| layout.root().display().to_string();
        for (size, folders) in [
            (Size::Full, ["a", "a/tuned", "a/trials"]),
            (Size::Quick, ["a/quick", "a/tuned/quick", "a/trials/quick"]),
        ] {
            let layout = Layout::new(Path::new("a"), size);
            let kinds = [layout.clone(), layout.tuned(), layout.trials()];
            assert_eq!(kinds.clone().map(root), folders);
            // The kind stays when a variant is named, and a variant when a kind is.
            assert_eq!(
                root(layout.tuned().variant("ndarray")),
                root(layout.variant("ndarray").tuned())
            );
            let choices = Path::new(folders[1]).join("choices.toml");
            assert!(kinds.iter().all(|layout| layout.choices() == choices));
        }
        let full = Layout::new(Path::new("a"), Size::Full);
        assert_eq!(
            full.variant("ndarray").tuned().root(),
            Path::new("a/variants/ndarray/tuned")
        );
        assert_eq!(full.tuned().protocol(), Protocol::Tuned);
        assert_eq!(full.trials().protocol(), Protocol::Written);
    }
}
