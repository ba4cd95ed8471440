//! Which runs of a study are meant, and what the command line changes in them.

use std::path::PathBuf;

use toml::{Table, Value};

use crate::{Backend, Precision, Size};

/// `--set key=value`.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    pub(crate) key: String,
    pub(crate) value: Value,
}

impl std::str::FromStr for Setting {
    type Err = String;

    /// Reads `key=value`; the value is TOML, or else a string.
    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let (key, value) = text
            .split_once('=')
            .ok_or("expected key=value, as in model.dropout=0.3")?;
        let (key, value) = (key.trim(), value.trim());
        if key.is_empty() || key.split('.').any(str::is_empty) {
            return Err("the key before `=` must be a dotted path, as in model.dropout".into());
        }
        let parsed = format!("value = {value}")
            .parse::<Table>()
            .ok()
            .filter(|table| table.len() == 1)
            .and_then(|mut table| table.remove("value"));
        // TOML knows neither `.01` nor `1.`; people write them.
        let number = || value.parse().ok().map(Value::Float);
        let value = parsed
            .or_else(number)
            .unwrap_or_else(|| Value::String(value.to_string()));
        Ok(Self {
            key: key.to_string(),
            value,
        })
    }
}

impl Setting {
    /// The key, as it was typed.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The value as text; that of a string without its quotes.
    pub fn text(&self) -> String {
        match &self.value {
            Value::String(text) => text.clone(),
            value => value.to_string(),
        }
    }
}

impl std::fmt::Display for Setting {
    /// `key=value`, as it is typed.
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "{}={}", self.key, self.text())
    }
}

/// Which runs, and how they differ from the files.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Cells whose name contains one of these.
    pub only: Vec<String>,
    /// Cells of exactly these names. Where this and `only` are empty, all cells.
    pub cells: Vec<String>,
    /// Seeds 0 to n-1; `None`: as many as the study says.
    pub seeds: Option<u64>,
    /// How much of each run.
    pub size: Size,
    /// What to train on.
    pub backend: Backend,
    /// How exactly.
    pub precision: Precision,
    /// Other images in MNIST's place, as an absolute path.
    pub data: Option<PathBuf>,
    /// Changed keys.
    pub set: Vec<Setting>,
}

impl Selection {
    /// The study's own runs of a size: on the usual backend, with nothing changed.
    pub fn own(size: Size) -> Self {
        Self {
            size,
            ..Self::default()
        }
    }

    /// Whether a cell of this name is among those chosen.
    pub(crate) fn chooses(&self, name: &str) -> bool {
        (self.only.is_empty() && self.cells.is_empty())
            || self.only.iter().any(|word| name.contains(word))
            || self.cells.iter().any(|cell| cell == name)
    }
}
