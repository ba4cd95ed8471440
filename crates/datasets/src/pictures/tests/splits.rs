//! Tests of the splits: folders of their own, or a share of each class.

use sha2::{Digest, Sha256};

use super::{Folder, grey, values};
use crate::pictures::is_there;
use crate::source::Source;

/// A class of 20 pictures and one of 5, named by `name`.
fn two_classes(name: impl Fn(u8) -> String) -> Folder {
    let folder = Folder::new();
    for value in 0..25 {
        let class = if value < 20 { "cats" } else { "dogs" };
        folder.write(&format!("{class}/{}.png", name(value)), grey(value, 1, 1));
    }
    folder
}

/// The sorted values of the test pictures.
fn tested(source: &Source) -> Vec<u8> {
    let mut tested = source.test.images.all_pixels().to_vec();
    tested.sort_unstable();
    tested
}

#[test]
fn splits_with_folders_are_read_by_class_and_name() {
    let folder = Folder::of(&[
        ("train/b/1.png", 1),
        ("train/b/Z.PNG", 2),
        ("train/b/a.png", 3),
        ("train/a/10.png", 4),
        ("train/a/2.png", 5),
        ("train/B/x.png", 6),
        ("test/a/1.png", 7),
        ("test/b/1.png", 8),
        ("test/B/1.png", 9),
    ]);
    let source = folder.read(&folder.data());
    assert_eq!(source.classes, ["B", "a", "b"]);
    let (train, labels) = values(&source.train);
    assert_eq!(
        (train, labels),
        (&[6, 4, 5, 1, 2, 3][..], &[0, 1, 1, 2, 2, 2][..])
    );
    assert_eq!(values(&source.test), (&[9, 7, 8][..], &[0, 1, 2][..]));
    assert!(source.validation.is_none() && source.warnings.is_empty());
    assert!(source.check().is_ok());
}

#[test]
fn a_data_set_may_have_its_own_validation_images() {
    for name in ["val", "validation"] {
        let validation = format!("{name}/a/1.png");
        let folder = Folder::of(&[("train/a/1.png", 1), ("test/a/1.png", 2), (&validation, 3)]);
        let source = folder.read(&folder.data());
        let validation = source.validation.expect("validation images");
        assert_eq!(validation.place, folder.at(name).display().to_string());
        assert_eq!(values(&validation), (&[3][..], &[0][..]));
    }
    let folder = Folder::of(&[
        ("train/a/1.png", 1),
        ("test/a/1.png", 2),
        ("val/a/1.png", 3),
        ("validation/a/1.png", 4),
    ]);
    let error = "DIR: `validation` and `val` are both there; remove one";
    assert_eq!(folder.error(&folder.data()), error);
}

#[test]
fn a_share_of_each_class_becomes_test_images() {
    let folder = two_classes(|value| format!("{value:02}"));
    for (share, [cats, dogs]) in [
        (0.2, [4, 1]),
        (0.5, [10, 3]),
        (0.001, [1, 1]),
        (0.999, [19, 4]),
    ] {
        let source = folder.read(&folder.shared(share));
        let (test, labels) = values(&source.test);
        let count = |label: u8| labels.iter().filter(|&&other| other == label).count();
        assert_eq!([count(0), count(1)], [cats, dogs], "{share}");
        assert!(test.is_sorted() && source.train.images.all_pixels().is_sorted());
        let mut all = [test, source.train.images.all_pixels()].concat();
        all.sort_unstable();
        assert!(all.into_iter().eq(0..25), "{share}");
    }
    let few = tested(&folder.read(&folder.shared(0.2)));
    let many = tested(&folder.read(&folder.shared(0.5)));
    assert!(few.iter().all(|value| many.contains(value)));
}

