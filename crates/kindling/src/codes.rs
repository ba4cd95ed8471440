//! `kindling embed` and `kindling reconstruct`: pictures to codes, and back.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use burn_dataset::Dataset;
use kindling_harness::{ImageBatch, RunError, numbers};

use crate::cli::Model;
use crate::model::Trained;
use crate::picture;

/// Images encoded at once.
const BATCH: usize = 1000;

/// Prints the codes of pictures, or of the test images, as CSV: `image` or `label`,
/// then `z0`, `z1`, ...
///
/// # Errors
///
/// If nothing makes codes there, or a picture cannot be read.
pub fn embed(model: &Model, images: &[PathBuf]) -> Result<(), RunError> {
    let trained = Trained::find(model)?;
    let coder = trained.coder()?;
    let mut table = Table::new();
    if images.is_empty() {
        let data = trained
            .config
            .images()
            .ok_or_else(|| RunError::Other("what makes codes has learnt from images".into()))?;
        let test = kindling_datasets::load(data)?.test;
        let indices: Vec<usize> = (0..test.len()).collect();
        for chunk in indices.chunks(BATCH) {
            let batch = ImageBatch::gather(&test, chunk, trained.device());
            let codes = numbers(coder.encode(batch.images))?;
            for (&index, code) in chunk.iter().zip(codes.chunks(codes.len() / chunk.len())) {
                table.row("label", &test.labels()[index].to_string(), code)?;
            }
        }
    } else {
        for path in images {
            let pixels = trained.pixels(&picture::read(path)?);
            let code = numbers(coder.encode(pixels))?;
            table.row("image", &path.display().to_string(), &code)?;
        }
    }
    table.end()
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
            self.writer.write_record(header).map_err(unwritten)?;
            self.is_begun = true;
        }
        let numbers = code.iter().map(f64::to_string);
        let row = std::iter::once(name.to_string()).chain(numbers);
        self.writer.write_record(row).map_err(unwritten)
    }

    fn end(mut self) -> Result<(), RunError> {
        self.writer.flush().map_err(|error| unwritten(error.into()))
    }
}

fn unwritten(error: csv::Error) -> RunError {
    match error.kind() {
        // Whoever reads has had enough.
        csv::ErrorKind::Io(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {
            std::process::exit(0)
        }
        _ => RunError::Other(format!("cannot print: {error}")),
    }
}

/// Writes for each picture what comes back from its code.
///
/// # Errors
///
/// If nothing makes codes there, or a picture cannot be read or written.
pub fn reconstruct(model: &Model, images: &[PathBuf], to: &Path) -> Result<(), RunError> {
    let trained = Trained::find(model)?;
    let coder = trained.coder()?;
    let mut stdout = std::io::stdout().lock();
    for path in images {
        let pixels = trained.pixels(&picture::read(path)?);
        let output = numbers(coder.decode(coder.encode(pixels)))?;
        let byte = |&pixel: &f64| (255.0 * pixel.clamp(0.0, 1.0)).round() as u8;
        let bytes: Vec<u8> = output.iter().map(byte).collect();
        let stem = match path.file_stem() {
            Some(stem) if path != Path::new("-") => stem.to_string_lossy(),
            _ => "stdin".into(),
        };
        let file = to.join(format!("{stem}.reconstructed.png"));
        picture::write(&file, &bytes)?;
        let _ = writeln!(stdout, "{}", file.display());
    }
    Ok(())
}
