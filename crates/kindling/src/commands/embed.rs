//! `kindling embed`: the codes of pictures or test images, as CSV.

use std::io::BufWriter;
use std::path::PathBuf;

use burn_dataset::Dataset;
use kindling_harness::{ImageBatch, RunError};

use crate::cli::{PictureFlags, TrainedRunFlags};
use crate::network::TrainedRun;
use crate::output::{argument_error, print_to_stderr, stdout_error};
use crate::picture::for_each_picture;

/// Test images per batch.
const BATCH: usize = 1000;

/// Prints the codes of pictures, or of the test images if `images` is empty, as CSV. The
/// columns are `image` or `label`, then `z0`, `z1`, and so on.
///
/// # Errors
///
/// If the run is neither an autoencoder nor a PCA, a picture cannot be read, or standard
/// output cannot be written.
pub fn embed(
    flags: &TrainedRunFlags,
    images: &[PathBuf],
    pictures: &PictureFlags,
) -> Result<(), RunError> {
    let trained = TrainedRun::open(flags)?;
    let coder = trained.coder()?;
    let mut table = CsvTable::new();
    if images.is_empty() {
        if pictures.debug_image.is_some() {
            return Err(argument_error(
                "--debug-image",
                "it shows a picture, and no picture is named; name one",
            ));
        }
        let data = trained.config.images().ok_or_else(|| {
            RunError::Other(format!(
                "the config of {} names no images",
                trained.config.cell
            ))
        })?;
        let data = kindling_datasets::load_images(data)?;
        for warning in &data.warnings {
            print_to_stderr(&format!("warning: {warning}"));
        }
        let test = data.evaluated;
        let indices: Vec<usize> = (0..test.len()).collect();
        for chunk in indices.chunks(BATCH) {
            let batch = ImageBatch::gather(&test, chunk, trained.device());
            let codes = trained.finite_values(coder.encode(batch.images))?;
            for (&index, code) in chunk.iter().zip(codes.chunks(codes.len() / chunk.len())) {
                table.write_row("label", &test.labels()[index].to_string(), code)?;
            }
        }
        return table.finish();
    }
    let preparation = trained.preparation(pictures.as_digits)?;
    let debug = pictures.debug_image.as_deref();
    let read = for_each_picture(images, debug, preparation, |path, bytes| {
        let code = trained.finite_values(coder.encode(trained.pixels(bytes)?))?;
        table.write_row("image", &path.display().to_string(), &code)
    });
    table.finish().and(read)
}

/// A CSV table on standard output. The first row also writes the header.
struct CsvTable {
    writer: csv::Writer<BufWriter<std::io::Stdout>>,
    has_header: bool,
}

impl CsvTable {
    fn new() -> Self {
        Self {
            writer: csv::Writer::from_writer(BufWriter::new(std::io::stdout())),
            has_header: false,
        }
    }

    /// Writes the row of one image. `column` is the header of the first column.
    fn write_row(&mut self, column: &str, name: &str, code: &[f64]) -> Result<(), RunError> {
        if !self.has_header {
            let columns = (0..code.len()).map(|index| format!("z{index}"));
            let header = std::iter::once(column.to_string()).chain(columns);
            self.writer.write_record(header).map_err(csv_error)?;
            self.has_header = true;
        }
        let values = code.iter().map(f64::to_string);
        let row = std::iter::once(name.to_string()).chain(values);
        self.writer.write_record(row).map_err(csv_error)
    }

    fn finish(mut self) -> Result<(), RunError> {
        self.writer.flush().map_err(stdout_error)
    }
}

fn csv_error(error: csv::Error) -> RunError {
    stdout_error(error.into())
}
