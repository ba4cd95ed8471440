//! Tests of the size and the number of channels that pictures get.

use image::{GrayImage, Luma, Rgb, RgbImage};
use kindling_formats::ImageData;

use super::{Folder, coloured, grey, png};

fn with_channels(folder: &Folder, channels: usize) -> ImageData {
    ImageData {
        channels: Some(channels),
        ..folder.data()
    }
}

fn with_size(folder: &Folder, height: usize, width: usize) -> ImageData {
    ImageData {
        size: Some([height, width]),
        ..folder.data()
    }
}

#[test]
fn pictures_stay_as_they_are() {
    let picture = RgbImage::from_fn(3, 2, |x, y| {
        let at = (y * 3 + x) as u8;
        Rgb([at, 10 + at, 20 + at])
    });
    let folder = Folder::twice(&png(picture));
    let images = folder.read(&folder.data()).train.images;
    assert_eq!(<[usize; 3]>::from(images.shape()), [3, 2, 3]);
    let expected = [
        0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15, 20, 21, 22, 23, 24, 25,
    ];
    assert_eq!(images.pixels(0), expected);
    let picture = GrayImage::from_fn(3, 2, |x, y| Luma([(y * 3 + x) as u8]));
    let folder = Folder::twice(&png(picture));
    let images = folder.read(&folder.data()).train.images;
    assert_eq!(<[usize; 3]>::from(images.shape()), [1, 2, 3]);
    assert_eq!(images.pixels(0), [0, 1, 2, 3, 4, 5]);
}

#[test]
fn grey_and_coloured_pictures_need_a_key() {
    let folder = Folder::of(&[
        ("train/a/1.png", 1),
        ("train/a/2.png", 2),
        ("test/a/3.png", 3),
    ]);
    folder.write("train/b/1.png", coloured([100, 50, 200], 1, 1));
    folder.write("test/b/1.png", coloured([255, 255, 255], 1, 1));
    let error = "DIR: pictures are grey (3, as train/a/1.png) and coloured (2, as train/b/1.png); \
                 `data.channels = 1` makes all grey, and `data.channels = 3` makes all coloured";
    assert_eq!(folder.error(&folder.data()), error);
    let source = folder.read(&with_channels(&folder, 1));
    // 0.2126 * 100 + 0.7152 * 50 + 0.0722 * 200 = 71.46
    assert_eq!(source.train.images.all_pixels(), [1, 2, 71]);
    assert_eq!(source.test.images.all_pixels(), [3, 255]);
    let source = folder.read(&with_channels(&folder, 3));
    assert_eq!(
        source.train.images.all_pixels(),
        [1, 1, 1, 2, 2, 2, 100, 50, 200]
    );
    // More coloured than grey pictures: the error has the same order.
    folder.write("test/b/2.png", coloured([255, 255, 255], 1, 1));
    folder.write("test/b/3.png", coloured([255, 255, 255], 1, 1));
    let error = folder.error(&folder.data());
    assert!(
        error.contains("grey (3, as train/a/1.png) and coloured (4"),
        "{error}"
    );
}

#[test]
fn several_sizes_need_a_key() {
    let folder = Folder::new();
    for at in 0..3 {
        folder.write(&format!("train/a/{at}.png"), grey(100, 4, 6));
        folder.write(&format!("test/a/{at}.png"), grey(50, 8, 8));
    }
    folder.write("train/a/x.png", grey(10, 4, 6));
    folder.write("train/b/x.png", grey(20, 7, 9));
    let error = "DIR: pictures have 3 sizes (height x width), most of them 4x6 (4, as \
                 train/a/0.png) and 8x8 (3, as test/a/0.png); `data.size = [4, 6]` resizes all";
    assert_eq!(folder.error(&folder.data()), error);
    let source = folder.read(&with_size(&folder, 2, 3));
    assert_eq!(<[usize; 3]>::from(source.shape()), [1, 2, 3]);
    let train = [[100; 6], [100; 6], [100; 6], [10; 6], [20; 6]].concat();
    assert_eq!(source.train.images.all_pixels(), train);
    assert!(source.check().is_ok());
}

#[test]
fn kinds_and_sizes_are_said_together() {
    let folder = Folder::of(&[("train/a/1.png", 1)]);
    folder.write("test/a/1.png", coloured([1, 2, 3], 2, 1));
    let error = "DIR: pictures are grey (1, as train/a/1.png) and coloured (1, as test/a/1.png); \
                 `data.channels = 1` makes all grey, and `data.channels = 3` makes all coloured; \
                 pictures have 2 sizes (height x width), most of them 1x1 (1, as train/a/1.png) \
                 and 2x1 (1, as test/a/1.png); `data.size = [1, 1]` resizes all";
    assert_eq!(folder.error(&folder.data()), error);
}

#[test]
fn resizing_takes_means() {
    // By hand: rows and columns have the weights 3/7, 3/7, 1/7, 0 for the first half, and
    // 0, 1/7, 3/7, 3/7 for the second, so the means are 2860, 3900, 3156 and 2549 of 49.
    let rows = [
        [0, 100, 200, 40],
        [10, 20, 30, 40],
        [250, 0, 250, 0],
        [1, 2, 3, 4u8],
    ];
    let picture = GrayImage::from_raw(4, 4, rows.concat()).expect("a picture");
    let folder = Folder::twice(&png(picture));
    let images = folder.read(&with_size(&folder, 2, 2)).train.images;
    assert_eq!(images.pixels(0), [58, 80, 64, 52]);
    // Between pixels it is linear.
    let picture = RgbImage::from_raw(2, 1, vec![0, 40, 7, 100, 0, 7]).expect("a picture");
    let folder = Folder::twice(&png(picture));
    let images = folder.read(&with_size(&folder, 1, 4)).train.images;
    assert_eq!(
        images.pixels(0),
        [0, 25, 75, 100, 40, 30, 10, 0, 7, 7, 7, 7]
    );
}
