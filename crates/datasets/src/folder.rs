//! Finds and reads the files of a data set in a folder. If a file is missing, the error names
//! a file with a similar name.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use crate::error::DataError;
use crate::idx::MAX_UNPACKED;

/// The maximum size of a text file in bytes. A larger file could fill the memory.
const MAX_TEXT: u64 = 1 << 20;
/// The maximum size of an IDX file in bytes, gzipped or not: the maximum unpacked size, and
/// room for headers.
const MAX_FILE: u64 = MAX_UNPACKED + (1 << 20);
/// The maximum number of entries of a folder that are searched for a similar name.
const ENTRIES: usize = 10_000;
/// The maximum number of characters of a name in an error or a warning.
const SHOWN: usize = 80;

/// A file of a data set that was found in the folder.
pub(crate) struct Found {
    pub path: PathBuf,
    /// The name of the file, with `.gz` if the name ends with it.
    pub name: String,
    pub bytes: Vec<u8>,
}

/// What a path in a folder is.
pub(crate) enum Entry {
    Absent,
    File,
    /// Something else, as `a folder`.
    Other(&'static str),
}

pub(crate) fn entry(path: &Path) -> Result<Entry, DataError> {
    match fs::metadata(path) {
        Ok(data) if data.is_file() => Ok(Entry::File),
        Ok(data) if data.is_dir() => Ok(Entry::Other("a folder")),
        // Opening a named pipe never returns, and a device may have no end.
        Ok(_) => Ok(Entry::Other("a pipe or a device")),
        Err(error) if is_absent(error.kind()) => Ok(if fs::symlink_metadata(path).is_ok() {
            Entry::Other("a link to a file that is not there")
        } else {
            Entry::Absent
        }),
        Err(source) => Err(unreadable(path, source)),
    }
}

fn is_absent(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::NotADirectory)
}

pub(crate) fn unreadable(path: &Path, source: std::io::Error) -> DataError {
    DataError::Read {
        path: path.to_path_buf(),
        source,
    }
}

/// Reads all bytes of a file.
///
/// # Errors
///
/// If the file cannot be read, or has more than `most` bytes.
pub(crate) fn read(path: &Path, most: u64) -> Result<Vec<u8>, DataError> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(most + 1).read_to_end(&mut bytes))
        .map_err(|source| unreadable(path, source))?;
    if bytes.len() as u64 > most {
        return Err(DataError::Unusable {
            path: path.to_path_buf(),
            why: format!("has more than {most} bytes; is it the right file?"),
        });
    }
    Ok(bytes)
}

/// Opens a file, and returns it with its size in bytes; `None` if there is no such file.
pub(crate) fn open(path: &Path) -> Result<Option<(File, u64)>, DataError> {
    match entry(path)? {
        Entry::Absent => Ok(None),
        Entry::Other(what) => Err(in_the_way(path, what)),
        Entry::File => File::open(path)
            .and_then(|file| {
                let size = file.metadata()?.len();
                Ok(Some((file, size)))
            })
            .map_err(|source| unreadable(path, source)),
    }
}

/// The error for something that is no file at the place of one.
fn in_the_way(path: &Path, what: &str) -> DataError {
    DataError::Unusable {
        path: path.to_path_buf(),
        why: format!("is {what}; put a file there, or remove it"),
    }
}

/// Reads `name` or `name.gz` in `dir`. It adds a warning if `name` exists but is not a file,
/// and `name.gz` is read instead.
pub(crate) fn data_file(
    dir: &Path,
    name: &'static str,
    warnings: &mut Vec<String>,
) -> Result<Found, DataError> {
    let mut obstacles = Vec::new();
    for name in [name.to_string(), format!("{name}.gz")] {
        let path = dir.join(&name);
        match entry(&path)? {
            Entry::Absent => {}
            Entry::File => {
                let instead = |what| format!("{what}, so {} is read instead", path.display());
                warnings.extend(obstacles.into_iter().map(instead));
                let bytes = read(&path, MAX_FILE)?;
                return Ok(Found { path, name, bytes });
            }
            Entry::Other(what) => obstacles.push(format!("{} is {what}", path.display())),
        }
    }
    let mut hints = obstacles;
    hints.extend(similar(dir, name));
    Err(DataError::Missing {
        dir: dir.to_path_buf(),
        name,
        hint: hints.iter().map(|hint| format!("; {hint}")).collect(),
    })
}

