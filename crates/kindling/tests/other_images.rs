//! Images of other shapes and classes than MNIST's, through the real binary: every family learns
//! from them, and trained networks are used on pictures and on other data.

mod common;

use std::path::Path;

use common::{
    run, save_png, small_images, stderr, successful, text, train, train_successfully, write_config,
    write_small_images,
};
use kindling_formats::{RunDir, read_numbers};

const SGD: &str = "optimizer.sgd = { learning_rate = 0.05, momentum = 0.9, nesterov = false, \
                   weight_decay = 0.0 }";

/// The shapes: grey images of 8x8 pixels, and coloured ones of odd sizes.
const SHAPES: [[usize; 3]; 2] = [[1, 8, 8], [3, 9, 13]];

fn classifier(dir: &Path, data: &str, network: &str) -> RunDir {
    let task =
        format!("[data]\n{data}\n[model]\n{network}\n[train]\nepochs = 4\nbatch_size = 32\n{SGD}");
    write_config(dir, "classifier", &task)
}

fn autoencoder(dir: &Path, data: &str, conv: &str) -> RunDir {
    let task = format!(
        "[data]\n{data}\n[model]\nhidden = [16]\ncode = 2\nactivation = \"relu\"\n\
         code_activation = \"none\"\noutput = \"sigmoid\"\n{conv}\n[train]\nepochs = 8\n\
         batch_size = 32\noptimizer.adam = {{ learning_rate = 0.01, beta_1 = 0.9, \
         beta_2 = 0.999, epsilon = 1e-7 }}\n[scatter]\nimages = 60"
    );
    write_config(dir, "autoencoder", &task)
}

#[test]
fn every_family_learns_from_images_of_any_shape() {
    for shape in SHAPES {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        let images = write_small_images(&at("images"), shape, 300, 90);
        let data = format!("dir = {images:?}");
        let numbers: usize = shape.iter().product();
        for (name, network) in [
            ("dense", "hidden = [16]\ndropout = 0.0"),
            (
                "conv",
                "hidden = []\ndropout = 0.0\nconv = { blocks = [[4], [8]], kernel = 2 }",
            ),
        ] {
            for normalize in ["unit", "standard"] {
                let dir = at(&format!("{name}-{normalize}"));
                let data = format!("{data}\nnormalize = \"{normalize}\"");
                let record = train_successfully(&classifier(&dir, &data, network));
                assert!(record.test_accuracy > Some(0.95), "{name}: {record:?}");
                let info = record.data.expect("images");
                assert_eq!(<[usize; 3]>::from(info.shape), shape);
                assert_eq!(info.classes, ["ant", "bee", "cat"]);
                assert_eq!((info.train, info.test), (300, 90));
                assert_eq!(record.scale.map(|scale| scale.len()), {
                    (normalize == "standard").then_some(shape[0])
                });
                for metric in ["accuracy_0", "accuracy_2", "balanced_accuracy"] {
                    assert!(record.metrics.contains_key(metric), "{:?}", record.metrics);
                }
                assert!(!record.metrics.contains_key("accuracy_3"));
                let (columns, rows) = table(&dir, "confusion.csv");
                assert_eq!((columns, rows), (4, 3));
            }
        }

        let ae = autoencoder(&at("ae"), &data, "");
        let record = train_successfully(&ae);
        assert!(record.test_loss < Some(0.05), "{record:?}");
        assert_eq!(
            table(ae.path(), "reconstructions.csv"),
            (2 + 2 * numbers, 3)
        );
        assert_eq!(table(ae.path(), "plane.csv"), (2 + numbers, 400));
        let task = format!("[data]\n{data}\n[model]\ncomponents = 2\n[scatter]\nimages = 60");
        let pca = write_config(&at("pca"), "pca", &task);
        let record = train_successfully(&pca);
        assert_eq!(record.parameters, 3 * numbers);
        assert_eq!(table(pca.path(), "components.csv"), (3, numbers));
    }
}

