//! Tests of the folders of classes, and of what else is in them.

use super::{Folder, grey, values};

/// A training picture and a test picture of the class `a`.
pub(super) fn small() -> Folder {
    Folder::of(&[("train/a/1.png", 1), ("test/a/1.png", 2)])
}

#[test]
fn hidden_files_are_skipped_without_a_word() {
    let folder = small();
    for name in [
        ".git/x",
        ".DS_Store",
        "train/Thumbs.db",
        "train/a/.hidden.png",
        "train/a/desktop.ini",
        "train/.ipynb_checkpoints/1.png",
        "__MACOSX/a/1.png",
        "test/__MACOSX/._1.png",
    ] {
        folder.write(name, "x");
    }
    assert!(folder.warnings().is_empty());
    let source = folder.read(&folder.data());
    assert_eq!(values(&source.train), (&[1][..], &[0][..]));
}

#[test]
fn other_files_are_named_once() {
    let folder = small();
    for name in [
        "notes.txt",
        "train/b.png",
        "train/a/2.gif",
        "test/a/deep/3.png",
    ] {
        folder.write(name, "x");
    }
    let start = "DIR: only PNG and JPEG files in folders of classes are read; not read: ";
    let names = "notes.txt, test/a/deep, train/a/2.gif, train/b.png";
    assert_eq!(folder.warnings(), [format!("{start}{names}")]);
    folder.write("extra/4.png", "x");
    folder.write("a\n.txt", "x");
    folder.write("z", "x");
    let names = "a\\n.txt, extra, notes.txt, test/a/deep, train/a/2.gif and 2 more";
    assert_eq!(folder.warnings(), [format!("{start}{names}")]);
}

#[test]
fn a_class_needs_training_pictures() {
    let folder = small();
    folder.make("train/empty");
    folder.write("train/other/1.gif", "x");
    let error = "DIR/train: there is no PNG or JPEG directly in `empty`, `other`; each class needs \
                 training pictures in its folder, and a folder that is no class must not be there";
    assert_eq!(folder.error(&folder.data()), error);
    let deep = Folder::of(&[("set/train/a/1.png", 1), ("set/test/a/1.png", 2)]);
    let error = deep.error(&deep.shared(0.5));
    assert!(
        error.contains("no PNG or JPEG directly in `set`"),
        "{error}"
    );
    let none = Folder::new();
    let error = "DIR: there is no folder of a class; put the pictures of each class into a folder \
                 with its name";
    assert_eq!(none.error(&none.shared(0.5)), error);
    let nowhere = none.at("nowhere");
    let error = crate::pictures::read(&none.data(), &nowhere).expect_err("must be refused");
    let start = format!("cannot read {}: ", nowhere.display());
    assert!(error.to_string().starts_with(&start), "{error}");
}

#[test]
fn a_class_that_is_not_trained_is_refused() {
    for split in ["test", "val"] {
        let folder = small();
        folder.write(&format!("{split}/A/1.png"), grey(1, 1, 1));
        folder.write(&format!("{split}/b/1.png"), grey(1, 1, 1));
        let error = format!(
            "DIR/{split}: the training pictures have no class `A`, `b`; add training pictures, or \
             remove the folder"
        );
        assert_eq!(folder.error(&folder.data()), error);
    }
}

#[test]
fn a_class_that_is_not_tested_is_named() {
    let folder = small();
    folder.write("train/b/1.png", grey(1, 1, 1));
    folder.write("train/c/1.png", grey(1, 1, 1));
    folder.make("test/c");
    let warning = "DIR/test: there is no picture of the class `b`, `c`";
    assert_eq!(folder.warnings(), [warning]);
    folder.write("val/b/1.png", grey(1, 1, 1));
    let other = "DIR/val: there is no picture of the class `a`, `c`";
    assert_eq!(folder.warnings(), [other, warning]);
}

#[test]
fn names_of_classes_are_short_text() {
    let folder = small();
    let longest = "x".repeat(40);
    folder.write(&format!("train/{longest}/1.png"), grey(1, 1, 1));
    assert_eq!(folder.read(&folder.data()).classes, ["a", &longest]);
    for (name, shown) in [
        ("x".repeat(41), "x".repeat(41)),
        ("b\nc".into(), "b\\nc".into()),
    ] {
        let folder = small();
        folder.make(&format!("train/{name}"));
        let error = format!(
            "DIR/train: the folder `{shown}` cannot name a class; rename it, with at most 40 bytes \
             of UTF-8 and no control character"
        );
        assert_eq!(folder.error(&folder.data()), error);
    }
}

#[test]
fn there_are_at_most_256_classes() {
    let folder = Folder::new();
    for class in 0..256 {
        folder.write(&format!("train/{class:03}/1.png"), grey(class as u8, 1, 1));
    }
    folder.write("test/255/1.png", grey(7, 1, 1));
    let source = folder.read(&folder.data());
    assert!(values(&source.train).1.iter().copied().eq(0..=255));
    assert_eq!(values(&source.test), (&[7][..], &[255][..]));
    folder.make("train/x");
    let error = "DIR/train: there are 257 folders, but there can be at most 256 classes; leave \
                 some out";
    assert_eq!(folder.error(&folder.data()), error);
}
