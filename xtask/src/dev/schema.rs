//! `cargo xtask schema`: writes JSON Schemas of the config files for editors.

use std::path::PathBuf;
use std::process::ExitCode;

use kindling_formats::{schemas, write_atomic};

use crate::cli::Schema;
use crate::error::CommandResult;
use crate::steps::workspace;
use crate::ui::{self, output};

/// Writes the schemas and prints their paths.
pub fn schema(flags: &Schema) -> CommandResult {
    let folder = workspace::folder(flags.configs.as_deref(), "configs")?.join("schema");
    for (name, schema) in schemas() {
        let path: PathBuf = folder.join(format!("{name}.json"));
        let text = serde_json::to_string_pretty(&schema)? + "\n";
        write_atomic(&path, text.as_bytes())?;
        output::print(ui::path(&path));
    }
    Ok(ExitCode::SUCCESS)
}
