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
    let data = match images {
        Some(images) => data(&images)?,
        None => String::new(),
    };
    for (name, text) in FILES {
        let text = text.replace("[data]\n", &format!("[data]\n{data}"));
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

/// The keys of `[data]` for the images in a folder.
fn data(images: &Path) -> Result<String, CommandError> {
    let Some(path) = images.to_str() else {
        let problem = "--data: the path is not UTF-8; rename the folder";
        return Err(CommandError::bad_input(problem));
    };
    // A JSON string is also a TOML string.
    let dir = format!("dir = {}\n", serde_json::Value::from(path));
    Ok(match has_only_classes(images)? {
        true => {
            dir + "# The share of the pictures of each class that are only for testing.\n\
                   test_share = 0.2\n"
        }
        false => dir,
    })
}

/// Whether a folder has a folder of pictures for each class, and no division into `train` and
/// `test`.
fn has_only_classes(images: &Path) -> anyhow::Result<bool> {
    let entries = std::fs::read_dir(images)
        .with_context(|| format!("cannot read {}", ui::path(images)))?
        .collect::<Result<Vec<_>, _>>()?;
    let is_class = |entry: &std::fs::DirEntry| {
        entry.path().is_dir()
            && !["train", "test"]
                .iter()
                .any(|name| entry.file_name() == *name)
    };
    let is_hidden = |name: &std::ffi::OsStr| name.as_encoded_bytes().starts_with(b".");
    let mut shown = entries
        .iter()
        .filter(|entry| !is_hidden(&entry.file_name()))
        .peekable();
    Ok(shown.peek().is_some() && shown.all(is_class))
}

/// Whether a folder does not exist, or is empty.
fn is_free(folder: &Path) -> anyhow::Result<bool> {
    if folder.is_file() {
        return Ok(false);
    }
    let entries = if_there("read", folder, std::fs::read_dir(folder))?;
    Ok(entries.is_none_or(|mut entries| entries.next().is_none()))
}
