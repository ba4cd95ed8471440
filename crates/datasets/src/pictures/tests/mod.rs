//! Tests of reading folders of pictures that they write.

mod classes;
#[cfg(unix)]
mod links;
mod pixels;
mod shapes;
mod splits;
mod unusable;

use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::{DynamicImage, GrayImage, ImageFormat, Luma, Rgb, RgbImage};
use kindling_formats::ImageData;
use tempfile::TempDir;

use super::read;
use crate::error::DataError;
use crate::source::{Labelled, Source};

/// A PNG of one colour.
fn coloured(colour: [u8; 3], height: u32, width: u32) -> Vec<u8> {
    png(RgbImage::from_pixel(width, height, Rgb(colour)))
}

/// A PNG of one grey.
fn grey(value: u8, height: u32, width: u32) -> Vec<u8> {
    png(GrayImage::from_pixel(width, height, Luma([value])))
}

fn png(image: impl Into<DynamicImage>) -> Vec<u8> {
    encoded(image, ImageFormat::Png)
}

fn encoded(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let image: DynamicImage = image.into();
    image.write_to(&mut bytes, format).expect("encodes");
    bytes.into_inner()
}

/// A temporary folder.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    /// A folder with these files. Each is a grey picture of one pixel, with the value that
    /// follows its name.
    fn of(files: &[(&str, u8)]) -> Self {
        let folder = Self::new();
        for &(name, value) in files {
            folder.write(name, grey(value, 1, 1));
        }
        folder
    }

    /// A folder with a training picture and a test picture of one class, each a file of these
    /// bytes.
    fn twice(bytes: &[u8]) -> Self {
        let folder = Self::new();
        folder.write("train/a/1.png", bytes);
        folder.write("test/a/2.png", bytes);
        folder
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn at(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.at(name);
        let dir = path.parent().expect("a folder");
        std::fs::create_dir_all(dir).expect("makes the folder");
        std::fs::write(path, bytes).expect("writes");
    }

    fn make(&self, name: &str) {
        std::fs::create_dir_all(self.at(name)).expect("makes the folder");
    }

    fn data(&self) -> ImageData {
        ImageData::all(Some(self.path().to_path_buf()))
    }

    fn shared(&self, share: f64) -> ImageData {
        ImageData {
            test_share: Some(share),
            ..self.data()
        }
    }

    #[track_caller]
    fn read(&self, data: &ImageData) -> Source {
        read(data, self.path()).expect("reads")
    }

    /// The text of the error, without the path of the folder.
    #[track_caller]
    fn error(&self, data: &ImageData) -> String {
        let error: DataError = read(data, self.path()).expect_err("must be refused");
        self.cut(&error.to_string())
    }

    #[track_caller]
    fn warnings(&self) -> Vec<String> {
        let source = self.read(&self.data());
        source.warnings.iter().map(|text| self.cut(text)).collect()
    }

    fn cut(&self, text: &str) -> String {
        text.replace(&self.path().display().to_string(), "DIR")
    }
}

/// The values of pictures of one grey pixel, and their labels.
fn values(split: &Labelled) -> (&[u8], &[u8]) {
    (split.images.all_pixels(), split.images.labels())
}
