//! Trained networks used by others: on pictures, as codes, as weights.

mod common;

use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use common::{kindling, train_well, write_config};
use image::imageops::{FilterType, resize};
use image::{DynamicImage, GrayImage, ImageFormat, Luma};
use kindling_datasets::{Images, load_images};
use kindling_formats::{ImageData, RunDir, read_numbers};

const DATA: &str = "[data]\ntrain = 3000\ntest = 100\n";

fn test_images() -> Images {
    let data = ImageData {
        dir: None,
        train: Some(1),
        test: Some(100),
    };
    load_images(&data).expect("images").test
}

fn classifier(dir: &Path) -> RunDir {
    let task = format!(
        "{DATA}[model]\nhidden = [64]\ndropout = 0.0\n\
         conv = {{ blocks = [[8]], kernel = 5 }}\n[train]\nepochs = 3\nbatch_size = 50\n\
         optimizer.sgd = {{ learning_rate = 0.05, momentum = 0.9 }}"
    );
    let run = write_config(dir, "classifier", &task);
    train_well(&run);
    run
}

fn autoencoder(dir: &Path) -> RunDir {
    let task = format!(
        "{DATA}[model]\nhidden = [64]\ncode = 3\nactivation = \"relu\"\n\
         code_activation = \"none\"\noutput = \"sigmoid\"\n[train]\nepochs = 2\n\
         batch_size = 50\noptimizer.adam = {{ learning_rate = 0.002 }}\n[scatter]\nimages = 100"
    );
    let run = write_config(dir, "autoencoder", &task);
    train_well(&run);
    run
}

fn pca(dir: &Path) -> RunDir {
    let task = format!("{DATA}[model]\ncomponents = 2\n[scatter]\nimages = 100");
    let run = write_config(dir, "pca", &task);
    train_well(&run);
    run
}

fn picture(images: &Images, index: usize) -> GrayImage {
    GrayImage::from_raw(28, 28, images.pixels(index).to_vec()).expect("28x28")
}

