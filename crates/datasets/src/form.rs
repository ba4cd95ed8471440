//! Finds out in which form a folder holds images, and reads them.

use std::path::Path;

use kindling_formats::{Form, ImageData};

use crate::error::DataError;
use crate::source::Source;
use crate::{cifar, idx_folder, npz, pictures};

/// Reads the images in the folder `dir`.
///
/// # Errors
///
/// If the form of the files is not clear, or the files cannot be read or do not fit each other.
pub(crate) fn read(data: &ImageData, dir: &Path) -> Result<Source, DataError> {
    let form = match data.form {
        Some(form) => form,
        None => find(dir)?,
    };
    match form {
        Form::Idx => idx_folder::read(data, dir),
        Form::Cifar => cifar::read(dir),
        Form::Npz => npz::read(data, dir),
        Form::Pictures => pictures::read(data, dir),
    }
}

/// The form of the files in a folder, by their names.
///
/// # Errors
///
/// If there is no such folder, or no form fits, or several do.
fn find(dir: &Path) -> Result<Form, DataError> {
    if !dir.is_dir() {
        return Err(DataError::Unusable {
            path: dir.to_path_buf(),
            why: "is no folder; `data.dir` must be a folder of images".into(),
        });
    }
    let is_there = |form: &Form| match form {
        Form::Idx => idx_folder::is_there(dir),
        Form::Cifar => cifar::is_there(dir),
        Form::Npz => npz::is_there(dir),
        Form::Pictures => pictures::is_there(dir),
    };
    let forms: Vec<Form> = Form::ALL.into_iter().filter(is_there).collect();
    match forms.as_slice() {
        [form] => Ok(*form),
        [] => Err(DataError::NoForm {
            dir: dir.to_path_buf(),
        }),
        several => Err(DataError::Forms {
            dir: dir.to_path_buf(),
            forms: several.iter().map(|form| form.name()).collect(),
        }),
    }
}
