//! `kindling data`: checks a folder of images.

use std::path::PathBuf;

use kindling_formats::{RepeatedImages, RunData, Setting, images_of};
use kindling_harness::RunError;

use crate::output::{print, print_to_stderr};

/// Prints what the images of the folder `dir`, or of MNIST, are, and their fingerprint, as JSON.
/// `set` says how the files are read. Warnings go to standard error.
///
/// # Errors
///
/// If a setting is wrong, the images cannot be read, or standard output cannot be written.
pub fn data(dir: Option<PathBuf>, set: &[Setting]) -> Result<(), RunError> {
    let images = kindling_datasets::load_images(&images_of(dir, set)?)?;
    for warning in &images.warnings {
        print_to_stderr(&format!("warning: {warning}"));
    }
    let found = RunData {
        fingerprint: images.fingerprint,
        info: Some(images.info),
    };
    let json = serde_json::to_string(&found);
    print(&json.map_err(|error| RunError::Other(error.to_string()))?)
}

/// Prints each image of the folder `dir`, or of MNIST, that also stands in another split, and
/// which image it is there. `set` says how the files are read.
///
/// # Errors
///
/// If a setting is wrong, the images cannot be read, or standard output cannot be written.
pub fn repeated(dir: Option<PathBuf>, set: &[Setting]) -> Result<(), RunError> {
    let found = kindling_datasets::repeated_images(&images_of(dir, set)?)?;
    for [first, second] in found.iter().flat_map(|RepeatedImages { pairs, .. }| pairs) {
        print(&format!("{second} is {first}"))?;
    }
    Ok(())
}