/// Dark on light, six times as large, off the middle of a sheet.
fn sheet(digit: &GrayImage) -> GrayImage {
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

fn run(words: &[&str], dir: &RunDir, more: &[PathBuf]) -> Output {
    let mut command = kindling();
    command.args(words).arg(dir.path()).args(more);
    command.output().expect("kindling starts")
}

fn well(output: &Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The predicted labels, in order.
fn labels(output: &Output) -> Vec<u64> {
    let lines = well(output);
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
fn pictures_of_any_kind_are_classified() {
    let folder = tempfile::tempdir().expect("a folder");
    let network = classifier(&folder.path().join("run"));
    let (_, rows) = read_numbers(&network.file("logits.csv")).expect("logits");
    let most = |row: &Vec<f64>| {
        let logits = row[1..].iter().enumerate();
        logits
            .max_by(|a, b| a.1.total_cmp(b.1))
            .map(|(class, _)| class as u64)
    };
    let expected: Vec<u64> = rows.iter().filter_map(most).collect();
    let images = test_images();
    let saved = |kind: &str, format, make: &dyn Fn(usize) -> GrayImage| -> Vec<PathBuf> {
        let path = |index| folder.path().join(format!("{index}.{kind}"));
        (0..100)
            .map(|index| save(make(index), &path(index), format))
            .collect()
    };
    // As they are, the network sees the very same numbers.
    let small = saved("small", ImageFormat::Png, &|index| picture(&images, index));
    assert_eq!(
        labels(&run(&["predict", "--json"], &network, &small)),
        expected
    );
    // Large, dark on light and by the side, it sees nearly the same.
    for format in [ImageFormat::Png, ImageFormat::Jpeg] {
        let make = |index| sheet(&picture(&images, index));
        let large = saved("large", format, &make);
        let found = labels(&run(&["predict", "--json"], &network, &large));
        let same = found.iter().zip(&expected).filter(|(a, b)| a == b).count();
        assert!(same >= 90, "{format:?}: {same} of 100");
    }
    // On standard input, and for people.
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
    let said = well(&child.wait_with_output().expect("ends"));
    assert!(said.starts_with(&format!("-  {} ", expected[0])), "{said}");
    // A picture that is none costs the others nothing.
    let none = folder.path().join("none.png");
    std::fs::write(&none, "no picture").expect("writes");
    let output = run(&["predict"], &network, &[none, small[1].clone()]);
    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        errors.contains("none.png: ") && errors.contains("1 of 2"),
        "{errors}"
    );
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 1);
}

#[test]
fn codes_are_those_of_the_run_and_come_back_as_pictures() {
    let folder = tempfile::tempdir().expect("a folder");
    let images = test_images();
    for (name, make) in [("ae", autoencoder as fn(&Path) -> RunDir), ("pca", pca)] {
        let coder = make(&folder.path().join(name));
        let written = folder.path().join("codes.csv");
        std::fs::write(&written, well(&run(&["embed"], &coder, &[]))).expect("writes");
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
        let coded = well(&run(&["embed"], &coder, std::slice::from_ref(&path)));
        assert!(
            coded.starts_with("image,z0,z1") && coded.lines().count() == 2,
            "{coded}"
        );
        let to = folder.path().join("to");
        let words = ["reconstruct", "--to", to.to_str().expect("text")];
        well(&run(&words, &coder, std::slice::from_ref(&path)));
        let bytes = std::fs::read(to.join("a.reconstructed.png")).expect("a picture");
        let image = image::load(Cursor::new(bytes), ImageFormat::Png).expect("a PNG");
        for (pixel, expected) in image.to_luma8().pixels().zip(&rows[0][back..]) {
            assert!((f64::from(pixel.0[0]) - expected).abs() <= 1.0, "{name}");
        }
    }
}

/// NumPy's logits of the first test images, from the exported weights alone.
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
fn exported_weights_give_the_same_logits_elsewhere() {
    let folder = tempfile::tempdir().expect("a folder");
    let network = classifier(&folder.path().join("run"));
    let file = |name: &str| folder.path().join(name);
    for (format, to) in [
        ("safetensors", file("w.safetensors")),
        ("json", file("w.json")),
    ] {
        let to = to.to_str().expect("text");
        well(&run(
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
    well(&output);
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

#[test]
fn every_command_has_help_with_an_example() {
    let help = well(&kindling().arg("--help").output().expect("kindling starts"));
    assert!(help.contains("Exit codes: 0 done"), "{help}");
    let list = help.split("Commands:\n").nth(1).expect("a list");
    let lines = list.lines().take_while(|line| !line.is_empty());
    let names: Vec<&str> = lines
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(names.len() > 10, "{names:?}");
    for name in names.into_iter().filter(|name| *name != "help") {
        let output = kindling().args([name, "--help"]).output();
        let help = well(&output.expect("kindling starts"));
        assert!(
            help.contains(&format!("  kindling {name}")) || help.contains("(kindling "),
            "{help}"
        );
    }
    let output = kindling().args(["completions", "bash"]).output();
    assert!(well(&output.expect("kindling starts")).contains("predict"));
    let output = kindling().arg("man").output();
    assert!(well(&output.expect("kindling starts")).contains(".SH SYNOPSIS"));
}

/// The README's commands run as written, where the cells are that they name.
#[test]
fn every_command_of_the_readme_runs_as_written() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let readme = std::fs::read_to_string(readme).expect("a README");
    let inline = readme.split('`').skip(1).step_by(2);
    let commands: Vec<&str> = inline
        .filter_map(|code| code.strip_prefix("cargo kindling "))
        .collect();
    assert!(commands.len() >= 4, "{commands:?}");
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
    let digit = picture(&test_images(), 0);
    save(digit, &folder.path().join("digit.png"), ImageFormat::Png);
    for command in commands {
        let output = kindling()
            .args(command.replace("DIR", "pictures").split_whitespace())
            .current_dir(folder.path())
            .output()
            .expect("kindling starts");
        assert!(!well(&output).is_empty(), "{command}");
    }
    assert!(
        folder
            .path()
            .join("pictures/digit.reconstructed.png")
            .exists()
    );
    // By the cell and the seed of the config, which are the same for all tests.
    assert!(folder.path().join("test-seed-1.safetensors").exists());
    assert!(network.record().exists());
}

#[test]
fn what_is_not_there_or_does_not_fit_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let coder = pca(&folder.path().join("pca"));
    let image = save(
        GrayImage::new(28, 28),
        &folder.path().join("a.png"),
        ImageFormat::Png,
    );
    let refused = |output: Output, words: &[&str]| {
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        for word in words {
            assert!(stderr.contains(word), "{word} in {stderr}");
        }
    };
    let none = RunDir::new(folder.path().join("none"));
    let images = std::slice::from_ref(&image);
    refused(
        run(&["predict"], &none, images),
        &["no trained run", "--out"],
    );
    refused(
        run(&["predict"], &coder, images),
        &["family pca", "classifier"],
    );
    refused(run(&["predict"], &coder, &[]), &["<IMAGES>"]);
    std::fs::write(coder.file("components.csv"), "mean\n1\n").expect("writes");
    refused(
        run(&["embed"], &coder, images),
        &["components.csv is damaged"],
    );
}
