//! `kindling reconstruct`: pictures that are encoded and decoded again.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use kindling_harness::RunError;

use crate::cli::{PictureFlags, TrainedRunFlags};
use crate::network::TrainedRun;
use crate::output::{argument_error, is_standard_stream, print};
use crate::picture::{for_each_picture, is_same_file, write_png};

/// Encodes each picture, decodes the code, and writes the result as a PNG.
///
/// `to` is the folder for the results, or `-` for standard output.
///
/// # Errors
///
/// If the run is neither an autoencoder nor a PCA, a picture cannot be read or written, or
/// two pictures would be written to the same file.
pub fn reconstruct(
    flags: &TrainedRunFlags,
    images: &[PathBuf],
    to: &Path,
    pictures: &PictureFlags,
) -> Result<(), RunError> {
    let outputs = output_files(images, to)?;
    let trained = TrainedRun::open(flags)?;
    let coder = trained.coder()?;
    let preparation = trained.preparation(pictures.as_digits)?;
    let shape = preparation.shape();
    let debug = pictures.debug_image.as_deref();
    for_each_picture(images, debug, preparation, |path, bytes| {
        let output = trained.finite_values(coder.decode(coder.encode(trained.pixels(bytes)?)))?;
        let byte = |&pixel: &f64| (255.0 * pixel.clamp(0.0, 1.0)).round() as u8;
        let bytes: Vec<u8> = output.iter().map(byte).collect();
        let file = &outputs[path];
        write_png(file, &bytes, shape)?;
        if is_standard_stream(file) {
            return Ok(());
        }
        print(&file.display().to_string())
    })
}

/// The file to write for each picture. This is standard output if `to` is `-`, and
/// NAME.reconstructed.png in the folder `to` otherwise.
///
/// # Errors
///
/// If two pictures would be written to the same file, or a picture that is read would be
/// overwritten. File names that differ only in upper and lower case count as the same.
fn output_files(images: &[PathBuf], to: &Path) -> Result<HashMap<PathBuf, PathBuf>, RunError> {
    if is_standard_stream(to) {
        return match images {
            [image] => Ok(HashMap::from([(image.clone(), to.to_path_buf())])),
            _ => Err(argument_error(
                "--to -",
                format!(
                    "standard output can take one picture, but {} are named; name one, or name a \
                     folder after --to",
                    images.len()
                ),
            )),
        };
    }
    let mut outputs = HashMap::new();
    let mut sources: HashMap<Vec<u8>, &Path> = HashMap::new();
    for image in images {
        let mut name = match image.file_stem() {
            Some(stem) if !is_standard_stream(image) => stem.to_os_string(),
            _ => "stdin".into(),
        };
        name.push(".reconstructed.png");
        let file = to.join(&name);
        // Some file systems take `a.png` and `A.png` for the same file.
        let key = match name.to_str() {
            Some(name) => name.to_lowercase().into_bytes(),
            None => name.as_encoded_bytes().to_vec(),
        };
        let conflict = |problem: String| argument_error(&image.display().to_string(), problem);
        if let Some(source) = sources.insert(key, image) {
            return Err(conflict(format!(
                "its reconstruction would overwrite the reconstruction of {} in {}; run the \
                 command once for each of them, with different folders after --to",
                source.display(),
                file.display()
            )));
        }
        if let Some(input) = images.iter().find(|input| is_same_file(input, &file)) {
            return Err(conflict(format!(
                "its reconstruction would overwrite the picture {}; name another folder after --to",
                input.display()
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
        let outputs = output_files(&images, Path::new("to")).map_err(|error| error.to_string())?;
        Ok(images.iter().map(|image| outputs[image].clone()).collect())
    }

    #[test]
    fn pictures_that_would_share_an_output_file_are_refused() {
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
    fn file_names_that_are_not_utf_8_are_kept() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;
        let images = [b"\xff.png", b"\xfe.png"].map(|name| PathBuf::from(OsStr::from_bytes(name)));
        let outputs = output_files(&images, Path::new("to")).expect("two files");
        let expected = OsStr::from_bytes(b"to/\xff.reconstructed.png");
        assert_eq!(outputs[&images[0]], Path::new(expected));
        assert_eq!(outputs.len(), 2);
    }
}
