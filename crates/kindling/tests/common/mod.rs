//! Runs and images small enough for a test.
#![allow(dead_code, reason = "every test file uses some of it")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use kindling_formats::RunDir;

/// The backend this build has.
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

/// Writes `config.toml` in `dir`: the shared keys, then `task`.
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

/// Trains the run in `dir`, which must succeed.
pub fn train_well(dir: &RunDir) -> kindling_formats::Record {
    let output = train(dir);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    dir.read_record().expect("readable").expect("a record")
}

/// Number and bytes of images that a network can tell apart: a bright square
/// whose place is the label, over a pattern of its own.
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

fn idx(magic: u32, dimensions: &[u32], data: &[u8]) -> Vec<u8> {
    let mut bytes = magic.to_be_bytes().to_vec();
    for dimension in dimensions {
        bytes.extend(dimension.to_be_bytes());
    }
    bytes.extend(data);
    bytes
}

/// Writes a data set of `train` and `test` images into `dir`.
pub fn write_images(dir: &Path, train: usize, test: usize) -> PathBuf {
    std::fs::create_dir_all(dir).expect("a folder");
    for (split, count) in [("train", train), ("t10k", test)] {
        let (pixels, labels) = images(count);
        let images = idx(0x803, &[count as u32, 28, 28], &pixels);
        let labels = idx(0x801, &[count as u32], &labels);
        std::fs::write(dir.join(format!("{split}-images-idx3-ubyte")), images).expect("images");
        std::fs::write(dir.join(format!("{split}-labels-idx1-ubyte")), labels).expect("labels");
    }
    dir.to_path_buf()
}
