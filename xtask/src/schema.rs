//! `cargo xtask schema`: JSON Schemas of the config files, for editors.

use std::path::PathBuf;
use std::process::ExitCode;

use kindling_formats::{schemas, write_atomic};

use crate::flags::Schema;
use crate::stop::Outcome;
use crate::{say, workspace};

/// Writes them, and says where.
pub fn run(flags: &Schema) -> Outcome {
    let folder = workspace::folder(flags.configs.as_deref(), "configs")?.join("schema");
    for (name, schema) in schemas() {
        let path: PathBuf = folder.join(format!("{name}.json"));
        let text = serde_json::to_string_pretty(&schema)? + "\n";
        write_atomic(&path, text.as_bytes())?;
        say::out(workspace::shown(&path));
    }
    Ok(ExitCode::SUCCESS)
}
