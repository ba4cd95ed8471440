//! A data set as one NPZ file: arrays of NumPy in a ZIP file, under the names of Keras or of
//! MedMNIST.
//!
//! What the headers of the arrays say is checked before an array is unpacked, and each array is
//! unpacked straight to its place in memory.

#[cfg(test)]
mod tests;

use std::io::{BufReader, ErrorKind, Read, Seek, copy, sink};
use std::path::Path;

use kindling_formats::ImageData;
use zip::ZipArchive;
use zip::read::ZipFile;

use crate::channels::channels_first;
use crate::classes::{numbered, read_classes};
use crate::error::DataError;
use crate::folder::{names, open, shown, some};
use crate::images::Images;
use crate::npy::{Header, Integer, damaged};
use crate::source::{Labelled, Source};
use crate::sums::Sums;

/// The maximum number of bytes of all arrays together: 23 times CIFAR-10.
const MAX_UNPACKED: u64 = 4 << 30;
/// The maximum number of bytes that deflate packs into one.
const MAX_RATIO: u64 = 1032;
/// The maximum number of arrays that a message names. It counts the others.
const NAMED: usize = 8;

/// The names of the arrays of the images and the labels of each split.
struct Names {
    train: [&'static str; 2],
    /// These arrays may be missing.
    validation: [&'static str; 2],
    test: [&'static str; 2],
}

/// Those of Keras and of MedMNIST.
const NAMES: [Names; 2] = [
    Names {
        train: ["x_train", "y_train"],
        validation: ["x_val", "y_val"],
        test: ["x_test", "y_test"],
    },
    Names {
        train: ["train_images", "train_labels"],
        validation: ["val_images", "val_labels"],
        test: ["test_images", "test_labels"],
    },
];

/// An array of the file, and what its header says.
struct Array {
    name: &'static str,
    header: Header,
    element: Integer,
}

/// The splits of a file.
struct Splits {
    train: Labelled,
    validation: Option<Labelled>,
    test: Labelled,
}

/// An open file.
struct Npz<'a, R> {
    path: &'a Path,
    archive: ZipArchive<R>,
    /// The size of the file in bytes.
    size: u64,
}

/// Whether the folder holds an NPZ file.
pub(crate) fn is_there(dir: &Path) -> bool {
    !files(dir).is_empty()
}

/// The names of the NPZ files in a folder. Files whose name begins with a dot do not count:
/// macOS puts such a file beside each file that it copies.
fn files(dir: &Path) -> Vec<String> {
    let mut files = names(dir);
    files.retain(|name| name.ends_with(".npz") && !name.starts_with('.'));
    files
}

/// Reads the only NPZ file of a folder. `labels.txt` may name the classes, and `SHA256SUMS` may
/// hold the sum of the file.
///
/// # Errors
///
/// If there is not exactly one NPZ file, it is damaged or changed, an array is missing or cannot
/// be used, or the arrays do not fit each other.
pub(crate) fn read(data: &ImageData, dir: &Path) -> Result<Source, DataError> {
    let mut warnings = Vec::new();
    let mut sums = Sums::read(dir, &mut warnings)?;
    let files = files(dir);
    let unusable = |why| {
        let path = dir.to_path_buf();
        DataError::Unusable { path, why }
    };
    let [name] = &files[..] else {
        return Err(unusable(match files.len() {
            0 => "holds no NPZ file; `data.dir` must be a folder with one file `*.npz`".into(),
            _ => format!("holds several NPZ files, {}; leave one", list(&files)),
        }));
    };
    let path = dir.join(name);
    let Some((file, size)) = open(&path)? else {
        let name = shown(name);
        return Err(unusable(format!("has no file `{name}` any more")));
    };
    if let Some(sums) = &mut sums {
        sums.check_file(&path)?;
    }
    let mut npz = Npz::new(&path, BufReader::new(file), size)?;
    let first = data.first_label.unwrap_or(0);
    let splits = npz.splits(first, &mut warnings)?;
    let classes = read_classes(dir, &mut sums, &mut warnings)?;
    if let Some(sums) = sums {
        warnings.extend(sums.warnings());
    }
    Ok(Source::new(
        classes.unwrap_or_else(|| numbered(splits.train.images.labels(), first)),
        splits.train,
        splits.validation,
        splits.test,
        warnings,
    ))
}

impl Names {
    /// The arrays that are needed and not among `there`.
    fn missing(&self, there: &[String]) -> Vec<String> {
        let is_missing = |name: &&&str| !there.contains(&file_of(name));
        let mut needed = [self.train, self.test].concat();
        if self.validation.iter().filter(is_missing).count() == 1 {
            needed.extend(self.validation);
        }
        let missing = needed.iter().filter(is_missing);
        missing.map(|name| name.to_string()).collect()
    }

    fn all(&self) -> [&'static str; 6] {
        let [[a, b], [c, d], [e, f]] = [self.train, self.validation, self.test];
        [a, b, c, d, e, f]
    }
}

/// The name of the file of an array in the ZIP file.
fn file_of(array: &str) -> String {
    format!("{array}.npy")
}

/// Names of files for a message, those of arrays without `.npy`.
fn list(names: &[String]) -> String {
    let quoted = |name: &String| format!("`{}`", shown(name.strip_suffix(".npy").unwrap_or(name)));
    some(&names.iter().map(quoted).collect::<Vec<_>>(), NAMED)
}

impl<'a, R: Read + Seek> Npz<'a, R> {
    fn new(path: &'a Path, reader: R, size: u64) -> Result<Self, DataError> {
        match ZipArchive::new(reader) {
            Ok(archive) => Ok(Self {
                path,
                archive,
                size,
            }),
            Err(error) => Err(DataError::Unusable {
                path: path.to_path_buf(),
                why: format!("cannot be read as an NPZ file ({error}); copy the file again"),
            }),
        }
    }

    /// Reads all splits. The class with the label `first` becomes class 0.
    fn splits(&mut self, first: u8, warnings: &mut Vec<String>) -> Result<Splits, DataError> {
        let there = self.names();
        let names = self.chosen(&there)?;
        let known = names.all().map(file_of);
        let others: Vec<String> = there
            .iter()
            .filter(|name| !known.contains(name))
            .cloned()
            .collect();
        if !others.is_empty() {
            let path = self.path.display();
            warnings.push(format!(
                "{path}: arrays that are not read: {}",
                list(&others)
            ));
        }
        let has_validation = there.contains(&file_of(names.validation[0]));
        let train = self.open_split(names.train)?;
        let validation = has_validation
            .then(|| self.open_split(names.validation))
            .transpose()?;
        let test = self.open_split(names.test)?;
        let splits = [&train, &test].into_iter().chain(&validation);
        self.check_size(splits.flatten())?;
        Ok(Splits {
            train: self.split(&train, first)?,
            validation: validation
                .map(|split| self.split(&split, first))
                .transpose()?,
            test: self.split(&test, first)?,
        })
    }

    /// The names of the files in the ZIP file.
    fn names(&self) -> Vec<String> {
        let names = self.archive.file_names_raw().map(String::from_utf8_lossy);
        names.map(|name| name.into_owned()).collect()
    }

    /// The names of the arrays that are read.
    fn chosen(&self, there: &[String]) -> Result<&'static Names, DataError> {
        let [keras, medmnist] = &NAMES;
        let missing = NAMES.each_ref().map(|names| names.missing(there));
        let (names, missing) = if missing[1].len() < missing[0].len() {
            (medmnist, &missing[1])
        } else {
            (keras, &missing[0])
        };
        if missing.is_empty() {
            return Ok(names);
        }
        let there = match there {
            [] => "nothing".into(),
            there => list(there),
        };
        Err(DataError::Unusable {
            path: self.path.to_path_buf(),
            why: format!(
                "has no {}; it holds {there}; save the arrays with the names {} and {} (as Keras), \
                 or {} and {} (as MedMNIST)",
                list(missing),
                keras.train.join(", "),
                keras.test.join(", "),
                medmnist.train.join(", "),
                medmnist.test.join(", "),
            ),
        })
    }

    fn wrong(&self, array: &'static str, why: String) -> DataError {
        let path = self.path.to_path_buf();
        DataError::Array { path, array, why }
    }

    fn place(&self, array: &str) -> String {
        format!("{}: array `{array}`", self.path.display())
    }

    /// Reads the headers of the images and the labels of a split, and checks that they fit each
    /// other.
    fn open_split(&mut self, names: [&'static str; 2]) -> Result<[Array; 2], DataError> {
        let images = "save images as uint8, from 0 (dark) to 255 (light)";
        let images = self.open(names[0], Integer::is_byte, images)?;
        let labels = self.open(names[1], |_| true, "save labels as integers")?;
        let shape = &images.header.shape;
        let sizes = shape.iter().skip(1);
        let numbers = sizes.fold(1u64, |all, &size| all.saturating_mul(size as u64));
        if ![3, 4].contains(&shape.len()) || !(1..=MAX_UNPACKED).contains(&numbers) {
            return Err(self.wrong(
                images.name,
                format!(
                    "has the shape {shape:?}; save images as [n, height, width], \
                     [n, height, width, channels] or [n, channels, height, width]"
                ),
            ));
        }
        let count = match labels.header.shape[..] {
            [count] | [count, 1] => count,
            ref shape => {
                let why = format!("has the shape {shape:?}; save labels as [n] or [n, 1]");
                return Err(self.wrong(labels.name, why));
            }
        };
        if shape[0] != count {
            return Err(DataError::Counts {
                images_file: self.place(images.name),
                images: shape[0],
                labels_file: self.place(labels.name),
                labels: count,
            });
        }
        Ok([images, labels])
    }

    /// Reads the header of an array, and checks that the array has the size that it says. The
    /// elements must be of an integer type that `fits`; `remedy` helps if they are not.
    fn open(
        &mut self,
        name: &'static str,
        fits: impl Fn(Integer) -> bool,
        remedy: &str,
    ) -> Result<Array, DataError> {
        let header = self.entry(name).and_then(|mut entry| {
            let header = Header::read(&mut entry)?;
            Ok((header, entry.size()))
        });
        let (header, size) = header.map_err(|why| self.wrong(name, why))?;
        let wrong = |why| Err(self.wrong(name, why));
        let Some(element) = header.integer().filter(|&integer| fits(integer)) else {
            return wrong(format!("holds {}; {remedy}", header.type_name()));
        };
        if header.is_fortran {
            return wrong("has Fortran's order; save np.ascontiguousarray of it".into());
        }
        let array = Array {
            name,
            header,
            element,
        };
        if size.checked_sub(array.header.length) != Some(array.bytes()) {
            return wrong(format!(
                "has the shape {:?} of {}, but {size} bytes with its header; copy the file again",
                array.header.shape,
                array.header.type_name()
            ));
        }
        Ok(array)
    }

    /// Checks the number of bytes of all arrays together, so that a small or wrong file cannot
    /// fill the memory.
    fn check_size<'b>(&self, arrays: impl Iterator<Item = &'b Array>) -> Result<(), DataError> {
        let bytes = arrays.map(Array::bytes).fold(0, u64::saturating_add);
        let why = if bytes > MAX_UNPACKED {
            format!("has {bytes} bytes of arrays, more than {MAX_UNPACKED}; save fewer images")
        } else if bytes / MAX_RATIO > self.size {
            let size = self.size;
            format!("says that its {size} bytes unpack to {bytes}; copy the file again")
        } else {
            return Ok(());
        };
        let path = self.path.to_path_buf();
        Err(DataError::Unusable { path, why })
    }

    /// The file of an array in the ZIP file.
    fn entry(&mut self, name: &str) -> Result<ZipFile<'_, R>, String> {
        self.archive.by_name(&file_of(name)).map_err(damaged)
    }

