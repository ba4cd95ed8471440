//! IDX files of images of any shape, labels from any number on, and transposed images.

use kindling_datasets::load_images;
use kindling_formats::ImageData;

const FILES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

/// The bytes of a file of images with these dimensions. Each number is its position.
fn images(dimensions: &[u32]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, dimensions.len() as u8];
    bytes.extend(dimensions.iter().flat_map(|size| size.to_be_bytes()));
    bytes.extend((0..dimensions.iter().product()).map(|at: u32| at as u8));
    bytes
}

/// The bytes of a file of labels.
fn labels(labels: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, 1, 0, 0, 0, labels.len() as u8];
    bytes.extend(labels);
    bytes
}

#[test]
fn images_of_any_shape_are_read_and_splits_must_agree() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, bytes: Vec<u8>| {
        std::fs::write(folder.path().join(name), bytes).expect("writes");
    };
    let load = || load_images(&ImageData::all(Some(folder.path().to_path_buf())));
    let error = || {
        let error = load().expect_err("must be refused").to_string();
        error.replace(&format!("{}/", folder.path().display()), "")
    };
    write(FILES[0], images(&[3, 8, 5]));
    write(FILES[1], labels(&[0, 1, 2]));
    write(FILES[2], images(&[2, 8, 5]));
    write(FILES[3], labels(&[2, 0]));
    let set = load().expect("loads");
    assert_eq!(<[usize; 3]>::from(set.info.shape), [1, 8, 5]);
    assert_eq!(
        (set.info.train, set.info.validation, set.info.test),
        (3, 0, 2)
    );
    assert_eq!(set.info.classes, ["0", "1", "2"]);
    assert!(set.train.pixels(1).iter().copied().eq(40..80));

    // Channels last become channels first.
    write(FILES[0], images(&[3, 2, 2, 3]));
    write(FILES[2], images(&[2, 2, 2, 3]));
    let set = load().expect("loads");
    assert_eq!(<[usize; 3]>::from(set.info.shape), [3, 2, 2]);
    assert_eq!(set.train.pixels(0), [0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11]);

    for (name, bytes, expected) in [
        (
            FILES[2],
            images(&[2, 8, 5]),
            "train-images-idx3-ubyte has images of 2x2x3 pixels, and t10k-images-idx3-ubyte has \
             images of 8x5; all images of a data set must have one shape",
        ),
        (
            FILES[3],
            labels(&[2, 3]),
            "t10k-labels-idx1-ubyte: label 3 at position 1 is no class: there are 3 classes, with \
             labels from 0",
        ),
        (
            FILES[1],
            labels(&[0, 2, 2]),
            "train-labels-idx1-ubyte: the class `1` has no training image; leave it out, or add \
             images",
        ),
        (
            FILES[0],
            images(&[3, 2, 2, 2]),
            "train-images-idx3-ubyte: its images have the dimensions [2, 2, 2]; the first or the \
             last of them must be 1 (grey) or 3 (red, green and blue)",
        ),
    ] {
        let before = std::fs::read(folder.path().join(name)).expect("reads");
        write(name, bytes);
        assert_eq!(error(), expected);
        write(name, before);
    }
}

#[test]
fn labels_may_begin_at_1_and_images_may_be_transposed() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, bytes: Vec<u8>| {
        std::fs::write(folder.path().join(name), bytes).expect("writes");
    };
    write(FILES[0], images(&[3, 2, 3]));
    write(FILES[1], labels(&[1, 2, 3]));
    write(FILES[2], images(&[1, 2, 3]));
    write(FILES[3], labels(&[2]));
    let all = ImageData::all(Some(folder.path().to_path_buf()));
    let error = |data: &ImageData| load_images(data).expect_err("refused").to_string();
    let words = "the class `0` has no training image; leave it out, or add images; if labels \
                 begin at 1, set data.first_label = 1";
    assert!(error(&all).ends_with(words), "{}", error(&all));
    let from_1 = ImageData {
        first_label: Some(1),
        ..all.clone()
    };
    let set = load_images(&from_1).expect("loads");
    assert_eq!(set.train.labels(), [0, 1, 2]);
    assert_eq!(set.evaluated.labels(), [1]);
    assert_eq!(set.info.classes, ["1", "2", "3"]);
    let from_2 = ImageData {
        first_label: Some(2),
        ..all
    };
    let words = "label 1 at position 0 lies below `data.first_label`, which is 2";
    assert!(error(&from_2).contains(words), "{}", error(&from_2));

    let transposed = ImageData {
        transpose: Some(true),
        ..from_1
    };
    let set = load_images(&transposed).expect("loads");
    assert_eq!(<[usize; 3]>::from(set.info.shape), [1, 3, 2]);
    // [[0, 1, 2], [3, 4, 5]] becomes [[0, 3], [1, 4], [2, 5]].
    assert_eq!(set.train.pixels(0), [0, 3, 1, 4, 2, 5]);
    // The first test image has the pixels of the first training image.
    assert_eq!(set.info.repeated.len(), 1);
    let words = "1 test image is a train image, too: test 0 is train 0";
    assert_eq!(set.warnings, [words]);
}
