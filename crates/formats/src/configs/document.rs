//! How a TOML file is read into a type, with errors that name the file and the key.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::de::DeserializeOwned;
use toml::{Table, Value};

use crate::error::{Error, Result};

/// The most bytes that a config file may have. The parser can take 2,000 times as much
/// memory (tests/hostile.rs), so a wrong file could fill it.
const LONGEST: u64 = 1 << 20;

/// Reads a TOML file.
pub(crate) fn read_table(path: &Path) -> Result<Table> {
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(LONGEST + 1).read_to_string(&mut text))
        .map_err(Error::io("read", path))?;
    if text.len() as u64 > LONGEST {
        let problem = format!("it is longer than {LONGEST} bytes, so it is not a config");
        return Err(Error::file(path, problem));
    }
    text.parse()
        .map_err(|error: toml::de::Error| Error::file(path, error.to_string().trim_end()))
}

/// Reads a value of `T`, which refuses unknown keys, out of `table`. `origin` is the file
/// that an error names.
pub(crate) fn typed<T: DeserializeOwned>(table: Table, origin: &str) -> Result<T> {
    serde_path_to_error::deserialize(Value::Table(table)).map_err(|error| {
        let path = error.path().to_string();
        let mut message = error.into_inner().message().to_string();
        if path.ends_with("optimizer") {
            message += "; name one, as sgd = { learning_rate = 0.1, momentum = 0.9 } or \
                        adam = { learning_rate = 0.001 }";
        }
        // The message names a missing or unknown key, the path names its table.
        Error::key(
            origin,
            if path == "." { "(top level)" } else { &path },
            message,
        )
    })
}
