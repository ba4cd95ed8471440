//! Checks of single values. They refuse a value that has the right type but is not valid.

/// A key whose value is not valid.
pub(crate) struct Problem {
    /// The dotted path of the key, as `model.dropout`.
    pub key: &'static str,
    /// What is wrong with the value of the key, and the remedy.
    pub problem: String,
}

impl Problem {
    pub(crate) fn new(key: &'static str, problem: impl Into<String>) -> Self {
        Self {
            key,
            problem: problem.into(),
        }
    }
}

/// The result of a check.
pub(crate) type Check = Result<(), Problem>;

/// The largest count of anything that costs memory or time. A larger number is probably a
/// typing error. The product of three such numbers still fits into 64 bits.
const MAX_COUNT: usize = 1 << 20;

/// Checks that a value lies between `least` and `most`, both included.
pub(crate) fn within(key: &'static str, value: usize, least: usize, most: usize) -> Check {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(Problem::new(
        key,
        format!("must be from {least} to {most}, not {value}"),
    ))
}

/// Checks a count of things that cost memory or time: it lies between `least` and 2^20.
pub(crate) fn count(key: &'static str, value: usize, least: usize) -> Check {
    within(key, value, least, MAX_COUNT)
}

/// Checks a count whose upper limit is known only later, such as the number of images in a
/// file.
pub(crate) fn at_least_one(key: &'static str, value: usize) -> Check {
    if value > 0 {
        return Ok(());
    }
    Err(Problem::new(key, "must be at least 1, not 0"))
}

/// Checks that a list is not empty.
pub(crate) fn not_empty<T>(key: &'static str, list: &[T]) -> Check {
    if list.is_empty() {
        return Err(Problem::new(
            key,
            "must not be an empty list; name one element",
        ));
    }
    Ok(())
}

/// Checks that a value is finite and above 0.
pub(crate) fn positive(key: &'static str, value: f64) -> Check {
    if value > 0.0 && value.is_finite() {
        return Ok(());
    }
    Err(Problem::new(
        key,
        format!("must be a finite number above 0, not {value}"),
    ))
}

/// The largest end of a range. The sum of the squares of thousands of such numbers still fits
/// into a 32-bit float.
const LARGEST: f64 = 1e6;

/// Checks that a value is at most [`LARGEST`].
pub(crate) fn at_most_largest(key: &'static str, value: f64) -> Check {
    if value <= LARGEST {
        return Ok(());
    }
    Err(Problem::new(
        key,
        format!("must be at most {LARGEST}, not {value}"),
    ))
}

/// Checks the end of a range of numbers: it is above 0 and at most [`LARGEST`].
pub(crate) fn range(key: &'static str, value: f64) -> Check {
    positive(key, value)?;
    at_most_largest(key, value)
}

/// Checks that a value is finite and at least 0.
pub(crate) fn not_negative(key: &'static str, value: f64) -> Check {
    if value >= 0.0 && value.is_finite() {
        return Ok(());
    }
    Err(Problem::new(
        key,
        format!("must be a finite number of at least 0, not {value}"),
    ))
}

/// Checks a share: it is at least 0 and below 1. `of` says what it is the share of.
pub(crate) fn share(key: &'static str, value: f64, of: &str) -> Check {
    if (0.0..1.0).contains(&value) {
        return Ok(());
    }
    Err(Problem::new(
        key,
        format!("must be at least 0 and below 1, not {value}: it is the share of {of}"),
    ))
}

/// Checks the widths of layers, or their numbers of channels.
pub(crate) fn widths(key: &'static str, widths: &[usize]) -> Check {
    widths.iter().try_for_each(|&width| count(key, width, 1))
}

/// The maximum length of a cell's name, in bytes. File systems allow longer names, but the
/// name of a cell is also a part of longer file names.
pub(crate) const LONGEST_NAME: usize = 100;

/// What stands in the name of a trial between the name of its cell and the candidate.
pub(crate) const TRIAL_MARK: char = '@';

/// Checks the name of the cell of a run. For a trial, the name of the cell is followed by
/// [`TRIAL_MARK`] and the name of a candidate, as in `mlp@learning_rate=0.04`. No cell of a
/// study has this mark in its name, so a trial never takes the place of a run of the study.
pub(crate) fn run_name_is_a_folder(name: &str) -> Result<(), String> {
    let Some((cell, candidate)) = name.split_once(TRIAL_MARK) else {
        return name_is_a_folder(name);
    };
    name_is_a_folder(cell)?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.,=+".contains(c);
    if (1..=LONGEST_NAME).contains(&candidate.len()) && candidate.chars().all(plain) {
        return Ok(());
    }
    Err(format!(
        "`{candidate}` after `{TRIAL_MARK}` must have 1 to {LONGEST_NAME} letters, digits and \
         signs of `-_.,=+`"
    ))
}

/// Checks the name of a cell. The name becomes the name of a folder, which must lie below
/// `--out`.
pub(crate) fn name_is_a_folder(cell: &str) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let is_short = (1..=LONGEST_NAME).contains(&cell.len());
    if is_short && !cell.starts_with('.') && cell.chars().all(plain) {
        return Ok(());
    }
    Err(format!(
        "`{cell}` must have 1 to {LONGEST_NAME} letters, digits, `-`, `_` and `.`, and must not \
         begin with a dot"
    ))
}
