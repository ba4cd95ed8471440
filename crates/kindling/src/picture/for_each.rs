//! Reads and prepares the pictures that the command line names, one after the other.

use std::path::{Path, PathBuf};

use image::imageops::FilterType;
use kindling_formats::write_atomic;
use kindling_harness::RunError;

use super::decode::{Preparation, read_picture};
use super::png::{picture, png_bytes};
use crate::output::{argument_error, is_standard_stream, print_to_stderr};

/// How many times `--debug-image` enlarges the prepared picture.
const DEBUG_SCALE: u32 = 10;

/// Prepares each picture, and calls `process` with its path and its bytes `[channels, height, width]`. If a picture cannot be
/// read, or shows no digit, an error that names it is printed to standard error, and the next
/// picture is processed.
///
/// `debug` is the file for the prepared picture; with `None` this picture is not written.
///
/// # Errors
///
/// Before any picture is read: if standard input is named twice, or `debug` does not fit
/// the other arguments. At once: if `process` fails. At the end: if a picture could not be
/// read.
pub fn for_each_picture(
    paths: &[PathBuf],
    debug: Option<&Path>,
    preparation: Preparation,
    mut process: impl FnMut(&Path, &[u8]) -> Result<(), RunError>,
) -> Result<(), RunError> {
    if paths.iter().filter(|path| is_standard_stream(path)).count() > 1 {
        return Err(argument_error(
            "-",
            "standard input can be read only once; name it once",
        ));
    }
    if let Some(debug) = debug {
        check_debug_image(paths, debug)?;
    }
    let mut unread = 0;
    for path in paths {
        match read_picture(path, preparation) {
            Ok(bytes) => {
                if let Some(debug) = debug {
                    let prepared = picture(&bytes, preparation.shape())?;
                    let [width, height] =
                        [prepared.width(), prepared.height()].map(|side| side * DEBUG_SCALE);
                    let enlarged = prepared.resize_exact(width, height, FilterType::Nearest);
                    write_atomic(debug, &png_bytes(&enlarged)?)?;
                }
                process(path, &bytes)?;
            }
            Err(error) => {
                print_to_stderr(&format!("error: {error}"));
                unread += 1;
            }
        }
    }
    if unread > 0 {
        let count = paths.len();
        return Err(RunError::Other(format!(
            "{unread} of {count} pictures could not be read"
        )));
    }
    Ok(())
}

fn check_debug_image(paths: &[PathBuf], debug: &Path) -> Result<(), RunError> {
    let problem = if paths.len() != 1 {
        format!(
            "it shows one picture, but {} are named; name one",
            paths.len()
        )
    } else if is_standard_stream(debug) {
        "standard output is used for the results; name a file".into()
    } else if is_same_file(&paths[0], debug) {
        "it would overwrite the picture itself; name another file".into()
    } else {
        return Ok(());
    };
    Err(argument_error("--debug-image", problem))
}

/// Whether two paths are equal, or lead to the same file on disk.
pub fn is_same_file(a: &Path, b: &Path) -> bool {
    a == b || matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}
