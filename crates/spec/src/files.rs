//! Where the files of a study lie, and how they are written: whole or not at all.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::{Error, Record, RecordError, Result, RunConfig, Size, hex};

/// The tree below `--out`.
///
/// Quick and smoke runs live in trees of their own, so they never mix with full ones.
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

    /// How much of each run was trained.
    pub fn size(&self) -> Size {
        self.size
    }

    /// The folder that was named, with the trees of all sizes.
    pub fn out(&self) -> &Path {
        &self.out
    }

    /// The folder of this tree.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `results.csv`, the tidy table of all records.
    pub fn results(&self) -> PathBuf {
        self.root.join("results.csv")
    }

    /// `report/`, with `report.md` and its figures.
    pub fn report(&self) -> PathBuf {
        self.root.join("report")
    }

    /// `report/figures/`.
    pub fn figures(&self) -> PathBuf {
        self.report().join("figures")
    }

    /// The folder of all runs.
    pub fn runs(&self) -> PathBuf {
        self.root.join("runs")
    }

    /// A record in this tree that another version of Kindling wrote, as the error of
    /// reading it; `None` if there is no such record.
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

    /// The folder in which that run trains, or has failed. Once whole it takes
    /// the place of [`Layout::finished`], whose old content stays until then.
    pub fn partial(&self, cell: &str, seed: u64) -> RunDir {
        RunDir::new(self.runs().join(cell).join(format!("seed-{seed}.partial")))
    }
}

/// The files of one run.
#[derive(Debug, Clone)]
pub struct RunDir {
    path: PathBuf,
}

impl RunDir {
    /// The run in the folder `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file `name` in the folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// `config.toml`: the resolved config, written before the first step.
    pub fn config(&self) -> PathBuf {
        self.file("config.toml")
    }

    /// `record.json`: the result, written last.
    pub fn record(&self) -> PathBuf {
        self.file("record.json")
    }

    /// `history.csv`: losses and accuracies by epoch, or by iteration.
    pub fn history(&self) -> PathBuf {
        self.file("history.csv")
    }

    /// `timing.csv`: seconds by epoch.
    pub fn timing(&self) -> PathBuf {
        self.file("timing.csv")
    }

    /// `model.bpk`: the trained weights.
    pub fn model(&self) -> PathBuf {
        self.file("model.bpk")
    }

    /// `weights.safetensors`: the same for what has no Burn.
    pub fn weights(&self) -> PathBuf {
        self.file("weights.safetensors")
    }

    /// `labels.txt`: what the labels mean, where they are no digits.
    pub fn classes(&self) -> PathBuf {
        self.file("labels.txt")
    }

    /// The names of the classes, from 0 on: digits, if nothing is said of them.
    ///
    /// # Errors
    ///
    /// If there is a file of names that cannot be read.
    pub fn read_classes(&self) -> Result<Vec<String>> {
        let path = self.classes();
        Ok(
            match if_there("read", &path, std::fs::read_to_string(&path))? {
                Some(text) => text.lines().map(str::to_string).collect(),
                None => (0..10).map(|digit| digit.to_string()).collect(),
            },
        )
    }

    /// `tensorboard/`: what TensorBoard shows of it.
    pub fn tensorboard(&self) -> PathBuf {
        self.file("tensorboard")
    }

    /// `checkpoint/`: what a training goes on from that was stopped; gone once it
    /// is whole.
    pub fn checkpoints(&self) -> PathBuf {
        self.file("checkpoint")
    }

    /// `stderr.txt`: what a failed run said.
    pub fn stderr(&self) -> PathBuf {
        self.file("stderr.txt")
    }

    /// Reads `config.toml`.
    ///
    /// # Errors
    ///
    /// If it is missing or is no valid config.
    pub fn read_config(&self) -> Result<RunConfig> {
        RunConfig::read(&self.config())
    }

