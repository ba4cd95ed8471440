//! The binary version of CIFAR-10 or CIFAR-100: files of records, each with the label of an image
//! and its pixels. See <https://www.cs.toronto.edu/~kriz/cifar.html>.

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use kindling_formats::ImageShape;

use crate::classes::{numbered, read_classes, read_names};
use crate::error::DataError;
use crate::folder::{open, unreadable};
use crate::images::Images;
use crate::source::{Labelled, Source};
use crate::sums::Sums;

/// Channels, height and width of an image.
const SHAPE: [usize; 3] = [3, 32, 32];
/// The number of bytes of an image.
const BYTES: usize = 3 * 32 * 32;
/// The maximum size of a file in bytes: seven times the training images of CIFAR-100.
const MAX_FILE: u64 = 1 << 30;
/// The number of bytes of a file that are read at a time.
const BUFFER: usize = 1 << 16;

/// The files of a version of CIFAR.
struct Version {
    name: &'static str,
    /// The folder to which its archive unpacks.
    folder: &'static str,
    train: &'static [&'static str],
    test: &'static str,
    /// The names of the classes.
    classes: &'static str,
    /// The number of bytes before the pixels of an image. The last one is the label.
    labels: usize,
}

const VERSIONS: [Version; 2] = [
    Version {
        name: "CIFAR-10",
        folder: "cifar-10-batches-bin",
        train: &[
            "data_batch_1.bin",
            "data_batch_2.bin",
            "data_batch_3.bin",
            "data_batch_4.bin",
            "data_batch_5.bin",
        ],
        test: "test_batch.bin",
        classes: "batches.meta.txt",
        labels: 1,
    },
    Version {
        name: "CIFAR-100",
        folder: "cifar-100-binary",
        train: &["train.bin"],
        test: "test.bin",
        classes: "fine_label_names.txt",
        // The label of the superclass, and the label of the class.
        labels: 2,
    },
];

/// A version of CIFAR, and the folder of its files.
struct Place {
    version: &'static Version,
    folder: PathBuf,
}

/// Whether the folder holds files of CIFAR.
pub(crate) fn is_there(dir: &Path) -> bool {
    !places(dir).is_empty()
}

/// Where files of CIFAR are: in `dir`, or in the folder to which the archive unpacks.
fn places(dir: &Path) -> Vec<Place> {
    let mut places = Vec::new();
    for version in &VERSIONS {
        for folder in [dir.to_path_buf(), dir.join(version.folder)] {
            let mut files = version.train.iter().chain([&version.test]);
            if files.any(|name| folder.join(name).exists()) {
                places.push(Place { version, folder });
            }
        }
    }
    places
}

/// Reads CIFAR-10 or CIFAR-100 in a folder. `labels.txt` may give the classes other names, and
/// `SHA256SUMS` may hold the sums of the files. Both lie in `dir`.
///
/// # Errors
///
/// If a file is missing, truncated or changed, or the folder holds both versions.
pub(crate) fn read(dir: &Path) -> Result<Source, DataError> {
    let unusable = |why: String| {
        let path = dir.to_path_buf();
        Err(DataError::Unusable { path, why })
    };
    let places = places(dir);
    let Place { version, folder } = match &places[..] {
        [place] => place,
        [] => {
            return unusable(
                "has no data_batch_1.bin (CIFAR-10) and no train.bin (CIFAR-100); `data.dir` must \
                 be a folder with the binary version of CIFAR"
                    .into(),
            );
        }
        [one, two, ..] => {
            return unusable(format!(
                "holds {} in {} and {} in {}; leave one",
                one.version.name,
                one.folder.display(),
                two.version.name,
                two.folder.display()
            ));
        }
    };
    let mut warnings = Vec::new();
    let mut sums = Sums::read(dir, &mut warnings)?;
    let batches = version.batches(folder, &mut warnings);
    let train = version.labelled(folder, batches, &mut sums)?;
    let test = version.labelled(folder, &[version.test], &mut sums)?;
    let classes = match read_classes(dir, &mut sums, &mut warnings)? {
        Some(classes) => Some(classes),
        None => read_names(folder, version.classes, &mut sums)?,
    };
    if classes.is_none() {
        warnings.push(format!(
            "{}: there is no {}, so the names of the classes are numbers",
            folder.display(),
            version.classes
        ));
    }
    if let Some(sums) = sums {
        warnings.extend(sums.warnings());
    }
    Ok(Source::new(
        classes.unwrap_or_else(|| numbered(train.images.labels(), 0)),
        train,
        None,
        test,
        warnings,
    ))
}

