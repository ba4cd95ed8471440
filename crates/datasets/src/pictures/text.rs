//! Paths of pictures and numbers of them in errors and warnings.

use std::path::Path;

use crate::folder::shown;

/// The path of `path` below `dir`, each part as one short line.
pub(super) fn below(dir: &Path, path: &Path) -> String {
    let below = path.strip_prefix(dir).unwrap_or(path);
    let parts = below.iter().map(|part| shown(&part.to_string_lossy()));
    parts.collect::<Vec<_>>().join("/")
}

/// A number of pictures, in words.
pub(super) fn counted(count: usize) -> String {
    match count {
        1 => "1 picture".into(),
        _ => format!("{count} pictures"),
    }
}
