//! Two trainings with the same seed write the same bytes, for any number of threads.

mod common;

use common::{kindling, write_config, write_images};
use kindling_formats::RunDir;

/// Trains with this number of threads, and returns `history.csv`.
fn history(dir: &RunDir, threads: &str) -> String {
    let output = kindling()
        .env("RAYON_NUM_THREADS", threads)
        .env("MATMUL_NUM_THREADS", threads)
        .arg("train")
        .arg(dir.path())
        .output()
        .expect("kindling starts");
    assert!(output.status.success());
    std::fs::read_to_string(dir.history()).expect("a history")
}

#[test]
fn a_history_depends_on_the_seed_and_not_on_the_number_of_threads() {
    let folder = tempfile::tempdir().expect("a folder");
    let images = write_images(&folder.path().join("images"), 600, 300);
    let networks = [
        ("classifier", "hidden = [96, 32]\ndropout = 0.5", ""),
        (
            "classifier",
            "hidden = []\ndropout = 0.0\nconv = { blocks = [[6], [8]], kernel = 3 }",
            "",
        ),
        (
            "autoencoder",
            "hidden = [64]\ncode = 2\nactivation = \"relu\"\ncode_activation = \"none\"\n\
             output = \"sigmoid\"\nconv = { channels = [3] }",
            "[scatter]\nimages = 10",
        ),
    ];
    for (index, (family, network, tail)) in networks.iter().enumerate() {
        let run = |name: &str, seed: &str, threads: &str| {
            let task = format!(
                "[data]\ndir = {images:?}\n[model]\n{network}\n[train]\nepochs = 2\n\
                 batch_size = 128\nclip = 0.05\noptimizer.adam = {{ learning_rate = 0.002, \
                 beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-7 }}\n{tail}"
            );
            let dir = folder.path().join(format!("{index}-{name}"));
            let dir = write_config(&dir, family, &task);
            let config = std::fs::read_to_string(dir.config()).expect("a config");
            std::fs::write(dir.config(), config.replace("seed = 1", seed)).expect("writes");
            history(&dir, threads)
        };
        let one = run("one", "seed = 1", "1");
        assert_eq!(
            one,
            run("again", "seed = 1", "1"),
            "{family}: the same again"
        );
        assert_eq!(one, run("two", "seed = 1", "2"), "{family}: two threads");
        assert_eq!(
            one,
            run("three", "seed = 1", "3"),
            "{family}: three threads"
        );
        assert_ne!(one, run("other", "seed = 2", "1"), "{family}: another seed");
    }
}
