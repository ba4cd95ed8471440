//! `labels.txt`: the names of the classes of a data set.

use std::path::Path;

use kindling_formats::hex;
use sha2::{Digest, Sha256};

use crate::error::DataError;
use crate::folder::{names, shown, text_file};
use crate::limits::{LONGEST_CLASS, MAX_CLASSES};
use crate::sums::Sums;

/// The name of the file that holds the names of the classes.
const LABELS: &str = "labels.txt";

/// Names for the classes of `labels` that have none: the numbers in the file of labels, from
/// `first` on. The labels themselves begin at 0.
pub(crate) fn numbered(labels: &[u8], first: u8) -> Vec<String> {
    let largest = labels.iter().max().copied().unwrap_or(0);
    let numbers = (0..=largest).map(|label| u16::from(label) + u16::from(first));
    numbers.map(|number| number.to_string()).collect()
}

/// Reads `labels.txt` in `dir`; `None` if there is no such file. It adds a warning if a file has
/// a similar name.
///
/// # Errors
///
/// Those of [`read_names`].
pub(crate) fn read_classes(
    dir: &Path,
    sums: &mut Option<Sums>,
    warnings: &mut Vec<String>,
) -> Result<Option<Vec<String>>, DataError> {
    let classes = read_names(dir, LABELS, sums)?;
    if classes.is_none() {
        let like = |name: &String| {
            let name = name.to_lowercase();
            ["labels.txt", "labels.txt.txt", "label.txt", "labels"].contains(&name.as_str())
        };
        warnings.extend(names(dir).into_iter().find(like).map(|name| {
            format!(
                "{}: `{}` is not read; the names of the classes are read from `{LABELS}`",
                dir.display(),
                shown(&name)
            )
        }));
    }
    Ok(classes)
}

/// Reads the file `name` in `dir`; `None` if there is no such file. Each line is the name of a
/// class. If `sums` has a SHA-256 for the file, it is checked.
///
/// # Errors
///
/// If the file cannot be read, has another SHA-256, or a line is no name.
pub(crate) fn read_names(
    dir: &Path,
    name: &str,
    sums: &mut Option<Sums>,
) -> Result<Option<Vec<String>>, DataError> {
    let Some((found, text)) = text_file(dir, name)? else {
        return Ok(None);
    };
    if let Some(sums) = sums {
        let sum = hex(&Sha256::digest(&found.bytes));
        sums.check(name, &found, &sum)?;
    }
    let names: Vec<String> = text
        .trim_end()
        .lines()
        .map(|line| line.trim().to_string())
        .collect();
    let fits = |name: &String| !name.is_empty() && name.len() <= LONGEST_CLASS;
    if (1..=MAX_CLASSES).contains(&names.len()) && names.iter().all(fits) {
        return Ok(Some(names));
    }
    Err(DataError::Classes { path: found.path })
}