    /// Reads `record.json`; `None` where there is none.
    ///
    /// # Errors
    ///
    /// If there is one that is damaged, or another version's.
    pub fn read_record(&self) -> Result<Option<Record>> {
        let file = self.record();
        let Some(bytes) = if_there("read", &file, std::fs::read(&file))? else {
            return Ok(None);
        };
        Record::from_json(&bytes).map(Some).map_err(|error| {
            let problem = error.to_string();
            match error {
                RecordError::Damaged(_) => Error::File { file, problem },
                RecordError::Version(_) => Error::Version { file, problem },
            }
        })
    }

    /// SHA-256 of the files in the folder, by name; not of `record.json`, which
    /// holds them, nor of `stderr.txt`. Folders are left out: what is in them are
    /// logs.
    ///
    /// # Errors
    ///
    /// If a file cannot be read.
    pub fn digests(&self) -> Result<BTreeMap<String, String>> {
        let mut digests = BTreeMap::new();
        let entries = std::fs::read_dir(&self.path).map_err(Error::io("read", &self.path))?;
        for entry in entries {
            let path = entry.map_err(Error::io("read", &self.path))?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let is_result = path != self.record() && path != self.stderr();
            if path.is_file() && is_result && !name.starts_with(TEMPORARY) {
                let bytes = std::fs::read(&path).map_err(Error::io("read", &path))?;
                digests.insert(name.into_owned(), hex(&Sha256::digest(bytes)));
            }
        }
        Ok(digests)
    }

    /// The files that are no longer what `record` says they were, or are gone.
    ///
    /// # Errors
    ///
    /// If a file cannot be read.
    pub fn damaged(&self, record: &Record) -> Result<Vec<String>> {
        let found = self.digests()?;
        let files = record.files.iter();
        let damaged = files.filter(|&(name, digest)| found.get(name) != Some(digest));
        Ok(damaged.map(|(name, _)| name.clone()).collect())
    }

    /// Writes `record.json`.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn write_record(&self, record: &Record) -> Result<()> {
        let path = self.record();
        let text = record
            .to_json()
            .map_err(|error| Error::file(&path, error))?;
        write_atomic(&path, text.as_bytes())
    }
}

/// What was `done` to `path`, as its `action` says; `None` where `path` is not there.
///
/// # Errors
///
/// If it could not be done for another reason.
pub fn if_there<T>(
    action: &'static str,
    path: &Path,
    done: std::io::Result<T>,
) -> Result<Option<T>> {
    match done {
        Ok(done) => Ok(Some(done)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io(action, path)(error)),
    }
}

/// How the name of a file begins that is being written.
const TEMPORARY: &str = ".kindling-tmp-";

/// Removes what writers that were killed left in `folder`; call it where none is at
/// work. What cannot be removed harms nothing.
pub fn remove_temporary(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Writes `bytes` to `path` whole or not at all: to a temporary file beside it,
/// which then takes its name.
///
/// # Errors
///
/// If the folder cannot be made, or the file not written.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(Error::io("create the folder", folder))?;
    let write = || -> std::io::Result<()> {
        let mut file = tempfile::Builder::new()
            .prefix(TEMPORARY)
            .tempfile_in(folder)?;
        file.write_all(bytes)?;
        // The temporary file is private to its owner; what it becomes is not.
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            file.as_file()
                .set_permissions(std::fs::Permissions::from_mode(0o644))?;
        }
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    };
    write().map_err(Error::io("write", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("below").join("a.txt");
        write_atomic(&path, b"one").expect("writes");
        write_atomic(&path, b"two").expect("replaces");
        assert_eq!(std::fs::read(&path).expect("reads"), b"two");
        let beside = || {
            let folder = std::fs::read_dir(path.parent().expect("a parent"));
            folder.expect("lists").count()
        };
        assert_eq!(beside(), 1);
        // As after a kill in the midst of it.
        let left = path.with_file_name(format!("{TEMPORARY}x"));
        std::fs::write(left, b"tw").expect("writes");
        remove_temporary(path.parent().expect("a parent"));
        assert_eq!((beside(), path.exists()), (1, true));
    }

    #[test]
    fn quick_runs_have_a_tree_of_their_own() {
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
