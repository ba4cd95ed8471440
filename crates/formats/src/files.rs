//! Where the files of a study lie, and how they are written: whole or not at all.

use std::collections::BTreeMap;
use std::fs::File;
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

    /// The tree of a variant of the study: see [`crate::Variant::name`].
    pub fn variant(&self, name: &str) -> Self {
        Self::new(&self.out.join(VARIANTS).join(name), self.size)
    }

    /// The names of the variants that have a tree here.
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

    /// `tree.json`: what its runs are of.
    pub fn tree(&self) -> PathBuf {
        self.root.join("tree.json")
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

    /// The folder of a finished run of `cell` with `seed` that another has taken the
    /// place of; `key` tells such runs apart.
    pub fn set_aside(&self, cell: &str, seed: u64, key: &str) -> RunDir {
        RunDir::new(self.runs().join(cell).join(format!("seed-{seed}.{key}")))
    }

    /// The same for a run that was stopped.
    pub fn partial_set_aside(&self, cell: &str, seed: u64, key: &str) -> RunDir {
        let name = format!("seed-{seed}.{key}.partial");
        RunDir::new(self.runs().join(cell).join(name))
    }

    /// The lock of `cell` with `seed`: who trains it holds this file.
    pub fn lock(&self, cell: &str, seed: u64) -> PathBuf {
        self.runs().join(cell).join(format!(".seed-{seed}.lock"))
    }
}

/// The folder of trees whose runs differ from the study's files.
const VARIANTS: &str = "variants";

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

    /// The files that are no longer what `record` says they were, that are gone, or
    /// that a whole run of `config` leaves and this one has not left.
    ///
    /// # Errors
    ///
    /// If a file cannot be read.
    pub fn damaged(&self, record: &Record, config: &RunConfig) -> Result<Vec<String>> {
        let found = self.digests()?;
        let files = record.files.iter();
        let damaged = files.filter(|&(name, digest)| found.get(name) != Some(digest));
        let mut damaged: Vec<String> = damaged.map(|(name, _)| name.clone()).collect();
        damaged.extend(record.lacks(&config.task).map(str::to_string));
        Ok(damaged)
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

/// Writes `bytes` to `path`, whole or not at all: to a temporary file beside it, which
/// then takes its name. The file's rights are those of the file that was there, or what
/// the umask leaves.
///
/// A symbolic link stays one, and the file that it names is written. A pipe or a device
/// has no whole and no part: the bytes are written into it.
///
/// # Errors
///
/// If the folder cannot be made, or the file not written.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<()> {
    let there = if_there("look at", path, std::fs::metadata(path))?;
    if there.as_ref().is_some_and(is_stream) {
        let write = || File::options().write(true).open(path)?.write_all(bytes);
        return write().map_err(Error::io("write", path));
    }
    let target = behind_links(path).map_err(Error::io("follow the link", path))?;
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(folder).map_err(Error::io("create the folder", folder))?;
    let write = || -> std::io::Result<()> {
        let mut file = writable_by_umask().prefix(TEMPORARY).tempfile_in(folder)?;
        if let Some(there) = there.filter(std::fs::Metadata::is_file) {
            file.as_file().set_permissions(there.permissions())?;
        }
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(&target)?;
        Ok(())
    };
    write().map_err(Error::io("write", path))
}

/// Whether something is neither a file nor a folder: a pipe, a device, a socket.
fn is_stream(there: &std::fs::Metadata) -> bool {
    !there.is_file() && !there.is_dir()
}

/// Temporary files and folders are private to their owner. What they become is not,
/// unless the umask says so.
pub fn writable_by_umask<'a, 'b>() -> tempfile::Builder<'a, 'b> {
    #[allow(unused_mut, reason = "elsewhere rights are not numbers")]
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder
}

/// Links that are followed at most, as Linux has it.
const MOST_LINKS: usize = 40;

/// The path that a symbolic link leads to in the end, whether a file is there or not.
fn behind_links(path: &Path) -> std::io::Result<PathBuf> {
    let mut path = path.to_path_buf();
    for _ in 0..MOST_LINKS {
        match std::fs::symlink_metadata(&path) {
            Ok(there) if there.is_symlink() => {
                let target = std::fs::read_link(&path)?;
                // A relative one begins where the link lies.
                path = path.parent().unwrap_or(Path::new("")).join(target);
            }
            _ => return Ok(path),
        }
    }
    Err(std::io::Error::other("too many links lead to one another"))
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

    #[cfg(unix)]
    #[test]
    fn a_link_is_followed_and_stays_a_link() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("far")).expect("makes");
        std::fs::write(at("far/there"), b"old").expect("writes");
        for (link, target) in [
            ("link", "far/there"),
            ("second", "link"),
            ("dangling", "far/new"),
        ] {
            std::os::unix::fs::symlink(target, at(link)).expect("links");
            write_atomic(&at(link), link.as_bytes()).expect("writes");
            assert!(at(link).is_symlink(), "{link}");
            assert_eq!(std::fs::read(at(link)).expect("reads"), link.as_bytes());
        }
        assert_eq!(std::fs::read(at("far/there")).expect("reads"), b"second");
        assert_eq!(std::fs::read(at("far/new")).expect("reads"), b"dangling");
        std::os::unix::fs::symlink("round", at("round")).expect("links");
        assert!(write_atomic(&at("round"), b"x").is_err());
        let left = std::fs::read_dir(at("far")).expect("lists").count();
        assert_eq!(left, 2, "nothing stays beside a target");
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_and_a_device_are_written_into() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.expect("mkfifo").success());
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || std::fs::read(pipe)
        });
        write_atomic(&pipe, b"through").expect("writes");
        assert_eq!(reader.join().expect("ends").expect("reads"), b"through");
        let is_stream = |path: &Path| super::is_stream(&path.metadata().expect("is there"));
        assert!(is_stream(&pipe), "it is a pipe still");
        write_atomic(Path::new("/dev/null"), b"x").expect("writes");
        assert!(is_stream(Path::new("/dev/null")));
        #[cfg(target_os = "linux")]
        assert!(write_atomic(Path::new("/dev/full"), b"x").is_err());
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
