//! Shared by several test files: small runs, images, and calls of the binary.
#![allow(dead_code, reason = "each test file uses only a part of this")]

pub mod drawn_digits;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use image::GrayImage;
use kindling_formats::RunDir;

/// The backend that this build trains on.
pub const BACKEND: &str = if cfg!(feature = "flex") {
    "flex"
} else if cfg!(feature = "ndarray") {
    "ndarray"
} else {
    "wgpu"
};

/// The binary under test.
pub fn kindling() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kindling"));
    command.env("RAYON_NUM_THREADS", "1");
    command
}

/// Writes `config.toml` to `dir`: the keys that all families have, then `task`.
pub fn write_config(dir: &Path, family: &str, task: &str) -> RunDir {
    let text = format!(
        "cell = \"test\"\nsection = \"1\"\nabout = \"a test\"\nfamily = \"{family}\"\n\
         seed = 1\nbackend = \"{BACKEND}\"\nprecision = \"full\"\n\
         size = \"full\"\n{task}"
    );
    std::fs::create_dir_all(dir).expect("a folder");
    std::fs::write(dir.join("config.toml"), text).expect("a config");
    RunDir::new(dir)
}

/// Trains the run in `dir`.
pub fn train(dir: &RunDir) -> Output {
    kindling()
        .arg("train")
        .arg(dir.path())
        .output()
        .expect("kindling starts")
}

/// Trains the run in `dir`, and asserts that this succeeds.
pub fn train_successfully(dir: &RunDir) -> kindling_formats::Record {
    let output = train(dir);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    dir.read_record().expect("readable").expect("a record")
}

/// Pixels and labels of images that a network can learn to classify. Each shows a bright
/// rectangle, whose position is the label, over a pattern that differs from image to image.
fn images(count: usize) -> (Vec<u8>, Vec<u8>) {
    let labels: Vec<u8> = (0..count).map(|index| (index * 7 % 10) as u8).collect();
    let mut pixels = vec![0u8; count * 784];
    for (index, (image, label)) in pixels.chunks_mut(784).zip(&labels).enumerate() {
        for (at, pixel) in image.iter_mut().enumerate() {
            *pixel = ((at * 31 + index * 17) % 40) as u8;
        }
        let (top, left) = (
            usize::from(label / 5) * 14 + 3,
            usize::from(label % 5) * 5 + 1,
        );
        for row in top..top + 8 {
            image[row * 28 + left..row * 28 + left + 4].fill(230);
        }
    }
    (pixels, labels)
}

/// The bytes of an IDX file.
fn idx(magic: u32, dimensions: &[u32], data: &[u8]) -> Vec<u8> {
    let mut bytes = magic.to_be_bytes().to_vec();
    for dimension in dimensions {
        bytes.extend(dimension.to_be_bytes());
    }
    bytes.extend(data);
    bytes
}

/// Gives the first pixel of each image of `numbers` pixels a value that no training image has, so
/// that no image stands in two splits.
fn mark(pixels: &mut [u8], numbers: usize) {
    for image in pixels.chunks_mut(numbers) {
        image[0] = 50;
    }
}

/// Writes the four IDX files of `train` training images and `test` test images to `dir`.
pub fn write_images(dir: &Path, train: usize, test: usize) -> PathBuf {
    std::fs::create_dir_all(dir).expect("a folder");
    for (split, count) in [("train", train), ("t10k", test)] {
        let (mut pixels, labels) = images(count);
        if split == "t10k" {
            mark(&mut pixels, 784);
        }
        let images = idx(0x803, &[count as u32, 28, 28], &pixels);
        let labels = idx(0x801, &[count as u32], &labels);
        std::fs::write(dir.join(format!("{split}-images-idx3-ubyte")), images).expect("images");
        std::fs::write(dir.join(format!("{split}-labels-idx1-ubyte")), labels).expect("labels");
    }
    dir.to_path_buf()
}

/// The number of classes of the images that [`write_small_images`] writes.
pub const SMALL_CLASSES: usize = 3;

/// Pixels `[count, channels, height, width]` and labels of images of another shape than MNIST's,
/// of three classes. A bright column shows the label: its place, and with three channels also
/// its colour.
pub fn small_images([channels, height, width]: [usize; 3], count: usize) -> (Vec<u8>, Vec<u8>) {
    let labels: Vec<u8> = (0..count)
        .map(|index| (index * 7 % SMALL_CLASSES) as u8)
        .collect();
    let mut pixels = Vec::with_capacity(count * channels * height * width);
    for (index, &label) in labels.iter().enumerate() {
        let column = usize::from(label) * (width / SMALL_CLASSES) + 1;
        for channel in 0..channels {
            let is_bright = channels == 1 || channel == usize::from(label);
            for place in 0..height * width {
                let noise = ((place * 31 + index * 17 + channel * 5) % 40) as u8;
                let is_bar = is_bright && place % width == column;
                pixels.push(if is_bar { 230 } else { noise });
            }
        }
    }
    (pixels, labels)
}

