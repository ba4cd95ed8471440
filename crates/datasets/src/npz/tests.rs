//! Tests of reading NPZ files: files that NumPy wrote, wrong arrays, damaged and hostile files.

use std::io::{Cursor, Write};
use std::path::PathBuf;

use sha2::{Digest, Sha256};
use tempfile::TempDir;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::*;

mod errors;
mod hostile;

/// NumPy 2.4.6 wrote these files. In Python, with `a = np.arange`:
///
/// ```text
/// np.savez("keras.npz",
///     x_train=a(24, dtype="u1").reshape(2, 3, 4), y_train=np.array([1, 0], "u1"),
///     x_test=a(12, dtype="u1").reshape(1, 3, 4), y_test=np.array([1], "u1"))
/// np.savez_compressed("medmnist.npz",
///     train_images=a(24, dtype="u1").reshape(2, 2, 2, 3),
///     train_labels=np.array([[0], [1]], ">i4"),
///     val_images=a(12, dtype="u1").reshape(1, 2, 2, 3), val_labels=np.array([[1]], "<i8"),
///     test_images=a(12, 24, dtype="u1").reshape(1, 2, 2, 3), test_labels=np.array([[0]], "u1"))
/// ```
const KERAS: &[u8] = include_bytes!("../../tests/samples/keras.npz");
const MEDMNIST: &[u8] = include_bytes!("../../tests/samples/medmnist.npz");

/// The number of bytes of memory that reading takes besides pixels and labels: buffers, and the
/// state of the decoder.
const BASE: usize = 200_000;

const METHODS: [CompressionMethod; 2] = [CompressionMethod::Stored, CompressionMethod::Deflated];

/// An NPY file.
fn npy(descr: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let text = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': ({shape}), }}\n");
    headed(&text, data)
}

/// An NPY file with any text as its header.
fn headed(text: &str, data: &[u8]) -> Vec<u8> {
    let length = (text.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], text.as_bytes(), data].concat()
}

/// The arrays of a small data set with two classes: two training images and a test image.
fn arrays() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        (
            "x_train",
            npy("'|u1'", "2, 2, 2", &[0, 1, 2, 3, 4, 5, 6, 7]),
        ),
        ("y_train", npy("'|u1'", "2,", &[0, 1])),
        ("x_test", npy("'|u1'", "1, 2, 2", &[8, 9, 10, 11])),
        ("y_test", npy("'|u1'", "1,", &[1])),
    ]
}

/// The small data set with one array replaced or added.
fn with(name: &'static str, array: Vec<u8>) -> Vec<(&'static str, Vec<u8>)> {
    let mut arrays = arrays();
    arrays.retain(|(other, _)| *other != name);
    arrays.push((name, array));
    arrays
}

fn zip(arrays: &[(&str, Vec<u8>)], method: CompressionMethod) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(method);
    for (name, bytes) in arrays {
        let name = format!("{name}.npy");
        zip.start_file(name, options).expect("an entry");
        zip.write_all(bytes).expect("writes");
    }
    zip.finish().expect("a ZIP file").into_inner()
}

/// Overwrites the bytes at `offset` of each central header of the ZIP file.
fn patch(mut file: Vec<u8>, offset: usize, bytes: &[u8]) -> Vec<u8> {
    for start in 0..file.len() - 46 {
        if file[start..].starts_with(b"PK\x01\x02") {
            file[start + offset..start + offset + bytes.len()].copy_from_slice(bytes);
        }
    }
    file
}

/// A temporary folder.
struct Folder(TempDir);

impl Folder {
    fn new(file: &[u8]) -> Self {
        let folder = Self(tempfile::tempdir().expect("a folder"));
        folder.write("data.npz", file);
        folder
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.at(name), bytes).expect("writes");
    }

    fn read(&self, first_label: Option<u8>) -> Result<Source, DataError> {
        let data = ImageData {
            first_label,
            ..ImageData::all(None)
        };
        read(&data, self.0.path())
    }

    #[track_caller]
    fn source(&self) -> Source {
        self.read(None).expect("reads")
    }

    /// The error without the path of the folder.
    #[track_caller]
    fn error(&self) -> String {
        self.cut(&self.read(None).expect_err("must be refused").to_string())
    }

    fn cut(&self, text: &str) -> String {
        let folder = self.0.path().display().to_string();
        text.replace(&format!("{folder}/"), "")
            .replace(&folder, "DIR")
    }
}

