//! The commands that use trained networks, through the real binary: predictions, codes and
//! reconstructions of pictures, and exported weights.

mod common;

use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use common::{kindling, stderr, stdout, successful, train_successfully, write_config};
use image::imageops::{FilterType, resize};
use image::{DynamicImage, GrayImage, ImageFormat, Luma};
use kindling_datasets::{Images, load_images};
use kindling_formats::{ImageData, RunDir, read_numbers};

const DATA: &str = "[data]\ntrain = 3000\ntest = 100\n";

fn test_images() -> Images {
    let data = ImageData {
        test: Some(100),
        ..ImageData::all(None)
    };
    load_images(&data).expect("images").evaluated
}

fn classifier(dir: &Path) -> RunDir {
    let task = format!(
        "{DATA}[model]\nhidden = [64]\ndropout = 0.0\n\
         conv = {{ blocks = [[8]], kernel = 5 }}\n[train]\nepochs = 3\nbatch_size = 50\n\
         optimizer.sgd = {{ learning_rate = 0.05, momentum = 0.9, nesterov = false, weight_decay = 0.0 }}"
    );
    let run = write_config(dir, "classifier", &task);
    train_successfully(&run);
    run
}

fn autoencoder(dir: &Path) -> RunDir {
    let task = format!(
        "{DATA}[model]\nhidden = [64]\ncode = 3\nactivation = \"relu\"\n\
         code_activation = \"none\"\noutput = \"sigmoid\"\n[train]\nepochs = 2\n\
         batch_size = 50\noptimizer.adam = {{ learning_rate = 0.002, beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-7 }}\n[scatter]\nimages = 100"
    );
    let run = write_config(dir, "autoencoder", &task);
    train_successfully(&run);
    run
}

fn pca(dir: &Path) -> RunDir {
    let task = format!("{DATA}[model]\ncomponents = 2\n[scatter]\nimages = 100");
    let run = write_config(dir, "pca", &task);
    train_successfully(&run);
    run
}

/// A test image as a picture.
fn picture(images: &Images, index: usize) -> GrayImage {
    GrayImage::from_raw(28, 28, images.pixels(index).to_vec()).expect("28x28")
}

/// A digit that is dark on light, six times enlarged, and not in the middle of the picture.
fn on_sheet(digit: &GrayImage) -> GrayImage {
    let large = resize(digit, 168, 168, FilterType::Triangle);
    GrayImage::from_fn(400, 300, |x, y| {
        let (x, y) = (x.wrapping_sub(190), y.wrapping_sub(20));
        let ink = large.get_pixel_checked(x, y).map_or(0, |pixel| pixel.0[0]);
        Luma([240 - (u32::from(ink) * 200 / 255) as u8])
    })
}

fn save(image: GrayImage, path: &Path, format: ImageFormat) -> PathBuf {
    let image = DynamicImage::from(image);
    image.save_with_format(path, format).expect("a picture");
    path.to_path_buf()
}

/// Runs a command with the run in `dir` and these pictures.
fn run_on(command: &[&str], dir: &RunDir, pictures: &[PathBuf]) -> Output {
    let mut kindling = kindling();
    kindling.args(command).arg(dir.path()).args(pictures);
    kindling.output().expect("kindling starts")
}

/// The labels that `predict --json` printed, in order.
fn labels(output: &Output) -> Vec<u64> {
    let lines = successful(output);
    let label = |line: &str| {
        let value: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let probabilities = value["probabilities"].as_array().expect("ten");
        let sum: f64 = probabilities.iter().filter_map(|one| one.as_f64()).sum();
        assert!(probabilities.len() == 10 && (sum - 1.0).abs() < 1e-9);
        value["label"].as_u64().expect("a label")
    };
    lines.lines().map(label).collect()
}

