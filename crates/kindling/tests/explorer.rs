//! The report's page in a real browser. The networks in the page compute the same logits as
//! Burn, and the figures and the explorer work. Without a browser the test is skipped.

mod common;

use std::path::Path;
use std::process::Command;

use burn_dataset::Dataset;
use common::{
    train_successfully, write_cifar, write_config, write_images, write_pictures, write_small_images,
};
use kindling_formats::{ImageData, Layout, Size, Study, Tree, Variant, read_numbers};

const STUDY: &str = "title = \"A <small> study\"\nseeds = 1\n\
     [[section]]\nid = \"1\"\ntitle = \"Networks\"\n[quick]\nseeds = 1\n\
     [figures.explorer]\nclassifiers = [\"mlp\", \"convnet\"]\nplanes = [\"ae\", \"pca\"]\n";

/// Scripts that are added to the page. They use the page as a visitor does, and write their
/// results into a `<pre>` as JSON.
const PROBE: &str = include_str!("probe.html");

/// Opens the page in a window of `width` pixels, and returns the results of [`PROBE`].
fn probe(browser: &Path, page: &Path, profile: &Path, width: u32) -> serde_json::Value {
    let output = Command::new(browser)
        .args([
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--dump-dom",
        ])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("--window-size={width},900"))
        .arg(format!("file://{}", page.display()))
        .output()
        .expect("the browser starts");
    let page = String::from_utf8_lossy(&output.stdout);
    let answer = page
        .rsplit_once("<pre id=\"answer\">")
        .and_then(|(_, rest)| rest.split_once("</pre>"))
        .map(|(answer, _)| {
            answer
                .replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&amp;", "&")
        });
    let answer = answer.unwrap_or_default();
    serde_json::from_str(&answer).unwrap_or_else(|error| {
        panic!(
            "{error}: {answer:?}; {}",
            String::from_utf8_lossy(&output.stderr)
        )
    })
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

#[test]
fn the_page_computes_the_same_as_burn_and_reacts_to_dragging_and_drawing() {
    let folder = tempfile::tempdir().expect("a folder");
    let images = write_images(&folder.path().join("images"), 300, 100);
    check_page(folder.path(), &images, "", "[[4], [8, 6]]");
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
    let page = check_page(folder.path(), &images, "", "[[4], [6]]");
    assert!(page.is_none_or(|page| page.contains("\"shape\":[3,32,32]")));
}

#[test]
fn the_page_works_for_pictures_and_names_one_in_two_splits() {
    let folder = tempfile::tempdir().expect("a folder");
    let images = write_pictures(&folder.path().join("images"), [1, 12, 10], 300, 100);
    if let Some(page) = check_page(folder.path(), &images, "", "[[4], [6]]") {
        assert!(page.contains("\"shape\":[1,12,10]"));
        let words = "1 test image is a train image, too: test/ant/0000.png is train/ant/0000.png";
        assert!(page.contains(words));
    }
}

/// Trains networks on `images` below `folder`, and checks the page of their report. `keys` are
/// further keys of `[data]` of the classifiers, and `blocks` those of the convnet. Returns the
/// page; `None` without a browser.
fn check_page(folder: &Path, images: &Path, keys: &str, blocks: &str) -> Option<String> {
    let browser = kindling_testing::browser()?;
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
        "[data]\ndir = {images:?}\n[model]\nhidden = [32]\ncode = 2\nactivation = \"relu\"\n\
         code_activation = \"none\"\noutput = \"sigmoid\"\n[train]\nepochs = 3\n\
         batch_size = 32\noptimizer.adam = {{ learning_rate = 0.003, beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-7 }}\n[scatter]\nimages = 100"
    );
    train(&layout, &configs, "ae", "autoencoder", &autoencoder);
    let pca = format!("[data]\ndir = {images:?}\n[model]\ncomponents = 2\n[scatter]\nimages = 100");
    train(&layout, &configs, "pca", "pca", &pca);

    std::fs::write(configs.join("study.toml"), STUDY).expect("writes");
    let study = Study::read(&configs).expect("a study");
    let page = kindling_report::write(&study, &layout, kindling_report::read(&study, &layout))
        .expect("a report");

    let data = ImageData::all(Some(images.to_path_buf()));
    let test = kindling_datasets::load_images(&data)
        .expect("images")
        .evaluated;
    let pixels: Vec<&[u8]> = (0..test.len()).map(|index| test.pixels(index)).collect();
    let pixels = serde_json::to_string(&pixels).expect("JSON");
    let mut text = std::fs::read_to_string(&page).expect("a page");
    let script = PROBE.replace("IMAGES", &pixels);
    text = text.replace("</body>", &format!("{script}</body>"));
    let probed = page.with_file_name("probed.html");
    std::fs::write(&probed, text).expect("writes");

    for width in [1280, 390] {
        let found = probe(&browser, &probed, &folder.join("profile"), width);
        assert_eq!(found["faults"], serde_json::json!([]), "{width}");
        assert_eq!(
            found["hidden"], 0,
            "of {} figures at {width}",
            found["figures"]
        );
        assert!(found["figures"].as_u64() > Some(8));
        assert_eq!(found["overflow"], 0, "{width}");
        for cell in ["mlp", "convnet"] {
            let (_, rows) =
                read_numbers(&layout.finished(cell, 1).file("logits.csv")).expect("logits");
            check_values(&found["logits"][cell], &rows);
        }
        for (index, cell) in ["ae", "pca"].into_iter().enumerate() {
            let (_, rows) =
                read_numbers(&layout.finished(cell, 1).file("codes.csv")).expect("codes");
            check_values(&found["codes"][index], &rows);
        }
        for (before, after) in [("before", "dragged"), ("dragged", "drawn")] {
            assert_ne!(
                found[before][0], found[after][0],
                "{width}: {after}, the code"
            );
            assert_ne!(
                found[before][1], found[after][1],
                "{width}: {after}, the image"
            );
        }
        for shares in found["shares"].as_array().expect("networks") {
            let sum: f64 = shares
                .as_array()
                .expect("shares")
                .iter()
                .filter_map(serde_json::Value::as_f64)
                .sum();
            assert!((sum - 1.0).abs() < 0.06, "{shares}");
        }
    }
    Some(std::fs::read_to_string(page).expect("the page"))
}

/// Asserts that the values equal those of the run's file within 1e-3. The rows of the file
/// begin with the label.
fn check_values(found: &serde_json::Value, expected: &[Vec<f64>]) {
    let found = found.as_array().expect("rows");
    assert_eq!((found.len(), expected.len()), (100, 100));
    for (found, expected) in found.iter().zip(expected) {
        let found = found.as_array().expect("numbers");
        assert_eq!(found.len(), expected.len() - 1);
        for (found, expected) in found.iter().zip(&expected[1..]) {
            let near = (found.as_f64().expect("a number") - expected).abs() < 1e-3;
            assert!(near, "{found}, expected {expected}");
        }
    }
}
