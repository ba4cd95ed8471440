//! Reads a TOML file into a type. Errors name the file and the key.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::de::DeserializeOwned;
use toml::{Table, Value};

use crate::error::{Error, Result};

/// The maximum size of a config file in bytes. The parser can take 2,000 times as much memory
/// (see tests/hostile.rs), so a large file that is not a config could fill the memory.
const MAX_BYTES: u64 = 1 << 20;

/// Reads a TOML file.
///
/// # Errors
///
/// If the file cannot be read, is not TOML, or has more than [`MAX_BYTES`].
pub(crate) fn read_table(path: &Path) -> Result<Table> {
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(MAX_BYTES + 1).read_to_string(&mut text))
        .map_err(Error::io("read", path))?;
    if text.len() as u64 > MAX_BYTES {
        let problem = format!("it is longer than {MAX_BYTES} bytes, so it is not a config");
        return Err(Error::file(path, problem));
    }
    text.parse()
        .map_err(|error: toml::de::Error| Error::file(path, error.to_string().trim_end()))
}

/// Reads a value of type `T` from `table`. `T` must refuse unknown keys. `origin` is the file
/// that an error names.
///
/// # Errors
///
/// The first key that is unknown or missing, or has a value of a wrong type.
pub(crate) fn typed<T: DeserializeOwned>(table: Table, origin: &str) -> Result<T> {
    serde_path_to_error::deserialize(Value::Table(table)).map_err(|error| {
        let path = error.path().to_string();
        let mut message = error.into_inner().message().to_string();
        if path.ends_with("optimizer") {
            message += "; give one, as sgd = { learning_rate = 0.1, momentum = 0.9, \
                        nesterov = false, weight_decay = 0.0 } or adam = { learning_rate = \
                        0.001, beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-7 }, or adamw with \
                        weight_decay too";
        }
        if path.starts_with("train.schedule") && message.starts_with("invalid type") {
            message += "; write a table, as schedule.cosine = { warmup = 0.05, end = 0.0 }";
        }
        // For a missing or unknown key, the message names the key and the path its table.
        Error::key(
            origin,
            if path == "." { "(top level)" } else { &path },
            message,
        )
    })
}
