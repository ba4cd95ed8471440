//! Dotted paths into the tables of a config, as `model.dropout`.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

use crate::RunConfig;

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
    // And `1e1`, written where it has a whole number, is ten.
    let value = match (table.get(leaf), value) {
        (Some(Value::Float(_)), Value::Integer(whole)) => Value::Float(whole as f64),
        (Some(Value::Integer(_)), Value::Float(number)) => Value::Integer(whole(number)?),
        (there, value) => same_kind(there, value)?,
    };
    table.insert(leaf.to_string(), value);
    Ok(())
}

/// A number without a fraction as what TOML calls an integer.
fn whole(number: f64) -> std::result::Result<i64, String> {
    // Beyond 2^53 neighbours are more than one apart.
    if number.fract() == 0.0 && number.abs() <= (1u64 << 53) as f64 {
        return Ok(number as i64);
    }
    Err(format!("must be a whole number, not {number}"))
}

/// `value`, if it is of the kind of what it replaces: what a number replaces is one.
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

/// Keys of a list of changes; more are counted.
const SHOWN: usize = 3;

impl RunConfig {
    /// How this config, with which something was trained, differs from that of the
    /// `study`: `train.epochs was 5, and the study says 20`. Empty where the two are
    /// equal, but for what is no part of a training.
    pub fn changes(&self, study: &Self) -> String {
        let (trained, study) = (values(self), values(study));
        let keys: BTreeSet<&String> = trained.keys().chain(study.keys()).collect();
        let shown = |value: Option<&String>| value.cloned().unwrap_or_else(|| "absent".into());
        let changes: Vec<String> = keys
            .into_iter()
            .filter(|key| trained.get(*key) != study.get(*key))
            .map(|key| {
                let (was, is) = (shown(trained.get(key)), shown(study.get(key)));
                format!("{key} was {was}, and the study says {is}")
            })
            .collect();
        let more = changes.len().saturating_sub(SHOWN);
        let mut text = changes[..changes.len().min(SHOWN)].join("; ");
        if more > 0 {
            text += &format!("; and {more} more");
        }
        text
    }
}

/// The values of a config by their dotted paths, without what is no part of a training.
fn values(config: &RunConfig) -> BTreeMap<String, String> {
    let table = config.to_table();
    let mut paths = Vec::new();
    leaves(&table, "", &mut |path| paths.push(path.to_string()));
    paths.retain(|path| !["about", "section", "data.dir"].contains(&path.as_str()));
    let value = |path: &str| {
        let mut parts = path.split('.');
        let first = table.get(parts.next()?)?;
        parts.try_fold(first, |value, key| value.get(key))
    };
    let values = paths
        .iter()
        .filter_map(|path| Some((path.clone(), value(path)?.to_string())));
    values.collect()
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
