//! Other images than MNIST's, in several forms, through the real commands: a quick matrix with
//! its report, and pictures for the trained networks.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use kindling_formats::{Layout, Record, Size};

/// A data set of images, as numbers `[count, channels, height, width]` with labels.
struct Split {
    shape: [usize; 3],
    pixels: Vec<u8>,
    labels: Vec<u8>,
}

/// Images that a network can learn to classify: a bright block shows the label by its place, and
/// if there are three channels also by its colour.
fn split(shape: [usize; 3], classes: usize, count: usize) -> Split {
    let [channels, height, width] = shape;
    let labels: Vec<u8> = (0..count)
        .map(|index| (index * 7 % classes) as u8)
        .collect();
    let mut pixels = Vec::new();
    for (index, &label) in labels.iter().enumerate() {
        let label = usize::from(label);
        let block = label * height * width / classes;
        for channel in 0..channels {
            for place in 0..height * width {
                let is_bright = (block..block + height * width / classes).contains(&place)
                    && (channels == 1 || channel == label % 3);
                let noise = ((place * 31 + index * 17 + channel * 5) % 60) as u8;
                pixels.push(if is_bright { 200 + noise / 2 } else { noise });
            }
        }
    }
    Split {
        shape,
        pixels,
        labels,
    }
}

/// Writes the files of a split as IDX.
fn write_idx(dir: &Path, name: &str, split: &Split) {
    let count = split.labels.len() as u32;
    let [channels, height, width] = split.shape.map(|size| size as u32);
    let dimensions = match channels {
        1 => vec![count, height, width],
        _ => vec![count, channels, height, width],
    };
    let file = |dimensions: &[u32], data: &[u8]| {
        let mut bytes = vec![0, 0, 8, dimensions.len() as u8];
        bytes.extend(dimensions.iter().flat_map(|size| size.to_be_bytes()));
        bytes.extend(data);
        bytes
    };
    let images = dir.join(format!("{name}-images-idx3-ubyte"));
    std::fs::write(images, file(&dimensions, &split.pixels)).unwrap();
    let labels = dir.join(format!("{name}-labels-idx1-ubyte"));
    std::fs::write(labels, file(&[count], &split.labels)).unwrap();
}

/// Runs xtask in `folder`, with the real kindling.
fn xtask(folder: &Path, words: &str) -> Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command
        .args(words.split_whitespace())
        .arg("--configs")
        .arg(root.join("configs"))
        .arg("--out")
        .arg(folder.join("out"))
        .current_dir(folder);
    command.output().unwrap()
}

#[track_caller]
fn succeed(folder: &Path, words: &str) -> String {
    let output = xtask(folder, words);
    let printed = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words}: {printed}");
    printed
}

/// Trains the quick matrix of networks on the images in `folder/data`, checks its records and its
/// report, and returns the folder of its results.
#[track_caller]
fn train(folder: &Path, shape: [usize; 3], classes: usize, more: &str) -> PathBuf {
    let cells = "--cell linear --cell mlp --cell ae --cell pca";
    let set = "--set data.train=400 --set data.test=100";
    let printed = succeed(
        folder,
        &format!("experiments --quick {cells} --data data {set} {more}"),
    );
    let variants = Layout::new(&folder.join("out"), Size::Quick).variants();
    let [name] = variants.as_slice() else {
        panic!("one variant: {variants:?}; {printed}");
    };
    let tree = Layout::new(&folder.join("out"), Size::Quick).variant(name);
    for cell in ["linear", "mlp", "ae", "pca"] {
        let record: Record = tree.finished(cell, 0).read_record().unwrap().unwrap();
        let data = record.data.unwrap();
        assert_eq!(<[usize; 3]>::from(data.shape), shape, "{cell}");
        assert_eq!(data.classes.len(), classes, "{cell}");
    }
    succeed(folder, &format!("report --quick --variant {name}"));
    let page = std::fs::read_to_string(tree.report().join("index.html")).unwrap();
    let [channels, height, width] = shape;
    let shape = format!("\"shape\":[{channels},{height},{width}]");
    assert!(page.contains(&shape), "the explorer");
    let figures = std::fs::read_dir(tree.figures()).unwrap();
    assert!(
        figures.count() > 5,
        "figures of codes, mistakes and weights"
    );
    tree.root().to_path_buf()
}

#[test]
fn small_grey_images_in_idx_files() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    for (name, count) in [("train", 500), ("t10k", 150)] {
        write_idx(&data, name, &split([1, 8, 8], 10, count));
    }
    train(folder.path(), [1, 8, 8], 10, "");
    // A network that does not fit the images is named, and nothing is trained.
    let output = xtask(
        folder.path(),
        "experiments --quick --cell convnet --data data --set data.train=400 \
         --set data.test=100",
    );
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8_lossy(&output.stderr);
    let words = "convnet: `model.conv.blocks`: an image of 8x8 pixels becomes too small";
    assert!(error.contains(words), "{error}");
}