/// The numbers of columns and rows of a table.
fn table(dir: &Path, file: &str) -> (usize, usize) {
    let (columns, rows) = read_numbers(&dir.join(file)).expect("numbers");
    (columns.len(), rows.len())
}

#[test]
fn a_convolutional_autoencoder_learns_from_images_that_can_be_halved() {
    let folder = tempfile::tempdir().expect("a folder");
    let images = write_small_images(&folder.path().join("images"), [3, 8, 12], 300, 90);
    let data = format!("dir = {images:?}");
    let run = autoencoder(
        &folder.path().join("ae"),
        &data,
        "conv = { channels = [4, 6] }",
    );
    let record = train_successfully(&run);
    assert!(record.test_loss < Some(0.05), "{record:?}");
}

#[test]
fn a_config_that_does_not_fit_the_images_is_refused_before_training() {
    let folder = tempfile::tempdir().expect("a folder");
    let images = write_small_images(&folder.path().join("images"), [1, 8, 8], 60, 30);
    let data = format!("dir = {images:?}");
    let conv = "hidden = []\ndropout = 0.0\nconv = { blocks = [[4], [8]], kernel = 3 }";
    let task = format!("[data]\n{data}\n[model]\ncomponents = 65\n[scatter]\nimages = 20");
    let at = |name: &str| folder.path().join(name);
    for (dir, words) in [
        (
            classifier(&at("conv"), &data, conv),
            "`model.conv.blocks`: an image of 8x8 pixels becomes too small before the last pool",
        ),
        (
            autoencoder(&at("ae"), &data, "conv = { channels = [2, 2, 2, 2] }"),
            "`model.conv.channels`: each convolution halves the image, and 8x8 pixels can be \
             halved 3 times",
        ),
        (
            write_config(&at("pca"), "pca", &task),
            "`model.components`: asks for 65 components, and 60 images of 64 numbers have at \
             most 60",
        ),
        (
            autoencoder(
                &at("unit"),
                &format!("{data}\nnormalize = \"standard\""),
                "",
            ),
            "`data.normalize`: must be \"unit\" for a family that rebuilds images",
        ),
    ] {
        let output = train(&dir);
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        assert!(stderr(&output).contains(words), "{}", stderr(&output));
        assert!(!dir.history().exists() && !dir.model().exists());
    }
}

#[test]
fn trained_networks_are_used_on_pictures_of_their_shape() {
    for shape in SHAPES {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        let images = write_small_images(&at("images"), shape, 300, 90);
        let data = format!("dir = {images:?}\nnormalize = \"standard\"");
        let run = classifier(&at("dense"), &data, "hidden = [16]\ndropout = 0.0");
        train_successfully(&run);
        // A picture of each class, of the images' own size.
        let (pixels, labels) = small_images(shape, 3);
        let numbers: usize = shape.iter().product();
        let mut pictures = Vec::new();
        for (index, pixels) in pixels.chunks(numbers).enumerate() {
            let path = at(&format!("{index}.png"));
            save_png(&path, shape, pixels);
            pictures.push(path);
        }
        let named = pictures.iter().map(|path| text(path));
        let output = run_with("predict", &run, named.clone());
        let lines: Vec<&str> = output.lines().collect();
        for (line, label) in lines.iter().zip(&labels) {
            let class = ["ant", "bee", "cat"][usize::from(*label)];
            assert!(line.contains(&format!("  {class} ")), "{class}: {output}");
        }

        let data = format!("dir = {images:?}");
        let coder = autoencoder(&at("ae"), &data, "");
        train_successfully(&coder);
        let codes = run_with("embed", &coder, named.clone());
        assert_eq!(codes.lines().count(), 4, "{codes}");
        run_with(
            "reconstruct",
            &coder,
            named.clone().chain(["--to", text(folder.path())]),
        );
        let rebuilt = image::open(at("0.reconstructed.png")).expect("a picture");
        let size = (rebuilt.width() as usize, rebuilt.height() as usize);
        assert_eq!(size, (shape[2], shape[1]));
        assert_eq!(rebuilt.color().channel_count() as usize, shape[0]);
        // The picture is rebuilt about as it was.
        let pixel = |image: &image::DynamicImage| image.to_luma32f().into_raw();
        let original = pixel(&image::open(&pictures[0]).expect("a picture"));
        let errors = pixel(&rebuilt).into_iter().zip(original);
        let errors = errors.map(|(a, b)| f64::from((a - b).powi(2)));
        assert!(errors.sum::<f64>() / ((numbers / shape[0]) as f64) < 0.05);

        let json = run_with(
            "export",
            &run,
            ["--format", "json", "--to", "-"].into_iter(),
        );
        let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!(json["data"]["shape"], serde_json::json!(shape));
        assert_eq!(json["scale"].as_array().expect("a scale").len(), shape[0]);
    }
}