#[test]
fn the_share_depends_on_the_files_and_not_on_their_names() {
    let folder = two_classes(|value| format!("{value:02}"));
    let source = folder.read(&folder.shared(0.2));
    let renamed = two_classes(|value| format!("x{:02}", 99 - value));
    assert_eq!(tested(&source), tested(&renamed.read(&renamed.shared(0.2))));
    // Of each class, the files with the smallest SHA-256.
    let smallest = |values: std::ops::Range<u8>, count: usize| {
        let mut values: Vec<u8> = values.collect();
        values.sort_by_key(|&value| Sha256::digest(grey(value, 1, 1)));
        values.truncate(count);
        values
    };
    let mut expected = [smallest(0..20, 4), smallest(20..25, 1)].concat();
    expected.sort_unstable();
    assert_eq!(tested(&source), expected);
    // Other sizes of the pictures do not change the cut.
    let resized = kindling_formats::ImageData {
        size: Some([2, 2]),
        ..folder.shared(0.2)
    };
    let mut resized = tested(&folder.read(&resized));
    resized.dedup();
    assert_eq!(tested(&source), resized);
}

#[test]
fn the_share_is_needed_where_no_split_has_a_folder_and_only_there() {
    let folder = Folder::of(&[("a/1.png", 1), ("a/2.png", 2), ("b/1.png", 3)]);
    let missing = "DIR: `train` and `test` with a folder for each class are not there, so the \
                   test images must be taken from all images; set `data.test_share` to the share \
                   of each class that becomes test images, as 0.2";
    assert_eq!(folder.error(&folder.data()), missing);
    let single = "DIR: there is only one picture of the class `b`; `data.test_share` needs two, \
                  one to learn from and one to test on";
    assert_eq!(folder.error(&folder.shared(0.5)), single);
    let folder = Folder::of(&[("train/a/1.png", 1), ("test/a/1.png", 2)]);
    let unused = "DIR: `data.test_share` is for a folder without `train` and `test`; leave it out";
    assert_eq!(folder.error(&folder.shared(0.5)), unused);
}

#[test]
fn a_class_may_be_called_train() {
    let folder = Folder::of(&[
        ("plane/1.png", 1),
        ("plane/2.png", 2),
        ("train/1.png", 3),
        ("train/2.png", 4),
    ]);
    assert_eq!(folder.read(&folder.shared(0.5)).classes, ["plane", "train"]);
}

#[test]
fn the_test_folder_is_needed() {
    let folder = Folder::of(&[("train/a/1.png", 1)]);
    let error = "DIR: there is no folder `test` beside `train`; add it, or set `data.dir` to \
                 DIR/train and `data.test_share` to the share of each class that becomes test \
                 images";
    assert_eq!(folder.error(&folder.data()), error);
    folder.write("val/a/1.png", grey(2, 1, 1));
    let error = "DIR: there is no folder `test` beside `train`; rename `val` if runs are to be \
                 tested on its pictures";
    assert_eq!(folder.error(&folder.data()), error);
    folder.write("test/1.png", grey(2, 1, 1));
    let error = "DIR/test: there is no folder of a class; put the pictures of each class into a \
                 folder with its name";
    assert_eq!(folder.error(&folder.data()), error);
}

#[test]
fn folders_of_pictures_are_recognised_by_names() {
    for (files, expected) in [
        (&["train/a/1.png"][..], true),
        (&["train/epoch-1/Loss.log"], false),
        (&["a/1.png", "b/1.JPG"], true),
        (&["a/1.png", "b/1.txt"], false),
        (&["a/1.png", ".b/1.png"], false),
        (&["a/.1.png", "b/1.png"], false),
        (&["train/1.png", "1.png"], false),
        (&["train-images-idx3-ubyte"], false),
        (&[], false),
    ] {
        let folder = Folder::new();
        files.iter().for_each(|file| folder.write(file, ""));
        assert_eq!(is_there(folder.path()), expected, "{files:?}");
    }
    assert!(!is_there(&Folder::new().at("nowhere")));
}
