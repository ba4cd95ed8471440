//! What a folder holds, by the names of its entries.

use std::ffi::{OsStr, OsString};
use std::fs::{self, DirEntry};
use std::path::Path;

use crate::error::DataError;
use crate::folder::unreadable;

/// The ends of the names of pictures, in lower case.
const EXTENSIONS: [&str; 3] = ["png", "jpg", "jpeg"];
/// What systems and programs leave in folders, beside files whose names begin with a dot.
const LEFT: [&str; 3] = ["Thumbs.db", "desktop.ini", "__MACOSX"];

/// What an entry of a folder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A folder, or a link to one.
    Folder,
    /// Something with the name of a picture. Whether it is a file is seen when it is read.
    Picture,
    Other,
}

/// The entries of a folder that are not hidden, sorted by the bytes of their names.
#[derive(Default)]
pub(super) struct Folder {
    pub folders: Vec<OsString>,
    pub pictures: Vec<OsString>,
    pub others: Vec<OsString>,
}

impl Folder {
    /// Lists a folder.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub fn list(dir: &Path) -> Result<Self, DataError> {
        let failed = |source| unreadable(dir, source);
        let mut folder = Self::default();
        for entry in fs::read_dir(dir).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            match kind(&entry) {
                _ if is_hidden(&name) => {}
                Kind::Folder => folder.folders.push(name),
                Kind::Picture => folder.pictures.push(name),
                Kind::Other => folder.others.push(name),
            }
        }
        for names in [
            &mut folder.folders,
            &mut folder.pictures,
            &mut folder.others,
        ] {
            names.sort_unstable_by(|a, b| a.as_encoded_bytes().cmp(b.as_encoded_bytes()));
        }
        Ok(folder)
    }
}

/// Whether a folder holds an entry of this kind that is not hidden.
pub(super) fn holds(dir: &Path, wanted: Kind) -> bool {
    let mut entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries.any(|entry| kind(&entry) == wanted && !is_hidden(&entry.file_name()))
}

fn kind(entry: &DirEntry) -> Kind {
    let is_folder = match entry.file_type() {
        Ok(kind) if kind.is_symlink() => entry.path().is_dir(),
        Ok(kind) => kind.is_dir(),
        Err(_) => false,
    };
    let name = entry.file_name();
    let extension = Path::new(&name).extension().unwrap_or_default();
    let is_picture = EXTENSIONS
        .iter()
        .any(|end| extension.eq_ignore_ascii_case(end));
    match (is_folder, is_picture) {
        (true, _) => Kind::Folder,
        (false, true) => Kind::Picture,
        (false, false) => Kind::Other,
    }
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".") || LEFT.iter().any(|left| name == *left)
}
