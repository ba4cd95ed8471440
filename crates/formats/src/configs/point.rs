//! The tables of a cell with all changes that a command makes, and the config of a run that is
//! made of them.

use std::path::Path;

use toml::{Table, Value};

use crate::error::{Error, Result};

use super::cell::Cell;
use super::data_settings::is_about_files;
use super::families::Task;
use super::keys::{NOT_SETTABLE, full_path, set};
use super::run_config::RunConfig;
use super::selection::{Selection, Setting};
use super::size::Size;
use super::study::Study;
use super::tuning::Settings;

impl Study {
    /// The tables of `cell` with the changes of `selection` and the values of `settings`.
    ///
    /// # Errors
    ///
    /// If a change names a wrong key or a value of a wrong kind.
    pub(super) fn point(
        &self,
        cell: &Cell,
        selection: &Selection,
        settings: &Settings,
    ) -> Result<Point> {
        if let Some(problem) = selection.precision.problem_on(selection.backend) {
            return Err(Error::Argument {
                argument: format!("--precision {}", selection.precision.name()),
                problem,
            });
        }
        let mut origin = cell.file.display().to_string();
        let mut table = cell.table.clone();
        if selection.size == Size::Quick {
            let changes = cell
                .family()
                .and_then(|family| self.quick.changes.get(family));
            for (key, value) in changes.into_iter().flatten() {
                set(&mut table, key, value.clone())
                    .map_err(|problem| Error::key(&self.quick_origin, key, problem))?;
            }
        }
        if let Some(dir) = &selection.data
            && let Some(Value::Table(data)) = table.get_mut("data")
            && cell.family().is_some_and(Task::learns_from_images)
        {
            data.insert("dir".into(), Value::String(dir.display().to_string()));
        }
        for Setting { key, value } in &selection.set {
            if NOT_SETTABLE.contains(&key.as_str()) {
                return Err(Error::key(
                    "--set",
                    key,
                    "identifies the run, so --set cannot change it; use --seeds, --backend, \
                     --precision, --quick, --smoke or a config file",
                ));
            }
            let learns_from_images = cell.family().is_some_and(Task::learns_from_images);
            if is_about_files(key) && !learns_from_images {
                // As --data, it changes only the cells that learn from images.
                continue;
            }
            let refuse = |key: &str, problem: String| {
                Error::key(&format!("--set on cell {}", cell.name), key, problem)
            };
            let key = full_path(&table, key).map_err(|problem| refuse(key, problem))?;
            check_kind(&table, &key).map_err(|problem| refuse(&key, problem))?;
            if settings.keys().any(|searched| overlap(searched, &key)) {
                let problem = "is what tuning searches; leave it out, or change its candidates \
                               in tuning.toml";
                return Err(refuse(&key, problem.into()));
            }
            let value = match value {
                // A relative path is relative to the current folder, as with --data.
                Value::String(dir) if key == DATA_DIR => absolute(Path::new(""), dir)?,
                value => value.clone(),
            };
            set(&mut table, &key, value).map_err(|problem| refuse(&key, problem))?;
            origin = format!("{} with --set", cell.file.display());
        }
        // A relative path in a file is relative to the folder that holds `configs/`.
        if let Some(Value::Table(data)) = table.get_mut("data")
            && let Some(Value::String(dir)) = data.get("dir")
        {
            let dir = absolute(&self.base, dir)?;
            data.insert("dir".into(), dir);
        }
        for (key, &value) in settings {
            set(&mut table, key, Value::Float(value)).map_err(|problem| {
                Error::key(&self.tuning_file().display().to_string(), key, problem)
            })?;
        }
        Ok(Point { table, origin })
    }
}

/// The tables of a cell with all changes, before they become the config of a run.
pub(super) struct Point {
    pub(super) table: Table,
    /// The file and the flags that the tables come from, for errors.
    pub(super) origin: String,
}

impl Point {
    /// The config of the run that is called `name`, with `seed`.
    ///
    /// # Errors
    ///
    /// If the config has a value that is not valid.
    pub(super) fn run(self, name: &str, seed: u64, selection: &Selection) -> Result<RunConfig> {
        let Self { mut table, origin } = self;
        for (key, value) in [
            ("cell", Value::String(name.into())),
            ("seed", Value::Integer(seed as i64)),
            ("backend", Value::String(selection.backend.name().into())),
            (
                "precision",
                Value::String(selection.precision.name().into()),
            ),
            ("size", Value::String(selection.size.name().into())),
        ] {
            table.insert(key.into(), value);
        }
        let mut config = RunConfig::from_table(table, &origin)?;
        if selection.size == Size::Smoke {
            config.task.shorten_to_smoke();
        }
        Ok(config)
    }
}

/// Whether two dotted paths are the same key, or one is a table that holds the other.
fn overlap(a: &str, b: &str) -> bool {
    let below = |long: &str, short: &str| {
        long.strip_prefix(short)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    below(a, b) || below(b, a)
}

/// The key of the folder of images.
const DATA_DIR: &str = "data.dir";

/// Makes the path of a folder absolute. A relative path is relative to `base`, or to the
/// current folder if `base` is empty.
fn absolute(base: &Path, dir: &str) -> Result<Value> {
    let path = base.join(dir);
    let path = std::path::absolute(&path).map_err(Error::io("find", &path))?;
    Ok(Value::String(path.display().to_string()))
}

/// The keys of a config of which a cell has one of several kinds, and an example of another
/// kind.
const KINDS: [(&str, &str); 2] = [
    (
        "optimizer",
        "{ sgd = { learning_rate = 0.1, momentum = 0.9, nesterov = false, weight_decay = 0.0 } }",
    ),
    ("schedule", "{ cosine = { warmup = 0.0, end = 0.0 } }"),
];

/// Refuses a key of an optimizer or a schedule that the cell does not use. The cell would
/// then have two of them.
fn check_kind(table: &Table, key: &str) -> std::result::Result<(), String> {
    let mut parts = key.split('.');
    let (Some("train"), Some(what), Some(wanted)) = (parts.next(), parts.next(), parts.next())
    else {
        return Ok(());
    };
    let Some((_, example)) = KINDS.iter().find(|(name, _)| *name == what) else {
        return Ok(());
    };
    let kinds = table
        .get("train")
        .and_then(|train| train.get(what)?.as_table());
    match kinds.and_then(|kinds| kinds.keys().next()) {
        Some(own) if own != wanted => Err(format!(
            "the cell trains with {own}; set a key of train.{what}.{own}, or the whole {what}, \
             as in --set 'train.{what}={example}'"
        )),
        _ => Ok(()),
    }
}