/// Shape, pixels and labels of the images of a split.
fn content(split: &Labelled) -> ([usize; 3], Vec<u8>, Vec<u8>) {
    let images = &split.images;
    let pixels = images.all_pixels().to_vec();
    (images.shape().into(), pixels, images.labels().to_vec())
}

#[test]
fn files_of_numpy_are_read() {
    let source = Folder::new(KERAS).source();
    let train = ([1, 3, 4], (0..24).collect(), vec![1, 0]);
    assert_eq!(content(&source.train), train);
    assert!(source.validation.is_none());
    let test = ([1, 3, 4], (0..12).collect(), vec![1]);
    assert_eq!(content(&source.test), test);
    assert_eq!(source.classes, ["0", "1"]);
    assert!(source.warnings.is_empty(), "{:?}", source.warnings);

    let folder = Folder::new(MEDMNIST);
    let source = folder.source();
    // The red, the green and the blue pixels of an image of 2x2 pixels.
    let one: Vec<u8> = vec![0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11];
    let two: Vec<u8> = one.iter().map(|pixel| pixel + 12).collect();
    let both = [&one[..], &two].concat();
    assert_eq!(content(&source.train), ([3, 2, 2], both, vec![0, 1]));
    let validation = source.validation.as_ref().expect("validation images");
    assert_eq!(content(validation), ([3, 2, 2], one, vec![1]));
    assert_eq!(content(&source.test), ([3, 2, 2], two, vec![0]));
    assert_eq!(
        folder.cut(&source.train.place),
        "data.npz: array `train_images`"
    );
    assert_eq!(
        folder.cut(&validation.labels_place),
        "data.npz: array `val_labels`"
    );
}

#[test]
fn the_fingerprint_does_not_depend_on_how_the_zip_file_is_packed() {
    let [stored, deflated] = METHODS.map(|method| Folder::new(&zip(&arrays(), method)).source());
    assert_eq!(content(&stored.train), content(&deflated.train));
    assert_eq!(content(&stored.test), content(&deflated.test));
    assert_eq!(stored.fingerprint, deflated.fingerprint);
}

#[test]
fn labels_of_all_integers_are_read() {
    let two = [0u64, 1];
    for size in [1, 2, 4, 8] {
        for (order, kind) in [('<', 'i'), ('<', 'u'), ('>', 'i'), ('>', 'u')] {
            let mut bytes = Vec::new();
            for number in two {
                let little = &number.to_le_bytes()[..size];
                match order {
                    '<' => bytes.extend(little),
                    _ => bytes.extend(little.iter().rev()),
                }
            }
            let descr = format!("'{order}{kind}{size}'");
            for shape in ["2,", "2, 1"] {
                let labels = npy(&descr, shape, &bytes);
                let file = zip(&with("y_train", labels), METHODS[0]);
                let source = Folder::new(&file).source();
                assert_eq!(source.train.images.labels(), [0, 1], "{descr}");
            }
        }
    }
}

