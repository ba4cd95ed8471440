//! Dotted paths into the tables of a config, as `model.dropout`.

use toml::{Table, Value};

/// Keys that `--set` cannot change.
pub(crate) const NOT_SETTABLE: [&str; 7] = [
    "cell",
    "section",
    "family",
    "seed",
    "backend",
    "precision",
    "size",
];

/// The deepest path in a config, `train.optimizer.sgd.momentum`, has four parts.
const DEEPEST: usize = 4;

/// Puts `value` at a dotted path, making the tables on the way.
pub(crate) fn set(table: &mut Table, path: &str, value: Value) -> std::result::Result<(), String> {
    if path.split('.').count() > DEEPEST {
        return Err("no key of a config lies so deep".into());
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
    // A whole number written where the file has a fraction is that fraction.
    let value = match (table.get(leaf), value) {
        (Some(Value::Float(_)), Value::Integer(whole)) => Value::Float(whole as f64),
        (_, value) => value,
    };
    table.insert(leaf.to_string(), value);
    Ok(())
}

/// `dropout` for `model.dropout`, where only one key of the cell ends so.
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
        several => Err(format!("is one of {}; write it out", several.join(", "))),
    }
}

fn leaves(table: &Table, prefix: &str, visit: &mut impl FnMut(&str)) {
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
