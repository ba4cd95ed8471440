//! One cell of a study, before it becomes runs.

use std::path::PathBuf;

use toml::{Table, Value};

/// One cell: its name and the tables of its file. With a seed and a backend it becomes a
/// run.
#[derive(Debug, Clone)]
pub struct Cell {
    /// The name of the cell.
    pub name: String,
    /// The file that holds the cell.
    pub file: PathBuf,
    /// How many seeds the cell wants, whatever the study says: 1 if nothing in it is random.
    pub(crate) seeds: Option<u64>,
    pub(crate) table: Table,
}

impl Cell {
    /// The id of the section that the cell belongs to.
    pub fn section(&self) -> &str {
        self.text("section").unwrap_or_default()
    }

    /// The name of the family, if the file gives one.
    pub fn family(&self) -> Option<&str> {
        self.text("family")
    }

    /// Whether nothing in the cell is random, so that one run is enough.
    pub fn is_deterministic(&self) -> bool {
        self.seeds == Some(1)
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.table.get(key).and_then(Value::as_str)
    }
}
