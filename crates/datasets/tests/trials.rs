//! A trial is never handed a test image, and its images depend on the training files alone.

use std::path::Path;

use burn_dataset::Dataset;
use kindling_datasets::{ImageSet, Images, load_images};
use kindling_formats::{ImageData, Split};
use tempfile::TempDir;

/// The number of training images.
const TRAIN: usize = 300;
/// The first pixel of every test image. No training image has it.
const TEST_MARK: u8 = 255;

fn write(folder: &Path, name: &str, magic: u32, dimensions: &[u32], data: &[u8]) {
    let mut bytes = magic.to_be_bytes().to_vec();
    bytes.extend(dimensions.iter().flat_map(|size| size.to_be_bytes()));
    bytes.extend(data);
    std::fs::write(folder.join(name), bytes).expect("writes");
}

fn write_split(folder: &Path, split: &str, images: &[[u8; 784]], labels: &[u8]) {
    let count = images.len() as u32;
    let pixels = images.as_flattened();
    write(
        folder,
        &format!("{split}-images-idx3-ubyte"),
        0x803,
        &[count, 28, 28],
        pixels,
    );
    write(
        folder,
        &format!("{split}-labels-idx1-ubyte"),
        0x801,
        &[count],
        labels,
    );
}

/// Writes training images that are sorted by class.
fn write_train(folder: &Path) {
    let image = |index: usize| {
        let mut image = [0; 784];
        image[1] = (index % 256) as u8;
        image[2] = (index / 256) as u8;
        image
    };
    let images: Vec<[u8; 784]> = (0..TRAIN).map(image).collect();
    let labels: Vec<u8> = (0..TRAIN).map(|index| (index / 30) as u8).collect();
    write_split(folder, "train", &images, &labels);
}

/// Writes `count` test images, all with the mark and the same `grey`.
fn write_tests(folder: &Path, count: usize, grey: u8) {
    let mut image = [grey; 784];
    image[0] = TEST_MARK;
    write_split(folder, "t10k", &vec![image; count], &vec![9; count]);
}

/// A folder with 200 marked test images.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    write_train(folder.path());
    write_tests(folder.path(), 200, 3);
    folder
}

fn data(folder: &Path, validation: Option<usize>) -> ImageData {
    ImageData {
        validation,
        ..ImageData::all(Some(folder.to_path_buf()))
    }
}

fn load(folder: &Path, validation: Option<usize>) -> ImageSet {
    load_images(&data(folder, validation)).expect("loads")
}

fn marked(images: &Images) -> usize {
    let marks = (0..images.len()).map(|index| images.pixels(index)[0]);
    marks.filter(|&mark| mark == TEST_MARK).count()
}

#[test]
fn no_image_of_a_trial_is_a_test_image() {
    let folder = folder();
    let trial = load(folder.path(), Some(100));
    assert_eq!(trial.evaluated_split, Split::Validation);
    assert_eq!((trial.train.len(), trial.evaluated.len()), (200, 100));
    assert_eq!((marked(&trial.train), marked(&trial.evaluated)), (0, 0));
    // Only a final run sees test images, and it does not learn from them.
    let run = load(folder.path(), None);
    assert_eq!(run.evaluated_split, Split::Test);
    assert_eq!((run.train.len(), run.evaluated.len()), (TRAIN, 200));
    assert_eq!((marked(&run.train), marked(&run.evaluated)), (0, 200));
    // The data is the same for both.
    assert_eq!(trial.fingerprint, run.fingerprint);
}

#[test]
fn images_that_are_sorted_by_class_give_validation_images_of_every_class() {
    let trial = load(folder().path(), Some(100));
    for images in [&trial.train, &trial.evaluated] {
        for class in 0..10 {
            assert!(images.labels().contains(&class), "{class}");
        }
        assert!(images.labels().is_sorted());
    }
}

#[test]
fn test_files_change_nothing_in_a_trial() {
    let folder = folder();
    let before = load(folder.path(), Some(100));
    let changes: [&dyn Fn(); 2] = [&|| write_tests(folder.path(), 1, 0), &|| {
        write_tests(folder.path(), 500, 77)
    }];
    for change in changes {
        change();
        let after = load(folder.path(), Some(100));
        assert_eq!(
            (&after.train, &after.evaluated),
            (&before.train, &before.evaluated)
        );
        // It is other data all the same.
        assert_ne!(after.fingerprint, before.fingerprint);
    }
}

#[test]
fn the_number_of_training_images_is_applied_first() {
    let folder = folder();
    let part = ImageData {
        train: Some(50),
        ..data(folder.path(), Some(20))
    };
    let trial = load_images(&part).expect("loads");
    assert_eq!((trial.train.len(), trial.evaluated.len()), (30, 20));
    let error = load_images(&ImageData {
        validation: Some(50),
        ..part
    });
    let error = error.expect_err("must be refused").to_string();
    assert!(
        error.starts_with("`data.validation` holds out 50 of 50 training images"),
        "{error}"
    );
}

#[test]
fn a_data_set_s_own_validation_images_serve_trials_and_no_run_learns_from_them() {
    let folder = tempfile::tempdir().expect("a folder");
    for (split, greys) in [("train", [1, 2]), ("val", [3, 4]), ("test", [5, 6])] {
        for (class, grey) in ["ant", "bee"].into_iter().zip(greys) {
            let path = folder.path().join(split).join(class);
            std::fs::create_dir_all(&path).expect("a folder");
            let picture = image::GrayImage::from_pixel(2, 2, image::Luma([grey]));
            picture.save(path.join("a.png")).expect("a picture");
        }
    }
    let greys = |images: &Images| -> Vec<u8> {
        let first = (0..images.len()).map(|index| images.pixels(index)[0]);
        first.collect()
    };
    let run = load(folder.path(), None);
    let counts = (run.info.train, run.info.validation, run.info.test);
    assert_eq!(counts, (2, 2, 2));
    assert_eq!(run.evaluated_split, Split::Test);
    assert_eq!(
        (greys(&run.train), greys(&run.evaluated)),
        (vec![1, 2], vec![5, 6])
    );
    // A trial learns from all training images, however many validation images it asks for.
    for count in [2, 500] {
        let trial = load(folder.path(), Some(count));
        assert_eq!(trial.evaluated_split, Split::Validation);
        assert_eq!(
            (greys(&trial.train), greys(&trial.evaluated)),
            (vec![1, 2], vec![3, 4])
        );
    }
}
