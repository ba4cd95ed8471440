//! Finds folders of runs that are no results of the study, so that they can be removed.

use std::path::{Path, PathBuf};

use kindling_formats::{Error, Layout, Result, RunDir, Study, TreeKind};

use crate::read::current::CurrentStudy;
use crate::read::folder_name::FolderName;

/// The folder of a run that is no result of the study.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// The folder.
    pub folder: PathBuf,
    /// Why it is no result of the study.
    pub kind: LeftoverKind,
    /// How it differs from the study, as `train.epochs was 5, and the study says 20`.
    pub difference: String,
}

/// Why a run is no result of the study.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftoverKind {
    /// It is a trial.
    Trial,
    /// It is a result or a stopped training of another config, other data or another version of
    /// Burn.
    Outdated,
    /// It is of a cell that the study does not have, or of another version of Kindling.
    Foreign,
}

/// The folders of runs in the tree of `layout` that are certainly no results of the study. If
/// it is not known what the study says about a run, as without its choice, the run is not
/// among them. Neither are runs that are being trained, and damaged ones.
///
/// # Errors
///
/// If `tree.json` or the choices of a tuned tree cannot be read.
pub fn leftovers(study: &Study, layout: &Layout) -> Result<Vec<Leftover>> {
    let current = match layout.kind() {
        TreeKind::Trials => None,
        TreeKind::Written | TreeKind::Tuned => Some(CurrentStudy::new(study, layout)?),
    };
    let mut found = Vec::new();
    for cell_folder in folders(&layout.runs())? {
        let cell = name(&cell_folder);
        for folder in folders(&cell_folder)? {
            let Some(folder_name) = FolderName::parse(&name(&folder)) else {
                continue;
            };
            let known = match &current {
                None => Some((LeftoverKind::Trial, "a trial".to_string())),
                Some(_) if study.cell(&cell).is_err() => Some((
                    LeftoverKind::Foreign,
                    format!("the study has no cell {cell}"),
                )),
                Some(current) => difference(current, &RunDir::new(&folder), &folder_name),
            };
            found.extend(known.map(|(kind, difference)| Leftover {
                folder,
                kind,
                difference,
            }));
        }
    }
    Ok(found)
}

/// How the run in `dir` differs from the study; `None` if it does not, or may not.
fn difference(
    current: &CurrentStudy,
    dir: &RunDir,
    name: &FolderName,
) -> Option<(LeftoverKind, String)> {
    match dir.read_record() {
        Err(error) if error.is_of_version() => Some((LeftoverKind::Foreign, error.to_string())),
        Err(_) => None,
        Ok(Some(record)) => {
            let difference = current.certain_difference(&record, dir)?;
            Some((LeftoverKind::Outdated, difference))
        }
        Ok(None) if name.aside && name.partial && current.has_other_config(dir) => Some((
            LeftoverKind::Outdated,
            "a run of another config, which was stopped".into(),
        )),
        Ok(None) => None,
    }
}

fn name(folder: &Path) -> String {
    let name = folder.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// The folders in `folder`, sorted by name; none if it does not exist.
fn folders(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = kindling_formats::if_there("read", folder, std::fs::read_dir(folder))?;
    let mut folders = Vec::new();
    for entry in entries.into_iter().flatten() {
        let path = entry.map_err(Error::io("read", folder))?.path();
        // A link is not followed: what it leads to may lie outside of the tree.
        if path.is_dir() && !path.is_symlink() {
            folders.push(path);
        }
    }
    folders.sort();
    Ok(folders)
}
