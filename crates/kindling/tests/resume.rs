//! A training that was killed is resumed, and its results equal those of a training that was
//! not interrupted.

mod common;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use common::{kindling, train, train_successfully, write_config, write_images};
use kindling_formats::{Checkpoint, RunDir};

/// The number of epochs of every training in this file.
const EPOCHS: usize = 5;

fn config(folder: &Path, family: &str, images: &Path) -> RunDir {
    let (model, optimizer, tail) = match family {
        "classifier" => (
            "hidden = [64]\ndropout = 0.5\nconv = { blocks = [[4]], kernel = 3 }",
            "sgd = { learning_rate = 0.05, momentum = 0.9, nesterov = true, weight_decay = 1e-4 }",
            "",
        ),
        _ => (
            "hidden = [64]\ncode = 2\nactivation = \"relu\"\ncode_activation = \"none\"\n\
             output = \"sigmoid\"",
            // The rate differs in every step.
            "adamw = { learning_rate = 0.002, beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-7, \
             weight_decay = 0.01 }\nclip = 0.01\nschedule.cosine = { warmup = 0.3, end = 0.0 }",
            "[scatter]\nimages = 10",
        ),
    };
    let task = format!(
        "[data]\ndir = {images:?}\n[model]\n{model}\n[train]\nepochs = {EPOCHS}\n\
         batch_size = 50\noptimizer.{optimizer}\n{tail}"
    );
    write_config(folder, family, &task)
}

/// Starts the training, and kills it as soon as the checkpoint of `epoch` exists.
fn train_and_kill_after(dir: &RunDir, epoch: usize) {
    let checkpoint = dir.checkpoints().join(format!("{epoch}.ckpt"));
    let mut child = kindling()
        .arg("train")
        .arg(dir.path())
        .stdout(Stdio::null())
        .spawn()
        .expect("kindling starts");
    let start = Instant::now();
    while !checkpoint.exists() && start.elapsed() < Duration::from_secs(60) {
        assert!(child.try_wait().expect("a child").is_none(), "too fast");
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().expect("killed");
    child.wait().expect("ended");
    assert!(!dir.record().exists(), "it was killed before its end");
}

/// The checkpoints of a run, the oldest first.
fn checkpoints(dir: &RunDir) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir.checkpoints()).expect("checkpoints");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a file").path()).collect();
    paths.sort();
    paths
}

/// The content of the files that must be equal bit for bit.
fn results(dir: &RunDir) -> Vec<Vec<u8>> {
    let files = [dir.history(), dir.weights(), dir.model()];
    let read = |path: PathBuf| std::fs::read(&path).expect("a result");
    files.map(read).into()
}

fn edit(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = std::fs::read(path).expect("reads");
    change(&mut bytes);
    std::fs::write(path, bytes).expect("writes");
}

#[test]
fn a_killed_training_ends_with_the_same_results() {
    let folder = tempfile::tempdir().expect("a folder");
    let images = write_images(&folder.path().join("images"), 3000, 300);
    for family in ["classifier", "autoencoder"] {
        let whole = config(&folder.path().join(family), family, &images);
        let record = train_successfully(&whole);
        assert!(
            !whole.checkpoints().exists(),
            "a finished run keeps no checkpoints"
        );
        let again = config(&folder.path().join(format!("{family}-2")), family, &images);
        for epoch in [1, 3] {
            train_and_kill_after(&again, epoch);
            let newest = checkpoints(&again).pop().expect("a checkpoint");
            let bytes = std::fs::read(newest).expect("reads");
            let checkpoint = Checkpoint::from_bytes(&bytes).expect("whole");
            assert!(checkpoint.state.epoch >= epoch);
            // The last two checkpoints are kept. There is a third if the training was killed
            // before it removed the oldest.
            assert!(checkpoints(&again).len() <= 3);
        }
        let output = train(&again);
        assert!(output.status.success());
        let printed = String::from_utf8_lossy(&output.stdout);
        assert!(printed.contains("resuming after epoch"), "{printed}");
        assert!(results(&whole) == results(&again), "{family} differs");
        let resumed = again.read_record().expect("readable").expect("a record");
        assert_eq!(resumed.test_loss, record.test_loss);
        assert_eq!(resumed.metrics, record.metrics);
    }
}

/// Copies the config and the checkpoints of a run.
fn copy_run(from: &RunDir, to: &Path) -> RunDir {
    let to = RunDir::new(to);
    std::fs::create_dir_all(to.checkpoints()).expect("a folder");
    std::fs::copy(from.config(), to.config()).expect("copies");
    for path in checkpoints(from) {
        let name = path.file_name().expect("a name");
        std::fs::copy(&path, to.checkpoints().join(name)).expect("copies");
    }
    to
}

#[test]
fn a_damaged_checkpoint_is_named_and_the_previous_one_is_used() {
    let folder = tempfile::tempdir().expect("a folder");
    let images = write_images(&folder.path().join("images"), 3000, 300);
    let whole = config(&folder.path().join("whole"), "classifier", &images);
    train_successfully(&whole);
    let killed = config(&folder.path().join("killed"), "classifier", &images);
    train_and_kill_after(&killed, 3);
    // Cases 0 to 19 damage every checkpoint but the oldest, each in a different way. Case 20
    // damages all checkpoints.
    for number in 0..=20 {
        let dir = copy_run(&killed, &folder.path().join(number.to_string()));
        let paths = checkpoints(&dir);
        let spared = usize::from(number < 20);
        for path in &paths[spared..] {
            edit(path, |bytes| {
                let at = (bytes.len() - 1) * number / 20;
                match number % 2 {
                    0 => bytes.truncate(at),
                    _ => bytes[at] ^= 1 << (number % 8),
                }
            });
        }
        let output = train(&dir);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
        for path in &paths[spared..] {
            let named = format!("warning: {}: ", path.display());
            assert!(errors.contains(&named), "{errors}");
        }
        let is_resumed = String::from_utf8_lossy(&output.stdout).contains("resuming after epoch");
        assert_eq!(is_resumed, spared == 1);
        assert!(results(&whole) == results(&dir), "differs");
    }
}

#[test]
fn a_checkpoint_of_another_config_is_not_resumed() {
    let folder = tempfile::tempdir().expect("a folder");
    let images = write_images(&folder.path().join("images"), 3000, 300);
    let dir = config(&folder.path().join("run"), "classifier", &images);
    train_and_kill_after(&dir, 2);
    let text = std::fs::read_to_string(dir.config()).expect("a config");
    let changed = text.replace("dropout = 0.5", "dropout = 0.4");
    std::fs::write(dir.config(), &changed).expect("writes");
    let output = train(&dir);
    assert!(output.status.success());
    assert!(!String::from_utf8_lossy(&output.stdout).contains("resuming"));
    let fresh = RunDir::new(folder.path().join("fresh"));
    std::fs::create_dir_all(fresh.path()).expect("a folder");
    std::fs::write(fresh.config(), &changed).expect("writes");
    train_successfully(&fresh);
    assert!(results(&fresh) == results(&dir), "differs");
}