#[test]
fn the_first_label_becomes_class_0() {
    let labels = [256u16, 1].map(u16::to_le_bytes).concat();
    let mut arrays = with("y_train", npy("'<u2'", "2,", &labels));
    let folder = Folder::new(&zip(&arrays, METHODS[0]));
    let source = folder.read(Some(1)).expect("reads");
    assert_eq!(source.train.images.labels(), [255, 0]);
    assert_eq!(source.test.images.labels(), [0]);
    assert_eq!(source.classes.len(), 256);
    let error = folder.read(Some(2)).expect_err("refused").to_string();
    assert_eq!(
        folder.cut(&error),
        "data.npz: array `y_train` has the label 1 at position 1; labels must be 2 to 257; \
         `data.first_label` names the smallest"
    );
    assert_eq!(
        folder.error(),
        "data.npz: array `y_train` has the label 256 at position 0; labels must be 0 to 255; \
         `data.first_label` names the smallest"
    );
    arrays.retain(|(name, _)| *name != "y_train");
    arrays.push(("y_train", npy("'|i1'", "2,", &[0, 255])));
    let error = Folder::new(&zip(&arrays, METHODS[0])).error();
    assert!(error.contains("the label -1 at position 1"), "{error}");
}

#[test]
fn labels_txt_and_sums_are_used() {
    let folder = Folder::new(KERAS);
    folder.write("labels.txt", "cat\ndog\n");
    assert_eq!(folder.source().classes, ["cat", "dog"]);
    folder.write("labels.txt", "cat\n\ndog\n");
    let error = folder.error();
    assert!(error.starts_with("labels.txt: each line"), "{error}");
    std::fs::remove_file(folder.at("labels.txt")).expect("removes");

    let sum = kindling_formats::hex(&Sha256::digest(KERAS));
    folder.write("SHA256SUMS", format!("{sum}  data.npz\n"));
    assert!(folder.source().warnings.is_empty());
    let other = "0".repeat(64);
    folder.write("SHA256SUMS", format!("{other}  ./data.npz\n"));
    assert_eq!(
        folder.error(),
        format!(
            "data.npz: its bytes have SHA-256 {sum}, not {other}; the file was changed; copy it \
             again"
        )
    );
    folder.write("SHA256SUMS", format!("{other}  x\n"));
    let warnings = folder.source().warnings;
    assert_eq!(warnings.len(), 2);
    assert_eq!(
        folder.cut(&warnings[1]),
        "SHA256SUMS: files without a line here were not checked: data.npz"
    );
}

#[test]
fn other_arrays_give_a_warning() {
    let mut arrays = arrays();
    arrays.push(("weights", npy("'<f8'", "1,", &[0; 8])));
    arrays.push(("train_images", npy("'|u1'", "1,", &[0])));
    let folder = Folder::new(&zip(&arrays, METHODS[1]));
    let warnings = folder.source().warnings;
    assert_eq!(
        warnings
            .iter()
            .map(|text| folder.cut(text))
            .collect::<Vec<_>>(),
        ["data.npz: arrays that are not read: `weights`, `train_images`"]
    );
}

#[test]
fn the_folder_must_hold_one_file() {
    let folder = Folder::new(KERAS);
    // macOS writes such a file.
    folder.write("._data.npz", "x");
    folder.write("notes.txt", "x");
    assert!(is_there(folder.0.path()));
    folder.source();
    folder.write("b.npz", MEDMNIST);
    assert_eq!(
        folder.error(),
        "DIR holds several NPZ files, `b.npz`, `data.npz`; leave one"
    );
    for name in ["b.npz", "data.npz"] {
        std::fs::remove_file(folder.at(name)).expect("removes");
    }
    assert!(!is_there(folder.0.path()));
    assert_eq!(
        folder.error(),
        "DIR holds no NPZ file; `data.dir` must be a folder with one file `*.npz`"
    );
    std::fs::create_dir(folder.at("data.npz")).expect("a folder");
    assert_eq!(
        folder.error(),
        "data.npz is a folder; put a file there, or remove it"
    );
}

/// An empty split and images of another shape are refused later, by [`Source::check`].
#[test]
fn an_empty_split_is_read() {
    let mut arrays = with("x_test", npy("'|u1'", "0, 2, 2", &[]));
    arrays.retain(|(name, _)| *name != "y_test");
    arrays.push(("y_test", npy("'|u1'", "0,", &[])));
    let source = Folder::new(&zip(&arrays, METHODS[0])).source();
    let error = source.check().expect_err("refused").to_string();
    assert!(error.ends_with("there is no image; at least one is needed"));
}
