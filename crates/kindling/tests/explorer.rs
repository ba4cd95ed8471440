//! The report's page in a browser: its networks give Burn's logits, and its figures
//! and its explorer work. Without a browser the test says so and passes.

mod common;

use std::path::Path;
use std::process::Command;

use burn_dataset::Dataset;
use common::{train_successfully, write_config, write_images};
use kindling_formats::{ImageData, Layout, Size, Study, Tree, Variant, read_numbers};

const STUDY: &str = "title = \"A <small> study\"\nseeds = 1\n\
     [[section]]\nid = \"1\"\ntitle = \"Networks\"\n[quick]\nseeds = 1\n\
     [figures.explorer]\nclassifiers = [\"mlp\", \"convnet\"]\nplanes = [\"ae\", \"pca\"]\n";

/// What stands behind the page and looks at it. The pages answer in a `<pre>`.
const PROBE: &str = include_str!("probe.html");

/// The answer of the page at `width` pixels.
fn ask(browser: &Path, page: &Path, profile: &Path, width: u32) -> serde_json::Value {
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

/// Trains a cell with seed 1, and puts it into the study of `configs`.
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
fn the_page_computes_what_burn_computes_and_answers_drags_and_strokes() {
    let Some(browser) = kindling_testing::browser() else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let images = write_images(&folder.path().join("images"), 300, 100);
    let layout = Layout::new(&folder.path().join("out"), Size::Full);
    let configs = folder.path().join("configs");
    std::fs::create_dir(&configs).expect("a folder");
    let classifier = |network: &str| {
        format!(
            "[data]\ndir = {images:?}\n[model]\n{network}\n[train]\nepochs = 2\nbatch_size = 32\n\
             optimizer.sgd = {{ learning_rate = 0.05, momentum = 0.9 }}"
        )
    };
    let dense = classifier("hidden = [96, 32]\ndropout = 0.0");
    let conv = "hidden = []\ndropout = 0.0\nconv = { blocks = [[4], [8, 6]], kernel = 3 }";
    train(&layout, &configs, "mlp", "classifier", &dense);
    train(
        &layout,
        &configs,
        "convnet",
        "classifier",
        &classifier(conv),
    );
    let autoencoder = format!(
        "[data]\ndir = {images:?}\n[model]\nhidden = [32]\ncode = 2\nactivation = \"relu\"\n\
         code_activation = \"none\"\noutput = \"sigmoid\"\n[train]\nepochs = 3\n\
         batch_size = 32\noptimizer.adam = {{ learning_rate = 0.003 }}\n[scatter]\nimages = 100"
    );
    train(&layout, &configs, "ae", "autoencoder", &autoencoder);
    let pca = format!("[data]\ndir = {images:?}\n[model]\ncomponents = 2\n[scatter]\nimages = 100");
    train(&layout, &configs, "pca", "pca", &pca);

    std::fs::write(configs.join("study.toml"), STUDY).expect("writes");
    let study = Study::read(&configs).expect("a study");
    let runs = kindling_report::read(&study, &layout);
    let page = kindling_report::write(&study, &layout, runs).expect("a report");

    let data = ImageData {
        dir: Some(images.clone()),
        train: None,
        test: None,
    };
    let test = kindling_datasets::load_images(&data).expect("images").test;
    let pixels: Vec<&[u8]> = (0..test.len()).map(|index| test.pixels(index)).collect();
    let pixels = serde_json::to_string(&pixels).expect("JSON");
    let mut text = std::fs::read_to_string(&page).expect("a page");
    let probe = PROBE.replace("IMAGES", &pixels);
    text = text.replace("</body>", &format!("{probe}</body>"));
    let probed = page.with_file_name("probed.html");
    std::fs::write(&probed, text).expect("writes");

    for width in [1280, 390] {
        let answer = ask(&browser, &probed, &folder.path().join("profile"), width);
        assert_eq!(answer["faults"], serde_json::json!([]), "{width}");
        assert_eq!(
            answer["hidden"], 0,
            "of {} figures at {width}",
            answer["figures"]
        );
        assert!(answer["figures"].as_u64() > Some(8));
        assert_eq!(answer["overflow"], 0, "{width}");
        for cell in ["mlp", "convnet"] {
            let (_, rows) =
                read_numbers(&layout.finished(cell, 1).file("logits.csv")).expect("logits");
            check(&answer["logits"][cell], &rows);
        }
        for (index, cell) in ["ae", "pca"].into_iter().enumerate() {
            let (_, rows) =
                read_numbers(&layout.finished(cell, 1).file("codes.csv")).expect("codes");
            check(&answer["codes"][index], &rows);
        }
        for (before, after) in [("before", "dragged"), ("dragged", "drawn")] {
            assert_ne!(
                answer[before][0], answer[after][0],
                "{width}: {after}, the code"
            );
            assert_ne!(
                answer[before][1], answer[after][1],
                "{width}: {after}, the image"
            );
        }
        for shares in answer["shares"].as_array().expect("networks") {
            let sum: f64 = shares
                .as_array()
                .expect("shares")
                .iter()
                .filter_map(serde_json::Value::as_f64)
                .sum();
            assert!((sum - 1.0).abs() < 0.06, "{shares}");
        }
    }
}

/// All numbers of rows that begin with a label, within 1e-3.
fn check(found: &serde_json::Value, expected: &[Vec<f64>]) {
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
