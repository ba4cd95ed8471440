//! The form of a folder is found out by its files, and `data.form` decides between several.

use std::path::Path;

use image::{GrayImage, Luma};
use kindling_datasets::{DataError, ImageSet, load_images};
use kindling_formats::{Form, ImageData};

/// Real NumPy wrote this file; see `npz/tests.rs`.
const KERAS: &[u8] = include_bytes!("samples/keras.npz");

fn data(dir: &Path) -> ImageData {
    ImageData::all(Some(dir.to_path_buf()))
}

fn write_idx(dir: &Path) {
    for name in ["train", "t10k"] {
        let mut images = vec![0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2];
        images.extend([1, 2, 3, name.len() as u8]);
        let labels = [0, 0, 8, 1, 0, 0, 0, 2, 0, 1];
        std::fs::write(dir.join(format!("{name}-images-idx3-ubyte")), images).expect("writes");
        std::fs::write(dir.join(format!("{name}-labels-idx1-ubyte")), labels).expect("writes");
    }
}

fn write_pictures(dir: &Path) {
    for (split, grey) in [("train", 10), ("test", 99)] {
        for class in ["ant", "bee"] {
            let folder = dir.join(split).join(class);
            std::fs::create_dir_all(&folder).expect("a folder");
            let picture = GrayImage::from_pixel(4, 3, Luma([grey + class.len() as u8]));
            picture.save(folder.join("a.png")).expect("a picture");
        }
    }
}

fn write_cifar(dir: &Path) {
    for (name, grey) in [("data_batch_1.bin", 1), ("test_batch.bin", 2)] {
        let record = |label: u8| {
            let mut record = vec![grey; 1 + 3 * 32 * 32];
            record[0] = label;
            record
        };
        let batch = [record(0), record(1)].concat();
        std::fs::write(dir.join(name), batch).expect("writes");
    }
    std::fs::write(dir.join("batches.meta.txt"), "ant\nbee\n").expect("writes");
}

fn shape(set: Result<ImageSet, DataError>) -> [usize; 3] {
    set.expect("loads").info.shape.into()
}

/// A form, what writes files of it, and the shape of their images.
type Written<'a> = (Form, &'a dyn Fn(&Path), [usize; 3]);

#[test]
fn each_form_is_found_out_and_several_are_refused() {
    let write_npz = |dir: &Path| std::fs::write(dir.join("set.npz"), KERAS).expect("writes");
    let forms: [Written; 4] = [
        (Form::Idx, &write_idx, [1, 1, 2]),
        (Form::Cifar, &write_cifar, [3, 32, 32]),
        (Form::Npz, &write_npz, shape_of_keras()),
        (Form::Pictures, &write_pictures, [1, 3, 4]),
    ];
    for (form, write, expected) in &forms {
        let folder = tempfile::tempdir().expect("a folder");
        write(folder.path());
        assert_eq!(
            shape(load_images(&data(folder.path()))),
            *expected,
            "{form:?}"
        );
        // With another form beside it, the config must say which one is meant.
        for (other, write, _) in forms.iter().filter(|(other, ..)| other != form) {
            let folder = tempfile::tempdir().expect("a folder");
            write(folder.path());
            forms
                .iter()
                .filter(|one| one.0 == *form)
                .for_each(|one| one.1(folder.path()));
            let error = load_images(&data(folder.path())).expect_err("refused");
            let error = error.to_string();
            for name in [form.name(), other.name()] {
                assert!(error.contains(name), "{error}");
            }
            assert!(error.ends_with("say which with `data.form`"), "{error}");
            let named = ImageData {
                form: Some(*form),
                ..data(folder.path())
            };
            assert_eq!(shape(load_images(&named)), *expected, "{form:?}");
        }
    }
}

/// The shape of the images in the file of [`KERAS`].
fn shape_of_keras() -> [usize; 3] {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("set.npz"), KERAS).expect("writes");
    let named = ImageData {
        form: Some(Form::Npz),
        ..data(folder.path())
    };
    shape(load_images(&named))
}

#[test]
fn a_folder_without_images_says_what_can_be_there() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("notes.txt"), "").expect("writes");
    let error = |dir: &Path| load_images(&data(dir)).expect_err("refused").to_string();
    let found = error(folder.path());
    for words in [
        "there are no images in a known form",
        "IDX",
        "NPZ",
        "CIFAR",
        "a folder for each class",
    ] {
        assert!(found.contains(words), "{found}");
    }
    let found = error(&folder.path().join("nowhere"));
    let words = "nowhere is no folder; `data.dir` must be a folder of images";
    assert!(found.ends_with(words), "{found}");
}