/// Runs a command of kindling on the run, and returns what it prints.
fn run_with<'a>(
    command: &'a str,
    trained: &'a RunDir,
    arguments: impl Iterator<Item = &'a str>,
) -> String {
    let start = [command, text(trained.path())];
    successful(&run(start.into_iter().chain(arguments)))
}

#[test]
fn evaluate_scores_a_network_on_its_own_and_on_other_images() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let shape = [3, 9, 13];
    let images = write_small_images(&at("images"), shape, 300, 90);
    let data = format!("dir = {images:?}\nnormalize = \"standard\"");
    let run = classifier(&at("dense"), &data, "hidden = [16]\ndropout = 0.0");
    let record = train_successfully(&run);
    let json = |arguments: &[&str]| -> serde_json::Value {
        let arguments = arguments.iter().copied().chain(["--json"]);
        serde_json::from_str(&run_with("evaluate", &run, arguments)).expect("JSON")
    };
    let own = json(&[]);
    assert_eq!(own["images"], 90);
    assert_eq!(own["accuracy"].as_f64(), record.test_accuracy);
    assert_eq!(
        own["balanced_accuracy"].as_f64(),
        record.metrics.get("balanced_accuracy").copied()
    );
    let (_, confusion) = read_numbers(&run.file("confusion.csv")).expect("numbers");
    let confusion: Vec<&[f64]> = confusion.iter().map(|row| &row[1..]).collect();
    let found: Vec<Vec<f64>> = serde_json::from_value(own["confusion"].clone()).expect("counts");
    assert_eq!(found, confusion);
    assert_eq!(json(&["--split", "train"])["images"], 300);

    // Other images with the classes in another order, and one class less.
    let other = write_small_images(&at("other"), shape, 60, 30);
    std::fs::write(other.join("labels.txt"), "cat\nant\nbee\n").expect("names");
    let scores = json(&["--data", text(&other)]);
    assert_eq!(scores["images"], 30);
    // The label 0 is now called cat, and its images still look like ants.
    assert_eq!(scores["classes"][2]["class"], "cat");
    assert!(scores["accuracy"].as_f64() < Some(0.1), "{scores}");
    let printed = run_with("evaluate", &run, ["--data", text(&other)].into_iter());
    assert!(printed.contains("balanced accuracy  0."), "{printed}");

    std::fs::write(other.join("labels.txt"), "ant\nbee\nelk\n").expect("names");
    let output = common::run(["evaluate", text(run.path()), "--data", text(&other)]);
    assert_eq!(output.status.code(), Some(2));
    let words = "test does not know the class `elk`; it knows ant, bee, cat";
    assert!(stderr(&output).contains(words), "{}", stderr(&output));
    let dir = write_small_images(&at("small"), [1, 8, 8], 60, 30);
    let output = common::run(["evaluate", text(run.path()), "--data", text(&dir)]);
    assert_eq!(output.status.code(), Some(2));
    let words = "its images have 8x8 pixels, and test learned from images of 9x13x3";
    assert!(stderr(&output).contains(words), "{}", stderr(&output));
}
