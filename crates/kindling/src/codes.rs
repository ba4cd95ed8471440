//! `kindling embed` and `kindling reconstruct`: pictures to codes, and back.

use std::collections::HashMap;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use burn_dataset::Dataset;
use kindling_harness::{ImageBatch, RunError};

use crate::cli::Model;
use crate::model::Trained;
use crate::output::{complain, misused, print, unwritten};
use crate::picture;

/// Images encoded at once.
const BATCH: usize = 1000;

/// Prints the codes of pictures, or of the test images, as CSV: `image` or `label`,
/// then `z0`, `z1`, ...
///
/// # Errors
///
/// If nothing makes codes there, a picture cannot be read, or standard output cannot be
/// written.
pub fn embed(model: &Model, images: &[PathBuf], debug: Option<&Path>) -> Result<(), RunError> {
    let trained = Trained::find(model)?;
    let coder = trained.coder()?;
    let mut table = Table::new();
    if images.is_empty() {
        if debug.is_some() {
            return Err(misused("--debug-image", "it shows one picture; name one"));
        }
        let data = trained
            .config
            .images()
            .ok_or_else(|| RunError::Other("what makes codes has learnt from images".into()))?;
        let data = kindling_datasets::load_images(data)?;
        for warning in &data.warnings {
            complain(&format!("warning: {warning}"));
        }
        let test = data.test;
        let indices: Vec<usize> = (0..test.len()).collect();
        for chunk in indices.chunks(BATCH) {
            let batch = ImageBatch::gather(&test, chunk, trained.device());
            let codes = trained.answer(coder.encode(batch.images))?;
            for (&index, code) in chunk.iter().zip(codes.chunks(codes.len() / chunk.len())) {
                table.row("label", &test.labels()[index].to_string(), code)?;
            }
        }
        return table.end();
    }
    trained.warn_of_other_data();
    let read = picture::each(images, debug, |path, pixels| {
        let code = trained.answer(coder.encode(trained.pixels(pixels)))?;
        table.row("image", &path.display().to_string(), &code)
    });
    table.end().and(read)
}

/// A table on standard output.
struct Table {
    writer: csv::Writer<BufWriter<std::io::Stdout>>,
    is_begun: bool,
}

impl Table {
    fn new() -> Self {
        Self {
            writer: csv::Writer::from_writer(BufWriter::new(std::io::stdout())),
            is_begun: false,
        }
    }

    fn row(&mut self, column: &str, name: &str, code: &[f64]) -> Result<(), RunError> {
        if !self.is_begun {
            let columns = (0..code.len()).map(|index| format!("z{index}"));
            let header = std::iter::once(column.to_string()).chain(columns);
            self.writer.write_record(header).map_err(failed)?;
            self.is_begun = true;
        }
        let numbers = code.iter().map(f64::to_string);
        let row = std::iter::once(name.to_string()).chain(numbers);
        self.writer.write_record(row).map_err(failed)
    }

    fn end(mut self) -> Result<(), RunError> {
        self.writer.flush().map_err(unwritten)
    }
}

fn failed(error: csv::Error) -> RunError {
    unwritten(error.into())
}

/// Writes for each picture what comes back from its code.
///
/// # Errors
///
/// If nothing makes codes there, a picture cannot be read or written, or a file would be
/// written twice.
pub fn reconstruct(
    model: &Model,
    images: &[PathBuf],
    to: &Path,
    debug: Option<&Path>,
) -> Result<(), RunError> {
    let outputs = outputs(images, to)?;
    let trained = Trained::find(model)?;
    let coder = trained.coder()?;
    trained.warn_of_other_data();
    picture::each(images, debug, |path, pixels| {
        let output = trained.answer(coder.decode(coder.encode(trained.pixels(pixels))))?;
        let byte = |&pixel: &f64| (255.0 * pixel.clamp(0.0, 1.0)).round() as u8;
        let bytes: Vec<u8> = output.iter().map(byte).collect();
        let file = &outputs[path];
        picture::write(file, &bytes)?;
        if picture::is_standard(file) {
            return Ok(());
        }
        print(&file.display().to_string())
    })
}

/// The file to write for each picture: standard output where `to` is `-`, or else
/// NAME.reconstructed.png in the folder `to`.
///
/// # Errors
///
/// If two would be the same file, also where capitals do not count, or one is a picture
/// that is read: nothing is written then.
fn outputs(images: &[PathBuf], to: &Path) -> Result<HashMap<PathBuf, PathBuf>, RunError> {
    if picture::is_standard(to) {
        return match images {
            [image] => Ok(HashMap::from([(image.clone(), to.to_path_buf())])),
            _ => Err(misused(
                "--to -",
                format!(
                    "standard output takes one picture, and {} are named",
                    images.len()
                ),
            )),
        };
    }
    let mut outputs = HashMap::new();
    let mut owners: HashMap<Vec<u8>, &Path> = HashMap::new();
    for image in images {
        let mut name = match image.file_stem() {
            Some(stem) if !picture::is_standard(image) => stem.to_os_string(),
            _ => "stdin".into(),
        };
        name.push(".reconstructed.png");
        let file = to.join(&name);
        // Not every disk tells `a.png` from `A.png`.
        let key = match name.to_str() {
            Some(name) => name.to_lowercase().into_bytes(),
            None => name.as_encoded_bytes().to_vec(),
        };
        let clash = |problem: String| misused(&image.display().to_string(), problem);
        if let Some(owner) = owners.insert(key, image) {
            return Err(clash(format!(
                "what comes back of it would overwrite what comes back of {}, in {}; name them in \
                 two commands, each with a --to of its own",
                owner.display(),
                file.display()
            )));
        }
        if let Some(read) = images.iter().find(|read| picture::is_same(read, &file)) {
            return Err(clash(format!(
                "what comes back of it would overwrite {}, which is read; name another --to",
                read.display()
            )));
        }
        outputs.insert(image.clone(), file);
    }
    Ok(outputs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(images: &[&str]) -> Result<Vec<PathBuf>, String> {
        let images: Vec<PathBuf> = images.iter().map(PathBuf::from).collect();
        let outputs = outputs(&images, Path::new("to")).map_err(|error| error.to_string())?;
        Ok(images.iter().map(|image| outputs[image].clone()).collect())
    }

    #[test]
    fn each_picture_has_a_file_of_its_own_or_none_is_written() {
        let expected = ["a", "b", "stdin"].map(|name| format!("to/{name}.reconstructed.png"));
        let expected: Vec<PathBuf> = expected.iter().map(PathBuf::from).collect();
        assert_eq!(files(&["x/a.png", "b.jpg", "-"]), Ok(expected));
        for twice in [
            ["x/1.png", "y/1.png"],
            ["1.png", "1.png"],
            ["1.png", "1.jpg"],
            ["a.png", "A.png"],
            ["-", "-"],
            ["stdin.png", "-"],
        ] {
            let problem = files(&twice).expect_err("must be refused");
            assert!(twice.iter().all(|name| problem.contains(name)), "{problem}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn names_that_are_no_text_are_kept() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;
        let images = [b"\xff.png", b"\xfe.png"].map(|name| PathBuf::from(OsStr::from_bytes(name)));
        let outputs = outputs(&images, Path::new("to")).expect("two files");
        let expected = OsStr::from_bytes(b"to/\xff.reconstructed.png");
        assert_eq!(outputs[&images[0]], Path::new(expected));
        assert_eq!(outputs.len(), 2);
    }
}
