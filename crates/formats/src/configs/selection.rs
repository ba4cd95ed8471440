//! Which runs of a study a command selects, and what it changes in them.

use std::path::PathBuf;

use toml::{Table, Value};

use crate::devices::{Backend, Precision};

use super::choices::Choices;
use super::size::Size;

/// A key with its new value, as `--set key=value` gives them.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    pub(crate) key: String,
    pub(crate) value: Value,
}

impl std::str::FromStr for Setting {
    type Err = String;

    /// Reads `key=value`. The value is read as TOML, else as a number such as `.01`, else as a
    /// string.
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
        // People write .01 and 1., which are not TOML.
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

    /// The value as text. A string has no quotes.
    pub fn text(&self) -> String {
        match &self.value {
            Value::String(text) => text.clone(),
            value => value.to_string(),
        }
    }
}

impl std::fmt::Display for Setting {
    /// Writes `key=value`, as it is typed.
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "{}={}", self.key, self.text())
    }
}

/// Which runs of a study are selected, and how they differ from the study's files.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Selects the cells whose name contains one of these words.
    pub only: Vec<String>,
    /// Selects the cells of exactly these names. If this and `only` are empty, all cells are
    /// selected.
    pub cells: Vec<String>,
    /// The number of seeds of a cell. The seeds are 0, 1, 2, and so on. `None`: the number that
    /// the study gives.
    pub seeds: Option<u64>,
    /// How much of each run is trained.
    pub size: Size,
    /// The backend that computes.
    pub backend: Backend,
    /// How exactly the backend computes.
    pub precision: Precision,
    /// The absolute path of a folder of images that replaces MNIST.
    pub data: Option<PathBuf>,
    /// The keys that change in each cell.
    pub set: Vec<Setting>,
    /// The choices of the tuned protocol; `None` for the written protocol.
    pub choices: Option<Choices>,
}

impl Selection {
    /// Selects all runs of the study in this size, on the default backend, without changes.
    pub fn own(size: Size) -> Self {
        Self {
            size,
            ..Self::default()
        }
    }

    /// Whether a cell of this name is selected.
    pub(crate) fn selects(&self, name: &str) -> bool {
        (self.only.is_empty() && self.cells.is_empty())
            || self.only.iter().any(|word| name.contains(word))
            || self.cells.iter().any(|cell| cell == name)
    }
}
