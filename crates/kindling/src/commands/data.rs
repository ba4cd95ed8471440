//! `kindling data`: checks a folder of images.

use std::path::PathBuf;

use burn_dataset::Dataset;
use kindling_formats::ImageData;
use kindling_harness::RunError;

use crate::output::{print, print_to_stderr};

/// Prints the numbers of images and the fingerprint of the folder `dir`, or of MNIST, as
/// JSON. Warnings go to standard error.
///
/// # Errors
///
/// If the images cannot be read, or standard output cannot be written.
pub fn data(dir: Option<PathBuf>) -> Result<(), RunError> {
    let data = kindling_datasets::load_images(&ImageData {
        dir,
        train: None,
        test: None,
        validation: None,
    })?;
    for warning in &data.warnings {
        print_to_stderr(&format!("warning: {warning}"));
    }
    print(
        &serde_json::json!({
            "fingerprint": data.fingerprint,
            "train": data.train.len(),
            "test": data.evaluated.len(),
        })
        .to_string(),
    )
}
