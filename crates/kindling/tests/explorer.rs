//! The report's page in a real browser. The networks in the page compute the same logits as
//! Burn, and the figures and the explorer work. Without a browser the test is skipped.

mod common;

use std::path::Path;

use burn_dataset::Dataset;
use common::{
    train_successfully, write_cifar, write_config, write_images, write_pictures, write_small_images,
};
use kindling_formats::{ImageData, Layout, Size, Study, Tree, Variant, read_numbers};

const STUDY: &str = "title = \"A <small> study\"\nseeds = 1\n\
     about = \"Some <small> networks.\"\n\
     [[section]]\nid = \"1\"\ntitle = \"Networks\"\ntext = \"So it is: {small} And: {better}\"\n\
     [quick]\nseeds = 1\n\
     [figures.explorer]\nclassifiers = [\"mlp\", \"convnet\"]\nplanes = [\"ae\", \"pca\"]\n";

const CLAIMS: &str = "\
     [[claim]]\nid = \"small\"\nsection = \"1\"\nsays = \"The convnet is <small>.\"\n\
     left = { cells = [\"convnet\"], of = \"parameters\" }\nat_most = 1e6\n\
     [[claim]]\nid = \"tiny\"\nsection = \"1\"\nsays = \"The convnet is tiny.\"\n\
     left = { cells = [\"convnet\"], of = \"parameters\" }\nat_most = 1.0\n\
     [[claim]]\nid = \"better\"\nsection = \"1\"\nsays = \"The convnet is better.\"\n\
     left = { cells = [\"convnet\"], of = \"test_accuracy\" }\n\
     right = { cells = [\"mlp\"], of = \"test_accuracy\" }\nat_least = 0.0\n";

/// Uses the page as a visitor does, with these parts of the script `browse.py`, or all of them.
/// Returns what the page's networks compute for `inputs`. `None` without a browser or without the
/// Python packages that control it.
fn browse(page: &Path, inputs: &serde_json::Value, parts: &[&str]) -> Option<serde_json::Value> {
    let browser = kindling_testing::browser()?;
    let mut python = kindling_testing::python("axe_playwright_python, playwright")?;
    let folder = page.with_file_name("browsed");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("inputs.json"), inputs.to_string()).expect("writes");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/browse.py");
    let output = python
        .arg(script)
        .arg(&browser)
        .arg(page)
        .arg(&folder)
        .args(parts)
        .output()
        .expect("Python starts");
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    let answer = std::fs::read_to_string(folder.join("answer.json")).expect("an answer");
    Some(serde_json::from_str(&answer).expect("JSON"))
}

/// Trains a cell with seed 1, and adds it to the study in the folder `configs`.
fn train(layout: &Layout, configs: &Path, cell: &str, family: &str, task: &str) {
    let file = format!(
        "cell = \"{cell}\"\nsection = \"1\"\nabout = \"a test\"\nfamily = \"{family}\"\n{task}"
    );
    std::fs::write(configs.join(format!("{cell}.toml")), file).expect("writes");
    let dir = layout.finished(cell, 1);
    let dir = write_config(dir.path(), family, task);
    let config = std::fs::read_to_string(dir.config()).expect("a config");
    let config = config.replace("cell = \"test\"", &format!("cell = \"{cell}\""));
    std::fs::write(dir.config(), config).expect("writes");
    let record = train_successfully(&dir);
    let config = dir.read_config().expect("a config");
    let variant = Variant {
        backend: config.backend,
        ..Variant::default()
    };
    let run = (&config, record.data_fingerprint.as_str());
    Tree::write(layout, variant, [run]).expect("writes");
}

/// The parts of the script that depend on the images.
const PARTS: &[&str] = &["networks", "explorer"];

#[test]
fn the_page_computes_the_same_as_burn_and_works_for_all_visitors() {
    let folder = tempfile::tempdir().expect("a folder");
    let images = write_images(&folder.path().join("images"), 300, 100);
    check_page(folder.path(), &images, "", "[[4], [8, 6]]", &[]);
}

#[test]
fn the_page_works_for_small_coloured_images_with_a_scale() {
    let folder = tempfile::tempdir().expect("a folder");
    let images = write_small_images(&folder.path().join("images"), [3, 10, 13], 300, 100);
    let page = check_page(
        folder.path(),
        &images,
        "normalize = \"standard\"",
        "[[4], [6]]",
        PARTS,
    );
    if let Some(page) = page {
        // The classes are those of the data, in the head of the table.
        assert!(page.contains("\"classes\":[\"ant\",\"bee\",\"cat\"]"));
        assert!(page.contains("\"shape\":[3,10,13]"));
    }
}

#[test]
fn the_page_works_for_the_images_of_cifar() {
    let folder = tempfile::tempdir().expect("a folder");
    let images = write_cifar(&folder.path().join("images"), 300, 100);
    let page = check_page(folder.path(), &images, "", "[[4], [6]]", PARTS);
    assert!(page.is_none_or(|page| page.contains("\"shape\":[3,32,32]")));
}