/// Reads the text of `name` in `dir`, without a byte order mark; `None` if there is no such
/// file.
pub(crate) fn text_file(dir: &Path, name: &str) -> Result<Option<(Found, String)>, DataError> {
    let path = dir.join(name);
    let bytes = match entry(&path)? {
        Entry::Absent => return Ok(None),
        Entry::Other(what) => return Err(in_the_way(&path, what)),
        Entry::File => read(&path, MAX_TEXT)?,
    };
    let Ok(text) = std::str::from_utf8(&bytes) else {
        return Err(DataError::Unusable {
            path,
            why: "is not text in UTF-8; save it as UTF-8".into(),
        });
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).to_string();
    let name = name.to_string();
    Ok(Some((Found { path, name, bytes }, text)))
}

/// The names in a folder, sorted. There are none if the folder cannot be read.
pub(crate) fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).into_iter().flatten().take(ENTRIES);
    let mut names: Vec<String> = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort_unstable();
    names
}

/// Escapes and shortens a text to one short line for a message.
pub(crate) fn shown(text: &str) -> String {
    let mut shown: String = text
        .chars()
        .take(SHOWN)
        .flat_map(char::escape_debug)
        .collect();
    if text.chars().nth(SHOWN).is_some() {
        shown += "...";
    }
    shown
}

/// The first `most` of some texts, and how many others there are.
pub(crate) fn some(texts: &[String], most: usize) -> String {
    let named = texts[..most.min(texts.len())].join(", ");
    match texts.len().saturating_sub(most) {
        0 => named,
        others => format!("{named} and {others} more"),
    }
}

/// A clause that names a file in `dir` whose name is similar to `wanted`, and the remedy.
fn similar(dir: &Path, wanted: &str) -> Option<String> {
    let names = names(dir);
    let packed = |name: &str| format!("{name}.gz");
    let holds = |name: &String| {
        let inner = dir.join(name);
        [wanted.to_string(), packed(wanted)]
            .into_iter()
            .map(|file| inner.join(file))
            .find(|file| file.is_file())
    };
    if let Some(inner) = names.iter().find_map(holds) {
        return Some(format!(
            "there is {}: move it one folder up, or use its folder",
            inner.display()
        ));
    }
    let wanted_core = core(wanted);
    let files = names.iter().filter(|name| dir.join(name).is_file());
    let near = files
        .filter(|name| plain(name).contains(&wanted_core))
        .min_by_key(|name| name.len())?;
    let is_packed = [".gz", ".gzip"]
        .iter()
        .any(|end| near.to_lowercase().contains(end));
    let target = if is_packed {
        packed(wanted)
    } else {
        wanted.to_string()
    };
    Some(format!(
        "there is `{}`: rename it to `{target}`",
        shown(near)
    ))
}

/// The part of a file's name that distinguishes it from the other three, as `trainimages`.
fn core(name: &str) -> String {
    let plain = plain(name);
    match plain.find("idx") {
        Some(end) => plain[..end].to_string(),
        None => plain,
    }
}

/// A name reduced to lower-case letters and digits. `test` becomes `t10k`, the word of MNIST
/// for the test images.
fn plain(name: &str) -> String {
    let name = name.to_lowercase();
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    plain.replace("test", "t10k")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hint_names_a_similar_file() {
        let dir = tempfile::tempdir().expect("a folder");
        let hint = |there: &str, wanted: &str| {
            let path = dir.path().join(there);
            fs::write(&path, "").expect("a file");
            let hint = similar(dir.path(), wanted);
            fs::remove_file(path).expect("removes");
            hint
        };
        let (train, test) = ("train-images-idx3-ubyte", "t10k-labels-idx1-ubyte");
        for (there, wanted, target) in [
            ("train-images.idx3-ubyte", train, "train-images-idx3-ubyte"),
            (
                "train-images-idx3-ubyte.gzip",
                train,
                "train-images-idx3-ubyte.gz",
            ),
            ("Train-Images-idx3-ubyte", train, "train-images-idx3-ubyte"),
            (
                "emnist-digits-train-images-idx3-ubyte.gz",
                train,
                "train-images-idx3-ubyte.gz",
            ),
            ("test-labels-idx1-ubyte", test, "t10k-labels-idx1-ubyte"),
            ("t10k_labels.bin", test, "t10k-labels-idx1-ubyte"),
        ] {
            let expected = format!("there is `{there}`: rename it to `{target}`");
            assert_eq!(hint(there, wanted), Some(expected));
        }
        for (there, wanted) in [
            ("train-labels-idx1-ubyte", train),
            ("train-images-idx3-ubyte", test),
            ("notes.txt", train),
        ] {
            assert_eq!(hint(there, wanted), None, "{there}");
        }
        assert_eq!(similar(&dir.path().join("nowhere"), train), None);
    }

    #[test]
    fn a_shown_name_is_one_short_line() {
        assert_eq!(shown("a\nb\u{1b}[2J"), "a\\nb\\u{1b}[2J");
        assert_eq!(shown(&"x".repeat(200)), "x".repeat(80) + "...");
    }
}
