//! The repository, the folders that flags name, and the revision of the code.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::Context;
use kindling_formats::Study;

use crate::cli::Folders;
use crate::error::CommandError;
use crate::ui;

/// The root of the repository: the folder that holds `xtask/`. It is taken from the environment
/// variable that cargo sets when it runs this program. The path at build time may be wrong: two
/// clones can share a target folder, and then the other clone may have built this program.
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

/// The absolute path of a folder that a flag names, or the folder `default` of the
/// repository if no flag names one.
pub fn folder(named: Option<&Path>, default: impl AsRef<Path>) -> Result<PathBuf, CommandError> {
    match named {
        Some(path) => std::path::absolute(path)
            .with_context(|| format!("`{}` is not a path", path.display()))
            .map_err(CommandError::input),
        None => Ok(root().join(default)),
    }
}

/// The absolute path of the folder of images that the flag `flag` names. The folder must exist,
/// so that the error comes before a build.
pub fn data(flag: &str, named: Option<&Path>) -> Result<Option<PathBuf>, CommandError> {
    let Some(path) = named else { return Ok(None) };
    let absolute = folder(named, "")?;
    if absolute.is_dir() {
        return Ok(Some(absolute));
    }
    Err(CommandError::bad_input(format!(
        "{flag} {}: there is no such folder; name one that holds images, or leave {flag} out to \
         use the repository's MNIST",
        path.display()
    )))
}

/// The study in the folder of configs.
pub fn study(folders: &Folders) -> Result<Study, CommandError> {
    let configs = folder(folders.configs.as_deref(), "configs")?;
    // Errors show this path, so it is relative where possible.
    Study::read(Path::new(&ui::path(&configs))).map_err(CommandError::input)
}

/// The output folder. Without `--out`, a study in another folder than the repository's `configs/`
/// has a folder of its own below `artifacts/studies`, so that the results of studies do not mix.
pub fn out(folders: &Folders) -> Result<PathBuf, CommandError> {
    let default = match folders.configs.as_deref().and_then(other_study) {
        Some(name) => Path::new("artifacts/studies").join(name),
        None => "artifacts".into(),
    };
    folder(folders.out.as_deref(), default)
}

/// The name of the folder `configs` of a study; `None` if it is the repository's own, or is not
/// there.
fn other_study(configs: &Path) -> Option<OsString> {
    let folder = configs.canonicalize().ok()?;
    let own = root().join("configs").canonicalize().ok();
    let name = folder.file_name()?.to_os_string();
    (Some(folder) != own).then_some(name)
}

/// The names of all cells in the order of the study.
pub fn cell_names(study: &Study) -> Vec<String> {
    study.cells().iter().map(|cell| cell.name.clone()).collect()
}

/// The git commit, followed by `-dirty` if tracked files have changes. `unknown` without git.
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
