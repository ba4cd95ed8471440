//! Where things are: the repository, the folders that flags name, and the
//! revision of the code.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, anyhow};
use kindling_formats::Study;

use crate::flags::Folders;
use crate::stop::Stop;

/// The repository's root: the folder that holds `xtask/`. Cargo says which it
/// is at run time; a binary in a target folder that two clones share may have
/// been built in the other.
pub fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        let xtask = std::env::var_os("CARGO_MANIFEST_DIR")
            .map(PathBuf::from)
            .filter(|package| package.ends_with("xtask"))
            .unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        xtask.parent().map_or(xtask.clone(), Path::to_path_buf)
    })
}

/// The folder that a flag names, from the current directory; where it names
/// none, the usual one of the repository.
pub fn folder(named: Option<&Path>, usual: &str) -> Result<PathBuf, Stop> {
    match named {
        Some(path) => std::path::absolute(path)
            .with_context(|| format!("`{}` is no path", path.display()))
            .map_err(Stop::input),
        None => Ok(root().join(usual)),
    }
}

/// The folder of images that `flag` names. It must be there now: a run would find out
/// only after the build.
pub fn data(flag: &str, named: Option<&Path>) -> Result<Option<PathBuf>, Stop> {
    let Some(path) = named else { return Ok(None) };
    let absolute = folder(named, "")?;
    if absolute.is_dir() {
        return Ok(Some(absolute));
    }
    Err(Stop::BadInput(anyhow!(
        "{flag} {}: there is no such folder; name one that holds the four IDX files of MNIST or \
         Fashion-MNIST, or leave {flag} out to use the repository's MNIST",
        path.display()
    )))
}

/// A path as a person would type it here: relative where it lies below.
pub fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    match path.strip_prefix(&here) {
        Ok(below) if below.as_os_str().is_empty() => ".".into(),
        Ok(below) => below.display().to_string(),
        Err(_) => path.display().to_string(),
    }
}

/// The commit, with `-dirty` where tracked files differ from it; `unknown`
/// without git.
pub fn revision() -> String {
    let git = |arguments: &[&str]| {
        let output = Command::new("git")
            .args(arguments)
            .current_dir(root())
            .output()
            .ok()?;
        let text = String::from_utf8_lossy(&output.stdout).trim().to_string();
        output.status.success().then_some(text)
    };
    match (
        git(&["rev-parse", "--short=12", "HEAD"]),
        git(&["status", "--porcelain", "--untracked-files=no"]),
    ) {
        (Some(commit), Some(changes)) if changes.is_empty() => commit,
        (Some(commit), Some(_)) => format!("{commit}-dirty"),
        _ => "unknown".into(),
    }
}

/// The study that the flags name.
pub fn study(folders: &Folders) -> Result<Study, Stop> {
    let configs = folder(folders.configs.as_deref(), "configs")?;
    // Errors name its files: by the short path where there is one.
    Study::read(Path::new(&shown(&configs))).map_err(Stop::input)
}

/// The folder that results go to.
pub fn out(folders: &Folders) -> Result<PathBuf, Stop> {
    folder(folders.out.as_deref(), "artifacts")
}

/// The names of all cells, in the order of the study.
pub fn order(study: &Study) -> Vec<String> {
    study.cells().iter().map(|cell| cell.name.clone()).collect()
}
