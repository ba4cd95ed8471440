//! Names of files and counts of them in errors and warnings.

use std::path::Path;

use crate::folder::shown;

/// The path of `path` below `dir`, each part as one short line.
pub(super) fn below(dir: &Path, path: &Path) -> String {
    let below = path.strip_prefix(dir).unwrap_or(path);
    let parts = below.iter().map(|part| shown(&part.to_string_lossy()));
    parts.collect::<Vec<_>>().join("/")
}

/// The first `most` of some texts, and how many others there are.
pub(super) fn some(texts: &[String], most: usize) -> String {
    let named = texts[..most.min(texts.len())].join(", ");
    match texts.len().saturating_sub(most) {
        0 => named,
        others => format!("{named} and {others} more"),
    }
}

/// A number of pictures, in words.
pub(super) fn counted(count: usize) -> String {
    match count {
        1 => "1 picture".into(),
        _ => format!("{count} pictures"),
    }
}
