//! Trains matrices with the real kindling: results do not depend on --jobs, recorded runs are not
//! trained twice, and errors in data and trainings are reported.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use std::path::Path;
use std::process::{Command, Output};

use common::{other_data, study_without_figures};
use kindling_formats::{Layout, RunStatus, Size};

/// Cells of each family, with both dense and convolutional networks.
const CELLS: [&str; 6] = [
    "gradients",
    "convnet-y1",
    "mlp-10",
    "dropout-0.3",
    "ae-conv",
    "pca",
];

/// Trains quick runs of `cells` with the output folder `out`.
fn quick(out: &Path, cells: &[&str], more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(["experiments", "--quick", "--out"]).arg(out);
    for cell in cells {
        command.args(["--only", cell]);
    }
    command.args(more).output().unwrap()
}

fn printed(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

fn check_success(output: Output) -> String {
    let printed = printed(&output);
    assert_eq!(output.status.code(), Some(0), "{printed}");
    printed
}

#[test]
fn equal_runs_give_equal_bytes_with_any_number_of_jobs() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    check_success(quick(&one, &CELLS, &["--jobs", "1"]));
    check_success(quick(&two, &CELLS, &["--jobs", "3"]));
    let file = |out: &Path, cell: &str, name: &str| {
        std::fs::read(Layout::new(out, Size::Quick).finished(cell, 0).file(name)).unwrap()
    };
    for (cell, name) in [
        ("convnet-y1", "history.csv"),
        ("mlp-10", "history.csv"),
        ("dropout-0.3", "history.csv"),
        ("ae-conv", "history.csv"),
        ("gradients", "line.csv"),
        ("pca", "components.csv"),
        ("pca", "codes.csv"),
    ] {
        assert_eq!(file(&one, cell, name), file(&two, cell, name), "{cell}");
    }

    // Recorded runs are not trained again. A changed key trains the cell again.
    let again = check_success(quick(&one, &CELLS, &[]));
    assert!(
        again.contains("6 runs: 6 recorded already, 0 to train"),
        "{again}"
    );
    let changed = check_success(quick(&one, &["mlp-10"], &["--set", "batch_size=100"]));
    assert!(
        changed.contains("0 recorded already, 1 to train"),
        "{changed}"
    );

    // Quick results have their own folder.
    assert!(!one.join("runs").exists());
    let results = std::fs::read_to_string(Layout::new(&one, Size::Quick).results()).unwrap();
    assert_eq!(results.lines().count(), 1 + CELLS.len());
    assert!(results.starts_with(
        "section,cell,family,backend,seed,epochs,parameters,train_loss,test_loss,\
         train_accuracy,test_accuracy,seconds,status\n"
    ));
}

#[test]
fn a_diverging_run_is_named_and_the_others_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let output = quick(&out, &["mlp-10", "linear-y1"], &["--set", "train.epochs=0"]);
    assert_eq!(output.status.code(), Some(2)); // linear-y1 has no epochs
    assert!(!out.exists());

    let configs = folder.path().join("configs");
    std::fs::create_dir(&configs).unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs");
    let copy = |from: &str, to: &str, change: (&str, &str)| {
        let text = std::fs::read_to_string(source.join(from)).unwrap();
        assert!(text.contains(change.0));
        std::fs::write(configs.join(to), text.replace(change.0, change.1)).unwrap();
    };
    std::fs::write(configs.join("study.toml"), study_without_figures()).unwrap();
    copy("2.5-classifiers/20-mlp-10.toml", "a.toml", ("", ""));
    copy(
        "2.5-classifiers/20-mlp-10.toml",
        "b.toml",
        ("\"mlp-10\"", "\"wild\""),
    );
    let wild = configs.join("b.toml");
    let text = std::fs::read_to_string(&wild).unwrap();
    std::fs::write(
        &wild,
        text.replace("learning_rate = 0.02", "learning_rate = 1e30"),
    )
    .unwrap();
    let output = quick(&out, &[], &["--configs", configs.to_str().unwrap()]);
    let printed = printed(&output);
    assert_eq!(output.status.code(), Some(1), "{printed}");
    assert!(
        printed.contains("1 run failed:\n  wild 0: the loss became NaN in epoch 1, batch"),
        "{printed}"
    );
    let layout = Layout::new(&out, Size::Quick);
    let failed = layout.partial("wild", 0);
    assert_eq!(
        failed.read_record().unwrap().unwrap().status,
        RunStatus::Diverged
    );
    let stderr = std::fs::read_to_string(failed.stderr()).unwrap();
    assert!(
        stderr.contains("a smaller learning rate may help"),
        "{stderr}"
    );
    let other = layout.finished("mlp-10", 0).read_record().unwrap().unwrap();
    assert_eq!(other.status, RunStatus::Complete);
}

#[test]
fn other_data_runs_the_study_and_its_class_names_reach_the_report() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (folder.path().join("data"), folder.path().join("out"));
    let names: Vec<String> = (0..10).map(|class| format!("<class {class}>")).collect();
    other_data(&data);
    std::fs::write(data.join("labels.txt"), names.join("\n")).unwrap();
    let all = |more: &[&str]| {
        quick(
            &out,
            &[],
            &[&["--data", data.to_str().unwrap()], more].concat(),
        )
    };
    let printed = check_success(all(&["--jobs", "2"]));
    assert!(printed.contains("0 recorded already"), "{printed}");
    let layout = Layout::new(&out, Size::Quick);
    let variants = layout.variants();
    assert!(variants[0].starts_with("data-"), "{variants:?}");
    let layout = layout.variant(&variants[0]);
    for (figure, name) in [
        ("2.5-mlp-10-confusion", "&#60;class 3&#62;</text>"),
        ("2.6-pca-codes", "&lt;class 3&gt;"),
        ("2.5-mlp-10-mistakes", "&#62; for &#60;class"),
    ] {
        let svg = std::fs::read_to_string(layout.figures().join(format!("{figure}.svg"))).unwrap();
        assert!(svg.contains(name), "{figure}");
    }
    // With other class names, the data counts as other data.
    std::fs::write(data.join("labels.txt"), names.join("!\n")).unwrap();
    let printed = check_success(quick(&out, &["pca"], &["--data", data.to_str().unwrap()]));
    assert!(printed.contains("1 to train"), "{printed}");
    // A file with too few names, or without names, is refused.
    for (names, words) in [
        ("one\ntwo\n", "is no class: there are 2 classes"),
        ("", "labels.txt: each line must be the name of a class"),
    ] {
        std::fs::write(data.join("labels.txt"), names).unwrap();
        let output = all(&[]);
        assert_eq!(output.status.code(), Some(2));
        assert!(self::printed(&output).contains(words), "{words}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_matrix_that_is_killed_many_times_ends_as_an_undisturbed_one() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    let printed = check_success(command.args(["chaos", "--kills", "4"]).output().unwrap());
    assert!(
        printed.contains("20 runs equal to the last bit"),
        "{printed}"
    );
}
