//! The folders below `--out`.

use std::path::{Path, PathBuf};

use crate::configs::Size;
use crate::error::Error;

use super::run_dir::RunDir;

/// The paths of a tree of runs below `--out`.
///
/// Quick and smoke runs have separate trees, so they never mix with full runs.
#[derive(Debug, Clone)]
pub struct Layout {
    out: PathBuf,
    root: PathBuf,
    size: Size,
}

impl Layout {
    /// The tree below `out` for runs of a size.
    pub fn new(out: &Path, size: Size) -> Self {
        Self {
            out: out.to_path_buf(),
            root: match size {
                Size::Full => out.to_path_buf(),
                shorter => out.join(shorter.name()),
            },
            size,
        }
    }

    /// How much of each run in this tree is trained.
    pub fn size(&self) -> Size {
        self.size
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
        Self::new(&self.out.join(VARIANTS).join(name), self.size)
    }

    /// The names of the variants that have a tree of this size, sorted.
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
        self.root.join("tree.json")
    }

    /// `looks.json`: how often each claim was judged by the runs of this tree.
    pub fn looks(&self) -> PathBuf {
        self.root.join("looks.json")
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
}
