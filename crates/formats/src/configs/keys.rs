//! Dotted paths into the tables of a config, as `model.dropout`.

use toml::{Table, Value};

/// The keys that `--set` cannot change, because they identify the run.
pub(crate) const NOT_SETTABLE: [&str; 7] = [
    "cell",
    "section",
    "family",
    "seed",
    "backend",
    "precision",
    "size",
];

/// The maximum number of parts of a path. The longest path in a config,
/// `train.optimizer.sgd.momentum`, has four. Without a limit, deeply nested tables would
/// overflow the stack.
const MAX_PARTS: usize = 4;

/// Sets the key at a dotted path to `value`. Tables on the path that do not exist are created.
///
/// # Errors
///
/// If the path is too long or leads through a key that is not a table, or if `value` is of
/// another kind than the value that it replaces.
pub(crate) fn set(table: &mut Table, path: &str, value: Value) -> std::result::Result<(), String> {
    if path.split('.').count() > MAX_PARTS {
        return Err(format!(
            "no key of a config has more than {MAX_PARTS} parts"
        ));
    }
    let (table, leaf) = match path.rsplit_once('.') {
        None => (table, path),
        Some((parents, leaf)) => {
            let mut at = table;
            for key in parents.split('.') {
                at = match at.entry(key).or_insert_with(|| Value::Table(Table::new())) {
                    Value::Table(inner) => inner,
                    _ => return Err(format!("`{key}` is a value, not a table")),
                };
            }
            (at, leaf)
        }
    };
    // People write 1 for 1.0, and 1e1 for 10.
    let value = match (table.get(leaf), value) {
        (Some(Value::Float(_)), Value::Integer(whole)) => Value::Float(whole as f64),
        (Some(Value::Integer(_)), Value::Float(number)) => Value::Integer(whole(number)?),
        (there, value) => same_kind(there, value)?,
    };
    table.insert(leaf.to_string(), value);
    Ok(())
}

/// Turns a float without a fraction into an integer.
///
/// # Errors
///
/// If the float has a fraction, or is too large to be exact.
fn whole(number: f64) -> std::result::Result<i64, String> {
    // Above 2^53, a float may stand for several whole numbers.
    if number.fract() == 0.0 && number.abs() <= (1u64 << 53) as f64 {
        return Ok(number as i64);
    }
    Err(format!("must be a whole number, not {number}"))
}

/// Returns `value` if it is of the same kind as `there`, the value that it replaces.
///
/// # Errors
///
/// If the kinds differ.
fn same_kind(there: Option<&Value>, value: Value) -> std::result::Result<Value, String> {
    let wanted = match (there, &value) {
        (Some(Value::Float(_)), Value::Float(_)) | (Some(Value::Integer(_)), Value::Integer(_)) => {
            return Ok(value);
        }
        (Some(Value::Float(_)), _) => "a number, as 0.5",
        (Some(Value::Integer(_)), _) => "a whole number, as 10",
        (Some(Value::Array(_)), Value::Array(_)) => return Ok(value),
        (Some(Value::Array(_)), _) => "a list, as [32, 16]",
        (Some(Value::String(_)), Value::String(_)) => return Ok(value),
        (Some(Value::String(_)), _) => "a word in quotes",
        _ => return Ok(value),
    };
    Err(format!("must be {wanted}, not {value}"))
}

/// Completes the last part of a key to the dotted path, as `dropout` to `model.dropout`.
///
/// # Errors
///
/// If no key of the cell, or more than one, ends with this part.
pub(crate) fn full_path(table: &Table, key: &str) -> std::result::Result<String, String> {
    if key.contains('.') || table.contains_key(key) {
        return Ok(key.to_string());
    }
    let mut found = Vec::new();
    leaves(table, "", &mut |path| {
        if path.rsplit('.').next() == Some(key) {
            found.push(path.to_string());
        }
    });
    match found.as_slice() {
        [path] => Ok(path.clone()),
        [] => {
            let mut known = Vec::new();
            leaves(table, "", &mut |path| {
                if !NOT_SETTABLE.contains(&path) {
                    known.push(path.to_string());
                }
            });
            Err(format!(
                "the cell has no such key; it has: {}",
                known.join(", ")
            ))
        }
        several => Err(format!(
            "may mean {}; write the whole path",
            several.join(" or ")
        )),
    }
}

/// The value at a dotted path; `None` if the table has no such key.
pub(crate) fn value_at<'a>(table: &'a Table, path: &str) -> Option<&'a Value> {
    let mut parts = path.split('.');
    let first = table.get(parts.next()?)?;
    parts.try_fold(first, |value, key| value.get(key))
}

/// Calls `visit` with the dotted path of every value in a table that is not a table itself.
pub(crate) fn leaves(table: &Table, prefix: &str, visit: &mut impl FnMut(&str)) {
    for (key, value) in table {
        let path = if prefix.is_empty() {
            key.clone()
        } else {
            format!("{prefix}.{key}")
        };
        match value {
            Value::Table(inner) => leaves(inner, &path, visit),
            _ => visit(&path),
        }
    }
}