#[test]
fn the_page_works_for_pictures_and_names_one_in_two_splits() {
    let folder = tempfile::tempdir().expect("a folder");
    let images = write_pictures(&folder.path().join("images"), [1, 12, 10], 300, 100);
    if let Some(page) = check_page(folder.path(), &images, "", "[[4], [6]]", PARTS) {
        assert!(page.contains("\"shape\":[1,12,10]"));
        let words = "1 test image is a train image, too: test/ant/0000.png is train/ant/0000.png";
        assert!(page.contains(words));
    }
}

/// Trains networks on `images` below `folder`, and checks the page of their report with `parts` of
/// the script. `keys` are further keys of `[data]` of the classifiers, and `blocks` those of the
/// convnet. Returns the page; `None` if it could not be checked.
fn check_page(
    folder: &Path,
    images: &Path,
    keys: &str,
    blocks: &str,
    parts: &[&str],
) -> Option<String> {
    let layout = Layout::new(&folder.join("out"), Size::Full);
    let configs = folder.join("configs");
    std::fs::create_dir(&configs).expect("a folder");
    let classifier = |network: &str| {
        format!(
            "[data]\ndir = {images:?}\n{keys}\n[model]\n{network}\n[train]\nepochs = 2\nbatch_size = 32\n\
             optimizer.sgd = {{ learning_rate = 0.05, momentum = 0.9, nesterov = false, weight_decay = 0.0 }}"
        )
    };
    let dense = classifier("hidden = [96, 32]\ndropout = 0.0");
    let conv = format!("hidden = []\ndropout = 0.0\nconv = {{ blocks = {blocks}, kernel = 3 }}");
    train(&layout, &configs, "mlp", "classifier", &dense);
    train(
        &layout,
        &configs,
        "convnet",
        "classifier",
        &classifier(&conv),
    );
    let autoencoder = format!(
        "[data]\ndir = {images:?}\n[model]\nhidden = [96]\ncode = 2\nactivation = \"relu\"\n\
         code_activation = \"none\"\noutput = \"sigmoid\"\n[train]\nepochs = 3\n\
         batch_size = 32\noptimizer.adam = {{ learning_rate = 0.003, beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-7 }}\n[scatter]\nimages = 100"
    );
    train(&layout, &configs, "ae", "autoencoder", &autoencoder);
    let pca = format!("[data]\ndir = {images:?}\n[model]\ncomponents = 2\n[scatter]\nimages = 100");
    train(&layout, &configs, "pca", "pca", &pca);

    std::fs::write(configs.join("study.toml"), STUDY).expect("writes");
    std::fs::write(configs.join("claims.toml"), CLAIMS).expect("writes");
    let study = Study::read(&configs).expect("a study");
    let page = kindling_report::write(&study, &layout, kindling_report::read(&study, &layout))
        .expect("a report");

    let data = ImageData::all(Some(images.to_path_buf()));
    let test = kindling_datasets::load_images(&data)
        .expect("images")
        .evaluated;
    let pixels: Vec<&[u8]> = (0..test.len()).map(|index| test.pixels(index)).collect();
    let table = |cell: &str, file: &str, count: usize| -> Vec<Vec<f64>> {
        let path = layout.finished(cell, 1).file(file);
        let (_, rows) = read_numbers(&path).expect("numbers");
        assert_eq!(rows.len(), count, "{file} of {cell}");
        rows
    };
    let planes = ["ae", "pca"].map(|cell| (cell, table(cell, "plane.csv", 400)));
    let codes = planes.iter().map(|(cell, rows)| {
        let codes: Vec<&[f64]> = rows.iter().map(|row| &row[..2]).collect();
        ((*cell).to_string(), serde_json::json!(codes))
    });
    let codes: serde_json::Map<String, serde_json::Value> = codes.collect();
    let inputs = serde_json::json!({ "images": pixels, "codes": codes });
    let found = browse(&page, &inputs, parts)?;
    for cell in ["mlp", "convnet"] {
        let logits = table(cell, "logits.csv", 100);
        check_values(&found["logits"][cell], 1, &logits, 1e-3);
    }
    for (cell, rows) in &planes {
        let codes = table(cell, "codes.csv", 100);
        check_values(&found["codes"][*cell], 1, &codes, 1e-3);
        // The file has whole bytes, so half a shade is lost there.
        let shares = rows.iter().map(|row| {
            let pixels = row[2..].iter().map(|byte| byte / 255.0);
            row[..2].iter().copied().chain(pixels).collect()
        });
        let shares: Vec<Vec<f64>> = shares.collect();
        check_values(&found["decoded"][*cell], 2, &shares, 1.5 / 255.0);
    }
    Some(std::fs::read_to_string(page).expect("the page"))
}

/// Asserts that the values equal those of the run's file, whose rows have `skipped` other numbers
/// first.
fn check_values(found: &serde_json::Value, skipped: usize, expected: &[Vec<f64>], tolerance: f64) {
    let found = found.as_array().expect("rows");
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        let found = found.as_array().expect("numbers");
        assert_eq!(found.len(), expected.len() - skipped);
        for (found, expected) in found.iter().zip(&expected[skipped..]) {
            let near = (found.as_f64().expect("a number") - expected).abs() < tolerance;
            assert!(near, "{found}, expected {expected}");
        }
    }
}
