//! `cargo xtask new`: writes a small study of one's own.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use kindling_formats::{if_there, write_atomic};

use crate::cli::New;
use crate::error::{CommandError, CommandResult};
use crate::steps::workspace;
use crate::ui::{self, output};

/// The files of the study, with their names.
const FILES: [(&str, &str); 5] = [
    ("study.toml", include_str!("new/study.toml")),
    ("10-softmax.toml", include_str!("new/10-softmax.toml")),
    ("20-mlp.toml", include_str!("new/20-mlp.toml")),
    ("30-dropout.toml", include_str!("new/30-dropout.toml")),
    ("claims.toml", include_str!("new/claims.toml")),
];

/// Writes the files into a new folder, and prints what to do next.
pub fn new(flags: &New) -> CommandResult {
    let folder = &flags.dir;
    if !is_free(folder)? {
        let problem = format!(
            "{} is there already; name a folder that does not exist or is empty",
            ui::path(folder)
        );
        return Err(CommandError::bad_input(problem));
    }
    let images = workspace::data("--data", flags.data.as_deref())?;
    let images = images.map(|images| match images.to_str() {
        // A JSON string is also a TOML string.
        Some(text) => Ok(serde_json::Value::from(text).to_string()),
        None => Err(CommandError::bad_input(
            "--data: the path is not UTF-8; rename the folder",
        )),
    });
    let images = images.transpose()?;
    for (name, text) in FILES {
        let text = match &images {
            Some(images) => text.replace("[data]\n", &format!("[data]\ndir = {images}\n")),
            None => text.to_string(),
        };
        write_atomic(&folder.join(name), text.as_bytes())?;
    }
    output::print(ui::path(folder));
    // The results have a folder of their own in the repository: below the configs, their files
    // would be taken for cells, and `artifacts/quick` is a tree of the repository's own study.
    let there = folder.canonicalize().context("the new folder is gone")?;
    let name = there.file_name().unwrap_or(there.as_os_str());
    let out = workspace::root().join("artifacts/studies").join(name);
    let quoted = |path: &Path| {
        let text = ui::path(path);
        shlex::try_quote(&text).map_or(text.clone(), |quoted| quoted.into_owned())
    };
    let study = format!(
        "cargo xtask experiments --configs {} --out {}",
        quoted(folder),
        quoted(&out)
    );
    output::note(format_args!(
        "Each file explains its keys. To train a small version of the study, and then the study:\n  \
         {study} --quick\n  {study}"
    ));
    Ok(ExitCode::SUCCESS)
}

/// Whether a folder does not exist, or is empty.
fn is_free(folder: &Path) -> anyhow::Result<bool> {
    if folder.is_file() {
        return Ok(false);
    }
    let entries = if_there("read", folder, std::fs::read_dir(folder))?;
    Ok(entries.is_none_or(|mut entries| entries.next().is_none()))
}
