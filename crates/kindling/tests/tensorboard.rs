//! What a run writes for TensorBoard, read by TensorBoard's own Python package. Without the
//! package, the first test is skipped.

mod common;

use std::path::Path;

use common::{kindling, train_successfully, write_config, write_images};
use kindling_formats::{History, HistoryRow, RunDir};
use serde_json::Value;

/// Prints the scalars, the hyper-parameters and the points of the projector as JSON.
const READ: &str = r#"
import json, sys
from google.protobuf import text_format
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import metadata
from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig

folder = sys.argv[1]
events = EventAccumulator(folder, size_guidance={"scalars": 0})
events.Reload()
result = {"scalars": {}, "hparams": {}, "points": [], "labels": []}
for tag in events.Tags()["scalars"]:
    result["scalars"][tag] = [[e.step, e.value] for e in events.Scalars(tag)]
for tag, content in events.PluginTagToContent("hparams").items():
    start = metadata.parse_session_start_info_plugin_data(content)
    result["group"] = start.group_name
    for key, value in start.hparams.items():
        result["hparams"][key] = getattr(value, value.WhichOneof("kind"))
try:
    config = open(folder + "/projector_config.pbtxt").read()
    embedding = text_format.Parse(config, ProjectorConfig()).embeddings[0]
    lines = open(folder + "/" + embedding.tensor_path).read().splitlines()
    result["points"] = [[float(x) for x in line.split("\t")] for line in lines]
    result["labels"] = open(folder + "/" + embedding.metadata_path).read().splitlines()
except FileNotFoundError:
    pass
print(json.dumps(result))
"#;

/// Reads the events of a run; `None` if the test is skipped.
fn read(run: &RunDir) -> Option<Value> {
    let mut command = kindling_testing::python("tensorboard")?;
    let output = command.args(["-c", READ]).arg(run.tensorboard());
    let output = output.output().expect("Python starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    Some(serde_json::from_slice(&output.stdout).expect("JSON"))
}

/// The steps and values of the scalar `tag`.
fn scalars(events: &Value, tag: &str) -> Vec<(u64, f32)> {
    let scalars = events["scalars"][tag].as_array().expect("scalars").iter();
    let pair = |pair: &Value| Some((pair[0].as_u64()?, pair[1].as_f64()? as f32));
    scalars
        .map(|scalar| pair(scalar).expect("a step and a value"))
        .collect()
}

fn autoencoder(dir: &Path, images: &Path) -> RunDir {
    let task = format!(
        "[data]\ndir = {images:?}\n[model]\nhidden = [16]\ncode = 2\nactivation = \"relu\"\n\
         code_activation = \"none\"\noutput = \"sigmoid\"\n[train]\nepochs = 3\n\
         batch_size = 50\noptimizer.adam = {{ learning_rate = 0.002, beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-7 }}\n[scatter]\nimages = 40"
    );
    write_config(dir, "autoencoder", &task)
}

#[test]
fn tensorboard_reads_the_history_the_config_and_the_codes() {
    let folder = tempfile::tempdir().expect("a folder");
    let images = write_images(&folder.path().join("images"), 300, 60);
    let run = autoencoder(&folder.path().join("run"), &images);
    train_successfully(&run);
    let history = History::read(&run.history()).expect("a history").rows;
    let Some(events) = read(&run) else { return };
    for (tag, figure) in [
        (
            "loss/train",
            (|row| row.train_loss) as fn(&HistoryRow) -> f64,
        ),
        ("loss/test", |row| row.evaluated_loss),
        ("learning_rate", |row| row.learning_rate),
    ] {
        let rows = history.iter();
        let expected: Vec<(u64, f32)> = rows
            .map(|row| (row.epoch as u64, figure(row) as f32))
            .collect();
        assert_eq!(scalars(&events, tag), expected, "{tag}");
    }
    assert!(events["scalars"].get("accuracy/test").is_none());
    assert_eq!(events["group"], "test");
    assert_eq!(
        events["hparams"]["train.optimizer.adam.learning_rate"],
        0.002
    );
    assert_eq!(events["hparams"]["model.activation"], "relu");
    assert_eq!(events["hparams"]["seed"], 1.0);
    assert_eq!(events["points"].as_array().map(Vec::len), Some(40));
    assert_eq!(events["labels"].as_array().map(Vec::len), Some(40));

    // A run of the toy functions writes its events at the end.
    let task = "[data]\nfunction = \"y1\"\ntrain = 50\ntest = 20\nx_range = 1.0\nw_range = 1.0\n\
                noise = 0.01\n[model]\nkind = \"linear\"\n[train]\niterations = 30\nl2 = 0.0\n\
                optimizer.sgd = { learning_rate = 0.01, momentum = 0.0, nesterov = false, weight_decay = 0.0 }";
    let toy = write_config(&folder.path().join("toy"), "regression", task);
    train_successfully(&toy);
    let events = read(&toy).expect("Python");
    assert_eq!(scalars(&events, "loss/test").len(), 30);

    // A trial has no figures of test rows.
    let task = task.replace("test = 20", "test = 20\nvalidation = 10");
    let trial = write_config(&folder.path().join("trial"), "regression", &task);
    train_successfully(&trial);
    let events = read(&trial).expect("Python");
    assert_eq!(scalars(&events, "loss/validation").len(), 30);
    assert!(events["scalars"].get("loss/test").is_none());
}

#[test]
fn no_tensorboard_writes_no_events() {
    let folder = tempfile::tempdir().expect("a folder");
    let images = write_images(&folder.path().join("images"), 300, 60);
    let run = autoencoder(&folder.path().join("run"), &images);
    let output = kindling()
        .args(["train", "--no-tensorboard"])
        .arg(run.path())
        .output()
        .expect("kindling starts");
    assert!(output.status.success());
    assert!(run.record().exists() && !run.tensorboard().exists());
}
