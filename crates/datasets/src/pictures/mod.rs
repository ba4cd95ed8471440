//! A data set as a folder of PNG and JPEG files, with a folder for each class.
//!
//! Either the splits have folders, or a share of each class becomes test images:
//!
//! ```text
//! DIR/train/CLASS/*.png                        DIR/CLASS/*.png
//! DIR/test/CLASS/*.png                         data.test_share = 0.2
//! DIR/validation/CLASS/*.png (or DIR/val)
//! ```

mod decode;
mod folder;
mod survey;
mod test_share;
#[cfg(test)]
mod tests;
mod text;
mod tree;

use std::ffi::OsString;
use std::path::Path;

use kindling_formats::ImageData;

use crate::error::DataError;
use crate::source::Source;

use folder::{Folder, Kind, holds};
use tree::{Test, Tree};

/// Whether a folder holds pictures in folders of classes, by the names of its entries.
pub(crate) fn is_there(dir: &Path) -> bool {
    let classes = |dir: &Path| {
        let has_pictures = |name: &OsString| holds(&dir.join(name), Kind::Picture);
        let folders = Folder::list(dir).unwrap_or_default().folders;
        folders.into_iter().filter(has_pictures).count()
    };
    // A run's folder has `train`, too, with folders of logs.
    classes(&dir.join("train")) > 0 || classes(dir) > 1
}

/// Reads and checks the pictures of a folder.
///
/// A picture is grey or coloured as its file says; a PNG with a palette is coloured. Pictures
/// become grey or coloured only by `data.channels`, and are resized only by `data.size`, by
/// [`image_pixels`](crate::picture::image_pixels). A picture that is transparent anywhere is
/// refused.
///
/// # Errors
///
/// If a folder is missing or cannot be read, a class cannot be used, or pictures cannot be used
/// or do not fit each other. The error says how many pictures cannot be used and names the first
/// ones.
pub(crate) fn read(data: &ImageData, dir: &Path) -> Result<Source, DataError> {
    let tree = Tree::list(dir, data.test_share)?;
    let shape = survey::shape(dir, data, &tree.files())?;
    let (train, test) = match tree.test {
        Test::Apart(test) => (tree.train, test),
        Test::Share(share) => test_share::cut(dir, tree.train, share)?,
    };
    let mut problems = Vec::new();
    let mut decode = |split| decode::labelled(dir, split, shape, &mut problems);
    let train = decode(train)?;
    let validation = tree.validation.map(&mut decode).transpose()?;
    let test = decode(test)?;
    if !problems.is_empty() {
        return Err(decode::unusable(dir, &problems));
    }
    Ok(Source::new(
        tree.classes,
        train,
        validation,
        test,
        tree.warnings,
    ))
}