/// A file of records that was opened.
struct Batch {
    path: PathBuf,
    file: File,
    /// The number of images.
    count: usize,
}

impl Version {
    /// The training files, from the first to the last that is there. It adds a warning if the
    /// last ones are missing.
    fn batches(&self, folder: &Path, warnings: &mut Vec<String>) -> &'static [&'static str] {
        let mut files = self.train.iter();
        let there = files.rposition(|name| folder.join(name).exists());
        let batches = &self.train[..=there.unwrap_or(0)];
        if batches.len() < self.train.len() {
            warnings.push(format!(
                "{}: {} has {} training files, and only the first {} are there",
                folder.display(),
                self.name,
                self.train.len(),
                batches.len()
            ));
        }
        batches
    }

    /// Reads the images of some files.
    fn labelled(
        &self,
        folder: &Path,
        names: &[&str],
        sums: &mut Option<Sums>,
    ) -> Result<Labelled, DataError> {
        let mut batches = Vec::with_capacity(names.len());
        for name in names {
            let batch = self.open(folder, name)?;
            if let Some(sums) = sums {
                sums.check_file(&batch.path)?;
            }
            batches.push(batch);
        }
        let count: usize = batches.iter().map(|batch| batch.count).sum();
        let place = match names {
            [name] => folder.join(name),
            _ => folder.join("data_batch_*.bin"),
        };
        let mut pixels = Vec::new();
        let reserved = pixels.try_reserve_exact(count * BYTES);
        reserved.map_err(|_| DataError::Unusable {
            path: place.clone(),
            why: format!("needs {} bytes of memory", count * BYTES),
        })?;
        pixels.resize(count * BYTES, 0);
        let mut labels = Vec::with_capacity(count);
        let mut images = pixels.chunks_exact_mut(BYTES);
        for batch in batches {
            let mut file = BufReader::with_capacity(BUFFER, batch.file);
            for image in images.by_ref().take(batch.count) {
                let mut own = [0; 2];
                let own = &mut own[..self.labels];
                file.read_exact(own)
                    .and_then(|()| file.read_exact(image))
                    .map_err(|source| unreadable(&batch.path, source))?;
                labels.push(own[self.labels - 1]);
            }
        }
        let images = Images::new(ImageShape::from(SHAPE), pixels, labels);
        Ok(Labelled::new(images, place.display().to_string()))
    }

    /// Opens a file, and checks that its size is that of whole records.
    fn open(&self, folder: &Path, name: &str) -> Result<Batch, DataError> {
        let path = folder.join(name);
        let Some((file, size)) = open(&path)? else {
            return Err(DataError::Unusable {
                path: folder.to_path_buf(),
                why: format!(
                    "has no {name}; copy this file of the binary version of {} into the folder",
                    self.name
                ),
            });
        };
        let record = (self.labels + BYTES) as u64;
        let count = size / record;
        let why = if size > MAX_FILE {
            format!("has more than {MAX_FILE} bytes; is it the right file?")
        } else if size == 0 || size % record != 0 {
            format!(
                "ends inside an image, at byte {size}, after {count} whole images of {record} \
                 bytes each; copy the file again"
            )
        } else {
            return Ok(Batch {
                path,
                file,
                count: count as usize,
            });
        };
        Err(DataError::Unusable { path, why })
    }
}