/// Writes the four IDX files of [`small_images`] to `dir`. The images have four dimensions, with
/// the channels first.
pub fn write_small_images(dir: &Path, shape: [usize; 3], train: usize, test: usize) -> PathBuf {
    std::fs::create_dir_all(dir).expect("a folder");
    for (split, count) in [("train", train), ("t10k", test)] {
        let (mut pixels, labels) = small_images(shape, count);
        if split == "t10k" {
            mark(&mut pixels, shape.iter().product());
        }
        let sizes = shape.map(|size| size as u32);
        let dimensions = [&[count as u32], &sizes[..]].concat();
        let images = idx(0x804, &dimensions, &pixels);
        let labels = idx(0x801, &[count as u32], &labels);
        std::fs::write(dir.join(format!("{split}-images-idx3-ubyte")), images).expect("images");
        std::fs::write(dir.join(format!("{split}-labels-idx1-ubyte")), labels).expect("labels");
    }
    std::fs::write(dir.join("labels.txt"), "ant\nbee\ncat\n").expect("names");
    dir.to_path_buf()
}

/// Saves an image `[channels, height, width]` as a PNG.
pub fn save_png(path: &Path, [channels, height, width]: [usize; 3], bytes: &[u8]) {
    let at = |channel: usize, x: u32, y: u32| {
        bytes[(channel * height + y as usize) * width + x as usize]
    };
    let (width, height) = (width as u32, height as u32);
    if channels == 1 {
        let grey = image::GrayImage::from_fn(width, height, |x, y| image::Luma([at(0, x, y)]));
        grey.save(path).expect("a picture");
    } else {
        let colour = |x, y| image::Rgb([at(0, x, y), at(1, x, y), at(2, x, y)]);
        let coloured = image::RgbImage::from_fn(width, height, colour);
        coloured.save(path).expect("a picture");
    }
}

/// Writes [`small_images`] as pictures, in a folder of each split with a folder of each class. The
/// first test picture is the first training picture too.
pub fn write_pictures(dir: &Path, shape: [usize; 3], train: usize, test: usize) -> PathBuf {
    for (split, count) in [("train", train), ("test", test)] {
        let (mut pixels, labels) = small_images(shape, count);
        let numbers = shape.iter().product();
        if split == "test" {
            mark(&mut pixels[numbers..], numbers);
        }
        for (index, pixels) in pixels.chunks_exact(numbers).enumerate() {
            let class = ["ant", "bee", "cat"][usize::from(labels[index])];
            let class = dir.join(split).join(class);
            std::fs::create_dir_all(&class).expect("a folder");
            save_png(&class.join(format!("{index:04}.png")), shape, pixels);
        }
    }
    dir.to_path_buf()
}

/// Writes [`small_images`] in the files of CIFAR-10.
pub fn write_cifar(dir: &Path, train: usize, test: usize) -> PathBuf {
    std::fs::create_dir_all(dir).expect("a folder");
    for (file, count) in [("data_batch_1.bin", train), ("test_batch.bin", test)] {
        let shape = [3, 32, 32];
        let (mut pixels, labels) = small_images(shape, count);
        let numbers = shape.iter().product();
        if file == "test_batch.bin" {
            mark(&mut pixels, numbers);
        }
        let records = pixels.chunks_exact(numbers).zip(labels);
        let records = records.flat_map(|(pixels, label)| [&[label], pixels].concat());
        std::fs::write(dir.join(file), records.collect::<Vec<u8>>()).expect("a file");
    }
    std::fs::write(dir.join("batches.meta.txt"), "ant\nbee\ncat\n").expect("names");
    dir.to_path_buf()
}

/// Trains a small classifier in `dir`. `data` holds the keys of the config's `[data]`.
pub fn train_classifier(dir: &Path, data: &str) -> RunDir {
    let task = format!(
        "[data]\n{data}\n[model]\nhidden = [64]\ndropout = 0.0\n[train]\nepochs = 3\n\
         batch_size = 50\noptimizer.sgd = {{ learning_rate = 0.05, momentum = 0.9, nesterov = false, weight_decay = 0.0 }}"
    );
    let run = write_config(dir, "classifier", &task);
    train_successfully(&run);
    run
}

/// Fits a small PCA in `dir`.
pub fn train_pca(dir: &Path) -> RunDir {
    let task = "[data]\ntrain = 100\ntest = 50\n[model]\ncomponents = 2\n[scatter]\nimages = 20";
    let run = write_config(dir, "pca", task);
    train_successfully(&run);
    run
}

/// Runs kindling with these arguments.
pub fn run<I: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = I>) -> Output {
    kindling()
        .args(arguments)
        .output()
        .expect("kindling starts")
}

/// What a program printed to standard output.
pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What a program printed to standard error.
pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Asserts that a program succeeded, and returns what it printed to standard output.
pub fn successful(output: &Output) -> String {
    assert!(output.status.success(), "{}", stderr(output));
    stdout(output)
}

/// A path as an argument.
pub fn text(path: &Path) -> &str {
    path.to_str().expect("text")
}

/// Saves a picture to `path`, in the format that its ending names.
pub fn save(image: GrayImage, path: PathBuf) -> PathBuf {
    image.save(&path).expect("a picture");
    path
}
