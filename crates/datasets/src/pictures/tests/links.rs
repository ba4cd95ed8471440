//! Tests of links, and of names that are no text.

use std::os::unix::fs::symlink;
use std::path::PathBuf;

use super::classes::small;
use super::{Folder, grey, values};

#[test]
fn links_are_followed_and_a_circle_ends() {
    let folder = small();
    let away = Folder::of(&[("b/1.png", 3), ("2.png", 4)]);
    let link = |to: PathBuf, at: &str| symlink(to, folder.at(at)).expect("links");
    link(away.at("b"), "train/b");
    link(away.at("b"), "test/b");
    link(away.at("2.png"), "train/a/2.png");
    let source = folder.read(&folder.data());
    assert_eq!(values(&source.train), (&[1, 4, 3][..], &[0, 0, 1][..]));
    // A folder in itself, and a link to itself.
    link(folder.path().to_path_buf(), "train/a/circle");
    link(folder.at("train/self"), "train/self");
    let start = "DIR: only PNG and JPEG files in folders of classes are read; not read: ";
    assert_eq!(
        folder.warnings(),
        [format!("{start}train/a/circle, train/self")]
    );
    link(folder.at("train"), "train/circle");
    let error = folder.error(&folder.data());
    assert!(
        error.contains("no PNG or JPEG directly in `circle`"),
        "{error}"
    );
}

#[test]
fn what_is_no_file_is_named() {
    let folder = small();
    let link = |to: &str, at: &str| symlink(to, folder.at(at)).expect("links");
    link("nowhere", "train/a/2.png");
    link("/dev/zero", "test/a/3.png");
    link("4.png", "test/a/4.png");
    let error = folder.error(&folder.data());
    let start = "DIR: 3 pictures cannot be used: train/a/2.png (it is a link to a file that is not \
                 there), test/a/3.png (it is a pipe or a device), test/a/4.png (";
    assert!(error.starts_with(start), "{error}");
}

/// File systems of other systems may refuse such names.
#[cfg(target_os = "linux")]
#[test]
fn names_of_files_need_not_be_text() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let folder = small();
    let path = folder.at("train/a").join(OsStr::from_bytes(b"0\xff.png"));
    std::fs::write(path, grey(9, 1, 1)).expect("writes");
    assert_eq!(values(&folder.read(&folder.data()).train).0, [9, 1]);
    let class = folder.at("train").join(OsStr::from_bytes(b"b\xff"));
    std::fs::create_dir(class).expect("makes the folder");
    let error = folder.error(&folder.data());
    let start = "DIR/train: the folder `b\u{fffd}` cannot name a class";
    assert!(error.starts_with(start), "{error}");
}