#[test]
fn pictures_of_any_size_and_format_are_classified() {
    let folder = tempfile::tempdir().expect("a folder");
    let network = classifier(&folder.path().join("run"));
    let (_, rows) = read_numbers(&network.file("logits.csv")).expect("logits");
    let predicted = |row: &Vec<f64>| {
        let logits = row[1..].iter().enumerate();
        logits
            .max_by(|a, b| a.1.total_cmp(b.1))
            .map(|(class, _)| class as u64)
    };
    let expected: Vec<u64> = rows.iter().filter_map(predicted).collect();
    let images = test_images();
    let saved = |kind: &str, format, make: &dyn Fn(usize) -> GrayImage| -> Vec<PathBuf> {
        let path = |index| folder.path().join(format!("{index}.{kind}"));
        (0..100)
            .map(|index| save(make(index), &path(index), format))
            .collect()
    };
    // An MNIST image as a PNG reaches the network unchanged.
    let small = saved("small", ImageFormat::Png, &|index| picture(&images, index));
    assert_eq!(
        labels(&run_on(&["predict", "--json"], &network, &small)),
        expected
    );
    // The same image reaches the network nearly unchanged if it is large, dark on light and
    // not in the middle.
    for format in [ImageFormat::Png, ImageFormat::Jpeg] {
        let make = |index| on_sheet(&picture(&images, index));
        let large = saved("large", format, &make);
        let found = labels(&run_on(&["predict", "--json"], &network, &large));
        let same = found.iter().zip(&expected).filter(|(a, b)| a == b).count();
        assert!(same >= 90, "{format:?}: {same} of 100");
    }
    // A picture on standard input, with the result as text.
    let mut child = kindling()
        .arg("predict")
        .arg(network.path())
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("kindling starts");
    let bytes = std::fs::read(&small[0]).expect("reads");
    child
        .stdin
        .take()
        .expect("a pipe")
        .write_all(&bytes)
        .expect("writes");
    let printed = successful(&child.wait_with_output().expect("ends"));
    assert!(
        printed.starts_with(&format!("-  {} ", expected[0])),
        "{printed}"
    );
    // A file that is no picture does not stop the other picture from being classified.
    let no_picture = folder.path().join("none.png");
    std::fs::write(&no_picture, "no picture").expect("writes");
    let output = run_on(&["predict"], &network, &[no_picture, small[1].clone()]);
    assert_eq!(output.status.code(), Some(1));
    let errors = stderr(&output);
    assert!(
        errors.contains("none.png: ") && errors.contains("1 of 2"),
        "{errors}"
    );
    assert_eq!(stdout(&output).lines().count(), 1);
}

#[test]
fn embed_and_reconstruct_agree_with_the_files_of_the_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let images = test_images();
    for (name, make) in [("ae", autoencoder as fn(&Path) -> RunDir), ("pca", pca)] {
        let coder = make(&folder.path().join(name));
        let written = folder.path().join("codes.csv");
        std::fs::write(&written, successful(&run_on(&["embed"], &coder, &[]))).expect("writes");
        let (columns, found) = read_numbers(&written).expect("numbers");
        let (expected_columns, expected) = read_numbers(&coder.file("codes.csv")).expect("codes");
        assert_eq!(columns, expected_columns);
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
            assert!(
                (found - expected).abs() < 1e-5,
                "{name}: {found} {expected}"
            );
        }
        let (columns, rows) = read_numbers(&coder.file("reconstructions.csv")).expect("images");
        let back = columns
            .iter()
            .position(|column| column == "r0")
            .expect("r0");
        let index = rows[0][0] as usize;
        let path = save(
            picture(&images, index),
            &folder.path().join("a.png"),
            ImageFormat::Png,
        );
        let coded = successful(&run_on(&["embed"], &coder, std::slice::from_ref(&path)));
        assert!(
            coded.starts_with("image,z0,z1") && coded.lines().count() == 2,
            "{coded}"
        );
        let to = folder.path().join("to");
        let words = ["reconstruct", "--to", to.to_str().expect("text")];
        successful(&run_on(&words, &coder, std::slice::from_ref(&path)));
        let bytes = std::fs::read(to.join("a.reconstructed.png")).expect("a picture");
        let image = image::load(Cursor::new(bytes), ImageFormat::Png).expect("a PNG");
        for (pixel, expected) in image.to_luma8().pixels().zip(&rows[0][back..]) {
            assert!((f64::from(pixel.0[0]) - expected).abs() <= 1.0, "{name}");
        }
    }
}

/// Computes the logits of the first test images with NumPy, from the exported weights alone.
const LOGITS: &str = r#"
import gzip, sys
import numpy as np
from safetensors.numpy import load_file

weights, mnist = load_file(sys.argv[1]), sys.argv[2]
bytes = gzip.open(mnist).read()[16:]
x = np.frombuffer(bytes, np.uint8).reshape(-1, 1, 28, 28)[:100].astype(np.float32) / 255
windows = np.lib.stride_tricks.sliding_window_view(x, (5, 5), (2, 3))
x = np.einsum("ncyxij,ocij->noyx", windows, weights["convolutions.0.weight"])
x = np.maximum(x + weights["convolutions.0.bias"][:, None, None], 0)
x = x.reshape(100, 8, 12, 2, 12, 2).max((3, 5)).reshape(100, -1)
x = np.maximum(x @ weights["hidden.0.weight"] + weights["hidden.0.bias"], 0)
np.savetxt(sys.argv[3], x @ weights["output.weight"] + weights["output.bias"], delimiter=",")
"#;

