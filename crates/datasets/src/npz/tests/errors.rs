//! Files without the right arrays, and damaged files.

use super::*;

#[test]
fn missing_arrays_are_named() {
    let remedy = "; save the arrays with the names x_train, y_train and x_test, y_test (as Keras), \
                  or train_images, train_labels and test_images, test_labels (as MedMNIST)";
    let array = || npy("'|u1'", "1,", &[0]);
    for (names, expected) in [
        (
            &["x_train", "y_train", "arr_0"][..],
            "`x_test`, `y_test`; it holds `x_train`, `y_train`, `arr_0`",
        ),
        (
            &["train_images"],
            "`train_labels`, `test_images`, `test_labels`; it holds `train_images`",
        ),
        (
            &[],
            "`x_train`, `y_train`, `x_test`, `y_test`; it holds nothing",
        ),
        (
            &[
                "train_images",
                "train_labels",
                "val_labels",
                "test_images",
                "test_labels",
            ],
            "`val_images`; it holds `train_images`, `train_labels`, `val_labels`, `test_images`, `test_labels`",
        ),
    ] {
        let arrays: Vec<(&str, Vec<u8>)> = names.iter().map(|name| (*name, array())).collect();
        let error = Folder::new(&zip(&arrays, METHODS[0])).error();
        assert_eq!(error, format!("data.npz has no {expected}{remedy}"));
    }
}

#[test]
fn every_wrong_array_has_its_own_error() {
    let fortran = "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 2, 2), }\n";
    let images = "save images as uint8, from 0 (dark) to 255 (light)";
    for (name, array, expected) in [
        (
            "x_train",
            npy("'<f4'", "2, 2, 2", &[0; 32]),
            format!("array `x_train` holds float32; {images}"),
        ),
        (
            "x_test",
            npy("'<i8'", "1, 2, 2", &[0; 32]),
            format!("array `x_test` holds int64; {images}"),
        ),
        (
            "x_test",
            npy("'|i1'", "1, 2, 2", &[0; 4]),
            format!("array `x_test` holds int8; {images}"),
        ),
        (
            "x_train",
            npy("'|O'", "2,", b"\x80\x04pickle"),
            format!("array `x_train` holds Python objects; {images}"),
        ),
        (
            "y_train",
            npy("'|O'", "2,", b"\x80\x04pickle"),
            "array `y_train` holds Python objects; save labels as integers".into(),
        ),
        (
            "y_train",
            npy("'|b1'", "2,", &[0, 1]),
            "array `y_train` holds bool; save labels as integers".into(),
        ),
        (
            "y_train",
            npy("'<f8'", "2,", &[0; 16]),
            "array `y_train` holds float64; save labels as integers".into(),
        ),
        (
            "y_train",
            npy("[('a', '<i4')]", "2,", &[0; 8]),
            "array `y_train` has a header that is not that of a plain array, `{'descr': [('a', \
             '<i4')], 'fortran_order': False, 'shape': (2,), }`; save an array of numbers"
                .replace('\'', "\\'"),
        ),
        (
            "x_train",
            headed(fortran, &[0; 8]),
            "array `x_train` has Fortran's order; save np.ascontiguousarray of it".into(),
        ),
        (
            "x_train",
            npy("'|u1'", "2, 4", &[0; 8]),
            "array `x_train` has the shape [2, 4]; save images as [n, height, width], [n, height, \
             width, channels] or [n, channels, height, width]"
                .into(),
        ),
        (
            "x_train",
            npy("'|u1'", "2, 0, 4", &[]),
            "array `x_train` has the shape [2, 0, 4]; save images as [n, height, width], [n, \
             height, width, channels] or [n, channels, height, width]"
                .into(),
        ),
        (
            "x_train",
            npy("'|u1'", "2, 2, 2, 2", &[0; 16]),
            "array `x_train` has the shape [2, 2, 2, 2]; the second or the last dimension must be \
             1 (grey) or 3 (red, green and blue)"
                .into(),
        ),
        (
            "y_train",
            npy("'|u1'", "2, 10", &[0; 20]),
            "array `y_train` has the shape [2, 10]; save labels as [n] or [n, 1]".into(),
        ),
        (
            "x_train",
            npy("'|u1'", "3, 2, 2", &[0; 12]),
            "array `x_train` holds 3 images and data.npz: array `y_train` 2 labels; both must \
             belong to the same data set"
                .into(),
        ),
        (
            "x_train",
            npy("'|u1'", "2, 2, 2", &[0; 9]),
            "array `x_train` has the shape [2, 2, 2] of uint8, but 82 bytes with its header; copy \
             the file again"
                .into(),
        ),
        (
            "x_train",
            npy("'|u1'", "4294967296, 4294967296, 4294967296", &[0; 8]),
            "array `x_train` has the shape [4294967296, 4294967296, 4294967296] of uint8, but 108 \
             bytes with its header; copy the file again"
                .into(),
        ),
        (
            "x_train",
            b"not an array".to_vec(),
            "array `x_train` is not in NumPy's format; save it again with np.savez".into(),
        ),
        (
            "x_train",
            b"short".to_vec(),
            "array `x_train` cannot be unpacked (failed to fill whole buffer); copy the file again, \
             or save it again with np.savez_compressed"
                .into(),
        ),
    ] {
        for method in METHODS {
            let error = Folder::new(&zip(&with(name, array.clone()), method)).error();
            // The error about two numbers has another form.
            let error = error.replacen("data.npz: ", "", 1);
            assert_eq!(error, expected);
        }
    }
}

/// The remedy if a file cannot be unpacked.
const AGAIN: &str = "); copy the file again, or save it again with np.savez_compressed";

/// The ZIP file with a changed byte near the end of an array, as it is packed.
fn damaged(mut file: Vec<u8>, name: &str, method: CompressionMethod) -> Vec<u8> {
    let name = format!("{name}.npy");
    let mut names = file.windows(name.len());
    let name_at = names.position(|other| other == name.as_bytes());
    let name_at = name_at.expect("a local header");
    // The header has the packed size 12 bytes before its end.
    let size = &file[name_at - 12..name_at - 8];
    let size = u32::from_le_bytes(size.try_into().expect("four bytes")) as usize;
    let from_end = match method {
        CompressionMethod::Stored => 1,
        _ => 3,
    };
    file[name_at + name.len() + size - from_end] ^= 1;
    file
}

#[test]
fn damaged_files_are_refused() {
    for method in METHODS {
        let file = zip(&arrays(), method);
        for end in [0, 10, file.len() / 2, file.len() - 1] {
            let error = Folder::new(&file[..end]).error();
            let start = "data.npz cannot be read as an NPZ file (";
            assert!(error.starts_with(start), "{error}");
            assert!(error.ends_with("); copy the file again"), "{error}");
        }
        for name in ["x_train", "y_train"] {
            let error = Folder::new(&damaged(file.clone(), name, method)).error();
            let start = format!("data.npz: array `{name}` cannot be unpacked (");
            assert!(error.starts_with(&start), "{error}");
            assert!(error.ends_with(AGAIN), "{error}");
        }
    }
    // Another method of compression (bzip2), and encryption.
    let file = zip(&arrays(), METHODS[0]);
    for (offset, bytes) in [(10, [12, 0]), (8, [1, 0])] {
        let error = Folder::new(&patch(file.clone(), offset, &bytes)).error();
        let start = "data.npz: array `x_train` cannot be unpacked (";
        assert!(error.starts_with(start), "{error}");
        assert!(error.ends_with(AGAIN), "{error}");
    }
}