    /// The elements of an array.
    fn elements(&mut self, array: &Array) -> Result<ZipFile<'_, R>, String> {
        let mut entry = self.entry(array.name)?;
        let mut header = entry.by_ref().take(array.header.length);
        copy(&mut header, &mut sink()).map_err(damaged)?;
        Ok(entry)
    }

    /// Reads the images and the labels of a split.
    fn split(&mut self, arrays: &[Array; 2], first: u8) -> Result<Labelled, DataError> {
        let [images, labels] = arrays;
        let numbers = self.labels(labels, first);
        let numbers = numbers.map_err(|why| self.wrong(labels.name, why))?;
        let pictures = self.images(images, numbers);
        let pictures = pictures.map_err(|why| self.wrong(images.name, why))?;
        Ok(Labelled {
            labels_place: self.place(labels.name),
            ..Labelled::new(pictures, self.place(images.name))
        })
    }

    /// Reads the images of an array `[n, height, width]`, or with channels, whose labels are
    /// `labels`.
    fn images(&mut self, array: &Array, labels: Vec<u8>) -> Result<Images, String> {
        let bytes = array.bytes();
        let mut pixels = Vec::new();
        pixels
            .try_reserve_exact(usize::try_from(bytes).unwrap_or(usize::MAX))
            .map_err(|_| format!("needs {bytes} bytes of memory; save fewer images"))?;
        let mut elements = self.elements(array)?;
        let mut all = elements.by_ref().take(bytes);
        all.read_to_end(&mut pixels).map_err(damaged)?;
        end(elements)?;
        if pixels.len() as u64 != bytes {
            return Err(damaged(ErrorKind::UnexpectedEof));
        }
        let shape = match array.header.shape[1..] {
            [height, width] => Some([1, height, width].into()),
            [a, b, c] => channels_first(&mut pixels, [a, b, c]),
            _ => None,
        };
        let Some(shape) = shape else {
            return Err(format!(
                "has the shape {:?}; the second or the last dimension must be 1 (grey) or 3 (red, \
                 green and blue)",
                array.header.shape
            ));
        };
        Ok(Images::new(shape, pixels, labels))
    }

    /// Reads the labels of an array `[n]` or `[n, 1]`, less `first`.
    fn labels(&mut self, array: &Array, first: u8) -> Result<Vec<u8>, String> {
        let count = array.header.shape[0];
        let mut labels = Vec::new();
        labels
            .try_reserve_exact(count)
            .map_err(|_| format!("needs {count} bytes of memory; save fewer images"))?;
        let mut elements = BufReader::new(self.elements(array)?);
        let mut element = [0; 8];
        let element = &mut element[..array.element.size];
        for position in 0..count {
            elements.read_exact(element).map_err(damaged)?;
            let label = array.element.value(element);
            labels.push(u8::try_from(label - i128::from(first)).map_err(|_| {
                format!(
                    "has the label {label} at position {position}; labels must be {first} to {}; \
                     `data.first_label` names the smallest",
                    255 + u32::from(first)
                )
            })?);
        }
        end(elements)?;
        Ok(labels)
    }
}

/// Checks that nothing follows the elements of an array. Reading the end also compares the
/// checksum.
fn end(mut elements: impl Read) -> Result<(), String> {
    match elements.read(&mut [0]) {
        Ok(0) => Ok(()),
        Ok(_) => Err(damaged("more bytes follow")),
        Err(error) => Err(damaged(error)),
    }
}

impl Array {
    /// The number of bytes of the elements.
    fn bytes(&self) -> u64 {
        let elements = self.header.elements().unwrap_or(u64::MAX);
        elements.saturating_mul(self.element.size as u64)
    }
}
