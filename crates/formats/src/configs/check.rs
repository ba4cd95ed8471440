//! Checks of single values: they refuse a value that has the right type and makes no sense.

/// A key with a value that makes no sense.
pub(crate) struct Problem {
    /// The dotted path of the key, as `model.dropout`.
    pub key: &'static str,
    /// What is wrong with its value, and the remedy.
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

/// The most of anything that costs memory or time. A slip of a key asks for more. The
/// product of three such numbers still fits into 64 bits.
const MOST: usize = 1 << 20;

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
    within(key, value, least, MOST)
}

/// Checks a count that something else bounds, as the number of images in a file.
pub(crate) fn at_least_one(key: &'static str, value: usize) -> Check {
    if value > 0 {
        return Ok(());
    }
    Err(Problem::new(key, "must be at least 1, not 0"))
}

/// Checks that a list has an element.
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

/// The largest range. The sum of thousands of squares of such numbers still fits into a
/// 32-bit float.
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
        format!("must be 0 or a finite number above it, not {value}"),
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

/// The most characters of a cell's name. Every file system takes a longer one, and the
/// name stands in the names of other files.
pub(crate) const LONGEST_NAME: usize = 100;

/// Checks the name of a cell. It becomes the name of a folder, so it must not lead out of
/// `--out`.
pub(crate) fn name_is_a_folder(cell: &str) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let is_short = (1..=LONGEST_NAME).contains(&cell.len());
    if is_short && !cell.starts_with('.') && cell.chars().all(plain) {
        return Ok(());
    }
    Err(format!(
        "`{cell}` must be at most {LONGEST_NAME} letters, digits, `-`, `_` and `.`, and not \
         begin with a dot"
    ))
}
