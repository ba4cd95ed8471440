//! `cargo xtask new`: writes a small study of one's own.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use kindling_formats::{if_there, write_atomic};

use crate::cli::New;
use crate::error::{CommandError, CommandResult};
use crate::steps::workspace;
use crate::ui::{self, output};

/// The files of the study, with their names.
const FILES: [(&str, &str); 6] = [
    ("study.toml", include_str!("new/study.toml")),
    ("10-softmax.toml", include_str!("new/10-softmax.toml")),
    ("20-mlp.toml", include_str!("new/20-mlp.toml")),
    ("30-dropout.toml", include_str!("new/30-dropout.toml")),
    ("claims.toml", include_str!("new/claims.toml")),
    ("tuning.toml", include_str!("new/tuning.toml")),
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
    let changes = match images {
        Some(images) => Changes::of(&images)?,
        None => Changes::default(),
    };
    for (name, text) in FILES {
        write_atomic(&folder.join(name), changes.apply(text).as_bytes())?;
    }
    output::print(ui::path(folder));
    let text = ui::path(folder);
    let quoted = shlex::try_quote(&text).map_or(text.clone(), |quoted| quoted.into_owned());
    let study = format!("cargo xtask experiments --configs {quoted}");
    output::note(format_args!(
        "Each file explains its keys. To train a small version of the study, and then the study:\n  \
         {study} --quick\n  {study}"
    ));
    Ok(ExitCode::SUCCESS)
}

/// What differs from the files of a study of MNIST. By default nothing does.
#[derive(Default)]
struct Changes {
    /// The keys of `[data]`; empty for MNIST.
    data: String,
    /// How many images there are to learn from, if the pictures can be counted.
    train: Option<usize>,
}

impl Changes {
    /// The changes for the images in a folder.
    fn of(images: &Path) -> Result<Self, CommandError> {
        let images = images.canonicalize().context("the images are gone")?;
        let Some(path) = images.to_str() else {
            let problem = "--data: the path is not UTF-8; rename the folder";
            return Err(CommandError::bad_input(problem));
        };
        // A JSON string is also a TOML string.
        let mut data = format!("dir = {}\n", serde_json::Value::from(path));
        let pictures = pictures_of_classes(&images)?;
        let learned = images.join("train");
        let train = match pictures {
            Some(pictures) => Some(pictures - pictures / 5),
            None if learned.is_dir() => pictures_of_classes(&learned)?,
            None => None,
        };
        if pictures.is_some() {
            data += "# The share of the pictures of each class that are only for testing.\n\
                     test_share = 0.2\n";
        }
        Ok(Self { data, train })
    }

    /// A file of the study with these changes.
    fn apply(&self, text: &str) -> String {
        let text = text.replace("[data]\n", &format!("[data]\n{}", self.data));
        let (batch, validation) = match self.train {
            Some(train) => (batch_size(train), (train / 5).max(1)),
            None if self.data.is_empty() => return text,
            None => (128, 1000),
        };
        text.replace("batch_size = 128", &format!("batch_size = {batch}"))
            .replace("validation = 10000", &format!("validation = {validation}"))
            .replace(
                "validation = 500",
                &format!("validation = {}", validation.min(500)),
            )
    }
}

/// The largest power of two from 8 to 128 with which an epoch has at least 20 steps.
fn batch_size(train: usize) -> usize {
    let sizes = [128, 64, 32, 16];
    sizes
        .into_iter()
        .find(|size| train / size >= 20)
        .unwrap_or(8)
}

/// How many pictures there are, if a folder has a folder of pictures for each class, and no division
/// into `train` and `test`.
fn pictures_of_classes(images: &Path) -> anyhow::Result<Option<usize>> {
    let is_hidden = |path: &Path| {
        let name = path.file_name().unwrap_or_default();
        name.as_encoded_bytes().starts_with(b".")
    };
    let shown = |folder: &Path| -> anyhow::Result<Vec<PathBuf>> {
        let entries = std::fs::read_dir(folder)
            .with_context(|| format!("cannot read {}", ui::path(folder)))?;
        let paths: Vec<PathBuf> = entries
            .map(|entry| Ok(entry?.path()))
            .collect::<std::io::Result<_>>()?;
        Ok(paths.into_iter().filter(|path| !is_hidden(path)).collect())
    };
    let (classes, files): (Vec<PathBuf>, Vec<PathBuf>) =
        shown(images)?.into_iter().partition(|path| path.is_dir());
    let is_split = |path: &PathBuf| path.ends_with("train") || path.ends_with("test");
    // Files of NumPy, MNIST and CIFAR. Others may lie beside the classes.
    let is_data = |path: &PathBuf| {
        let name = path.to_string_lossy();
        ["npz", "bin", "ubyte", "ubyte.gz"]
            .iter()
            .any(|end| name.ends_with(end))
    };
    if classes.is_empty() || classes.iter().any(is_split) || files.iter().any(is_data) {
        return Ok(None);
    }
    let is_picture = |path: &&PathBuf| {
        let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
        ["png", "jpg", "jpeg"]
            .iter()
            .any(|known| extension == *known)
    };
    let mut pictures = 0;
    for class in classes {
        pictures += shown(&class)?.iter().filter(is_picture).count();
    }
    Ok(Some(pictures))
}

/// Whether a folder does not exist, or is empty.
fn is_free(folder: &Path) -> anyhow::Result<bool> {
    if folder.is_file() {
        return Ok(false);
    }
    let entries = if_there("read", folder, std::fs::read_dir(folder))?;
    Ok(entries.is_none_or(|mut entries| entries.next().is_none()))
}
