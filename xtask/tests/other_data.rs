//! Other images than MNIST's, in several forms, through the real commands: a quick matrix with
//! its report, and pictures for the trained networks.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use kindling_formats::{Layout, Record, RunDir, Size};

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

/// Xtask in `folder`, with the real kindling.
fn xtask(folder: &Path, words: &str) -> Command {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command
        .args(words.split_whitespace())
        .arg("--configs")
        .arg(root.join("configs"))
        .current_dir(folder);
    command
}

/// Runs the command `words` in `folder`.
fn run(folder: &Path, words: &str) -> Output {
    let out = folder.join("out");
    xtask(folder, words).arg("--out").arg(out).output().unwrap()
}

/// Runs the command `words` in `folder`, and returns what it prints.
#[track_caller]
fn succeed(folder: &Path, words: &str) -> String {
    assert_success(&run(folder, words), words)
}

/// Asserts that the command `words` succeeded, and returns what it printed.
#[track_caller]
fn assert_success(output: &Output, words: &str) -> String {
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
    let printed = succeed(
        folder,
        &format!("experiments --quick {cells} --data data {more}"),
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
    let output = run(
        folder.path(),
        "experiments --quick --cell convnet --data data",
    );
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8_lossy(&output.stderr);
    let words = "convnet: `model.conv.blocks`: an image of 8x8 pixels becomes too small";
    assert!(error.contains(words), "{error}");
}

/// scikit-learn's 1,797 digits of 8x8 pixels, as Keras would save them, and as MedMNIST would, with
/// validation images.
const DIGITS: &str = "
import sys
import numpy as np
from sklearn.datasets import load_digits
digits = load_digits()
images = (digits.images * 255 / 16).round().astype(np.uint8)
labels = digits.target
np.savez_compressed(sys.argv[1], x_train=images[:1400], y_train=labels[:1400],
                    x_test=images[1400:], y_test=labels[1400:])
labels = labels.astype(np.uint8)[:, None]
np.savez_compressed(sys.argv[2], train_images=images[:1200], train_labels=labels[:1200],
                    val_images=images[1200:1400], val_labels=labels[1200:1400],
                    test_images=images[1400:], test_labels=labels[1400:])
";

#[test]
fn digits_of_scikit_learn_in_npz_files() {
    let Some(mut python) = kindling_testing::python("numpy, sklearn") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let [data, medical] = ["data", "medical"].map(|name| folder.path().join(name));
    for dir in [&data, &medical] {
        std::fs::create_dir(dir).unwrap();
    }
    python.args(["-c", DIGITS]);
    python.args([data.join("digits.npz"), medical.join("digits.npz")]);
    assert!(python.status().unwrap().success());
    // A quick run asks for 2,000 images, and takes the 1,400 that there are.
    let tree = train(folder.path(), [1, 8, 8], 10, "--seeds 1");
    // One epoch over 1,400 digits is little, but more than chance.
    let record = std::fs::read(tree.join("runs/mlp/seed-0/record.json")).unwrap();
    let record = Record::from_json(&record).unwrap();
    assert!(record.test_accuracy > Some(0.5), "{record:?}");

    // The trials of `tune` are evaluated on the data set's own 200 validation images. They and the
    // final run learn from all 1,200 training images.
    let out = folder.path().join("medical-out");
    let command = |words: &str| {
        let words = format!("{words} --quick --cell linear --data medical");
        let mut command = xtask(folder.path(), &words);
        command.arg("--out").arg(&out).output().unwrap()
    };
    assert_success(&command("tune"), "tune");
    assert_success(&command("experiments --protocol tuned"), "experiments");
    let all_tuned = Layout::new(&out, Size::Quick).tuned();
    let tuned = all_tuned.variant(&all_tuned.variants()[0]);
    let trials = tuned.trials();
    let records = |tree: &Layout| -> Vec<Record> {
        let cells = std::fs::read_dir(tree.runs()).unwrap();
        let runs = cells.flat_map(|cell| std::fs::read_dir(cell.unwrap().path()).unwrap());
        let paths = runs.map(|run| run.unwrap().path());
        let dirs = paths.filter(|path| path.is_dir()).map(RunDir::new); // without locks
        dirs.map(|dir| dir.read_record().unwrap().unwrap())
            .collect()
    };
    let trials = records(&trials);
    assert_eq!(trials.len(), 14, "seven rates, two seeds");
    for trial in &trials {
        assert_eq!(trial.data.as_ref().unwrap().validation, 200);
        assert_eq!(trial.test_accuracy, None);
        let correct = trial.number("validation_accuracy").unwrap() * 200.0;
        assert!((correct - correct.round()).abs() < 1e-9, "{correct}");
    }
    for record in trials.iter().chain(&records(&tuned)) {
        let correct = record.train_accuracy.unwrap() * 1200.0;
        assert!((correct - correct.round()).abs() < 1e-6, "{correct}");
    }
    assert!(records(&tuned)[0].test_accuracy.is_some());
}

#[test]
fn coloured_images_in_the_files_of_cifar() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    for (name, count) in [("data_batch_1.bin", 500), ("test_batch.bin", 150)] {
        let images = split([3, 32, 32], 10, count);
        let numbers = 3 * 32 * 32;
        let records = images.pixels.chunks(numbers).zip(&images.labels);
        let bytes = records.flat_map(|(pixels, &label)| [&[label], pixels].concat());
        std::fs::write(data.join(name), bytes.collect::<Vec<u8>>()).unwrap();
    }
    let names: Vec<String> = (0..10).map(|class| format!("class {class}")).collect();
    std::fs::write(data.join("batches.meta.txt"), names.join("\n")).unwrap();
    train(folder.path(), [3, 32, 32], 10, "");
}

#[test]
fn a_folder_of_pictures_of_three_classes() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    for (part, count) in [("train", 500), ("test", 150)] {
        let images = split([3, 9, 11], 3, count);
        for (index, pixels) in images.pixels.chunks(3 * 9 * 11).enumerate() {
            let class = ["ant", "bee", "cat"][usize::from(images.labels[index])];
            let class = data.join(part).join(class);
            std::fs::create_dir_all(&class).unwrap();
            write_png(&class.join(format!("{index:04}.png")), images.shape, pixels);
        }
    }
    // One picture has another size, so the config must say to which size all are resized.
    let other = data.join("train/ant/other.png");
    write_png(&other, [3, 4, 5], &[7; 60]);
    let output = run(
        folder.path(),
        "experiments --quick --cell linear --data data",
    );
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains("data.size"), "{error}");
    let tree = train(
        folder.path(),
        [1, 6, 7],
        3,
        "--set data.size=[6,7] --set data.channels=1",
    );
    let record = std::fs::read(tree.join("runs/linear/seed-0/record.json")).unwrap();
    let record = Record::from_json(&record).unwrap();
    assert_eq!(record.data.unwrap().classes, ["ant", "bee", "cat"]);
}

/// Writes the bytes `[3, height, width]` of an image as a PNG.
fn write_png(path: &Path, [_, height, width]: [usize; 3], bytes: &[u8]) {
    let file = std::fs::File::create(path).unwrap();
    let mut encoder = png::Encoder::new(file, width as u32, height as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let area = height * width;
    let pixels = (0..area).flat_map(|place| [0, 1, 2].map(|channel| bytes[channel * area + place]));
    let mut writer = encoder.write_header().unwrap();
    writer
        .write_image_data(&pixels.collect::<Vec<u8>>())
        .unwrap();
}