#[test]
fn exported_weights_give_the_same_logits_in_numpy() {
    let folder = tempfile::tempdir().expect("a folder");
    let network = classifier(&folder.path().join("run"));
    let file = |name: &str| folder.path().join(name);
    for (format, to) in [
        ("safetensors", file("w.safetensors")),
        ("json", file("w.json")),
    ] {
        let to = to.to_str().expect("text");
        successful(&run_on(
            &["export", "--format", format, "--to", to],
            &network,
            &[],
        ));
    }
    let bytes = std::fs::read(file("w.safetensors")).expect("reads");
    let tensors = safetensors::SafeTensors::deserialize(&bytes).expect("safetensors");
    let text = std::fs::read(file("w.json")).expect("reads");
    let json: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
    assert_eq!(json["config"]["model"]["conv"]["kernel"], 5);
    for name in tensors.names() {
        let tensor = tensors.tensor(name).expect("a tensor");
        let values = json["weights"][name]["values"].as_array().expect("numbers");
        let (numbers, _) = tensor.data().as_chunks();
        assert_eq!(values.len(), numbers.len());
        for (value, &four) in values.iter().zip(numbers) {
            let value = value.as_f64().map(|value| value as f32);
            assert_eq!(value, Some(f32::from_le_bytes(four)));
        }
    }
    let (_, about) = safetensors::SafeTensors::read_metadata(&bytes).expect("metadata");
    let about = about.metadata().clone().expect("the config");
    assert!(about["config"].contains("kernel = 5"));

    let Some(mut python) = kindling_testing::python("numpy, safetensors") else {
        return;
    };
    let mnist =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../datasets/mnist/t10k-images-idx3-ubyte.gz");
    let output = python
        .args(["-c", LOGITS])
        .args([file("w.safetensors"), mnist, file("logits.csv")])
        .output()
        .expect("Python starts");
    successful(&output);
    let found = std::fs::read_to_string(file("logits.csv")).expect("reads");
    let (_, expected) = read_numbers(&network.file("logits.csv")).expect("logits");
    assert_eq!(found.lines().count(), expected.len());
    for (line, row) in found.lines().zip(&expected) {
        let numbers = line
            .split(',')
            .map(|number| number.parse::<f64>().expect("a number"));
        for (found, expected) in numbers.zip(&row[1..]) {
            assert!((found - expected).abs() < 1e-5, "{found} {expected}");
        }
    }
}

/// Runs each command that the documents have in a line, in a folder that has trained runs of the
/// cells in it.
#[test]
fn the_commands_in_the_documents_work_as_written() {
    let mut commands: Vec<String> = Vec::new();
    for document in ["README.md", "docs/networks.md", "docs/data.md"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../..")
            .join(document);
        let text = std::fs::read_to_string(path).expect("a document");
        // Code between single backticks, not in blocks.
        let blocks = text.split("```").step_by(2);
        let inline = blocks.flat_map(|block| block.split('`').skip(1).step_by(2));
        let own = inline.filter_map(|code| code.strip_prefix("cargo kindling "));
        let own: Vec<String> = own.map(str::to_string).collect();
        assert!(!own.is_empty(), "{document}");
        commands.extend(own);
    }
    assert!(commands.len() >= 7, "{commands:?}");
    let folder = tempfile::tempdir().expect("a folder");
    let cell = |name: &str| {
        folder
            .path()
            .join("artifacts/runs")
            .join(name)
            .join("seed-0")
    };
    let network = classifier(&cell("convnet"));
    classifier(&cell("mlp"));
    autoencoder(&cell("ae"));
    common::write_images(&folder.path().join("pictures"), 60, 20);
    for name in ["digit.png", "picture.png"] {
        let digit = picture(&test_images(), 0);
        save(digit, &folder.path().join(name), ImageFormat::Png);
    }
    for command in commands {
        let output = kindling()
            .args(command.replace("DIR", "pictures").split_whitespace())
            .current_dir(folder.path())
            .output()
            .expect("kindling starts");
        assert!(!successful(&output).is_empty(), "{command}");
    }
    assert!(
        folder
            .path()
            .join("pictures/digit.reconstructed.png")
            .exists()
    );
    // The file is named after the cell and the seed in the config: `test` and 1 in all tests.
    assert!(folder.path().join("test-seed-1.safetensors").exists());
    assert!(network.record().exists());
}

#[test]
fn the_protocol_says_in_which_tree_the_run_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let tuned = folder.path().join("artifacts/tuned/runs/mlp/seed-0");
    classifier(&tuned);
    let digit = folder.path().join("digit.png");
    save(picture(&test_images(), 0), &digit, ImageFormat::Png);
    let predict = |flags: &[&str]| {
        let mut command = kindling();
        command.args(["predict", "mlp", "digit.png"]).args(flags);
        command.current_dir(folder.path()).output().expect("starts")
    };
    successful(&predict(&["--protocol", "tuned"]));
    // Without the flag, the error says where the run is.
    let output = predict(&[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("--protocol tuned"),
        "{}",
        stderr(&output)
    );
    let output = predict(&["--protocol", "best"]);
    assert!(
        stderr(&output).contains("use written or tuned"),
        "{}",
        stderr(&output)
    );
}
