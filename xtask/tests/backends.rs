//! Which backend is built, which device trains, and how two devices are compared. The tests
//! start xtask, and a script stands in for kindling.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::{Place, stderr, stdout};
use kindling_formats::{Backend, Layout, Precision, SMOKE_STEPS, SMOKE_TESTS, Size, Task};

#[test]
fn the_device_comes_from_the_flag_then_burn_device_then_the_first_backend() {
    let place = Place::new();
    for (words, variable, device) in [
        ("", "", Backend::Flex),
        ("--backend ndarray,flex", "", Backend::Ndarray),
        (
            "--backend flex,ndarray --device ndarray",
            "",
            Backend::Ndarray,
        ),
        ("--device ndarray", "flex", Backend::Ndarray),
        ("", "ndarray", Backend::Ndarray),
        ("--backend flex,ndarray", "ndarray", Backend::Ndarray),
    ] {
        let output = place
            .xtask(&format!("experiments --only pca {words}"))
            .env("BURN_DEVICE", variable)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        let run = match device {
            Backend::Flex => place.finished("pca", 0),
            other => place.variant(other.name()).finished("pca", 0),
        };
        let record = run.read_record().unwrap().unwrap();
        assert_eq!(record.backend, device, "{words} {variable}");
    }
}

#[test]
fn a_device_that_does_not_fit_is_refused_before_anything_is_written() {
    let place = Place::new();
    for (words, variable, expected) in [
        (
            "--backend flex --device wgpu:1",
            "",
            "needs the backend wgpu",
        ),
        ("--backend flex", "cuda", "needs the backend cuda"),
        ("--backend flux", "", "there is no backend `flux`"),
        ("--device flex:1", "", "use `flex`"),
        ("", "gpu", "BURN_DEVICE=gpu"),
        (
            "--precision mixed",
            "",
            "--precision mixed: flex computes only in full precision",
        ),
        ("--precision half", "", "use full or mixed"),
        ("--quick --smoke", "", "cannot be used with"),
        // The script has no GPU.
        ("--backend wgpu", "", "no GPU for wgpu"),
        ("--device wgpu:1", "", "no GPU for wgpu:1"),
    ] {
        let output = place
            .xtask(&format!("experiments --only pca {words}"))
            .env("BURN_DEVICE", variable)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{words}");
        assert!(stderr(&output).contains(expected), "{}", stderr(&output));
        assert!(!place.out().exists(), "{words}");
    }
    let output = place
        .xtask("experiments --only pca --backend wgpu --precision mixed")
        .env("FAKE_GPU", "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let run = place.variant("wgpu,mixed").finished("pca", 0);
    let config = run.read_config().unwrap();
    assert_eq!(config.precision, Precision::Mixed);
}

#[test]
fn a_smoke_run_of_any_cell_is_short_and_has_its_own_folder() {
    let place = Place::new();
    let output = place.xtask("experiments --smoke").output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(!place.out().join("runs").exists());
    let layout = Layout::new(&place.out(), Size::Smoke);
    let cells = std::fs::read_dir(layout.runs()).unwrap();
    let mut seen = 0;
    for cell in cells {
        let cell = cell.unwrap().file_name().into_string().unwrap();
        let config = layout.finished(&cell, 0).read_config().unwrap();
        let (data, train) = match &config.task {
            Task::Classifier(task) => (&task.data, &task.train),
            Task::Autoencoder(task) => (&task.data, &task.train),
            Task::Regression(task) => {
                assert!(task.train.iterations <= SMOKE_STEPS);
                assert!(task.data.test <= SMOKE_TESTS);
                continue;
            }
            Task::Pca(task) => {
                assert!(task.data.test.unwrap() <= SMOKE_TESTS);
                continue;
            }
            Task::Gradients(_) => continue,
        };
        assert_eq!(train.epochs, 1);
        let steps = data.train.unwrap().div_ceil(train.batch_size);
        assert!((1..=SMOKE_STEPS).contains(&steps), "{cell}: {steps} steps");
        assert!(data.test.unwrap() <= SMOKE_TESTS);
        assert!(!layout.finished(&cell, 1).path().exists());
        seen += 1;
    }
    assert!(seen > 15, "{seen} networks");
    let report = std::fs::read_to_string(layout.report().join("report.md")).unwrap();
    assert!(report.contains("Smoke runs: they only show"), "{report}");
}

#[test]
fn backends_are_listed_with_the_reason_why_one_has_no_device() {
    let place = Place::new();
    let output = xtask_without_out(&place, "backends --backend flex,wgpu");
    assert!(output.status.success(), "{}", stderr(&output));
    let printed = stdout(&output);
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines.len(), 5, "{printed}");
    assert!(lines[1].contains("212 GFlop/s"), "{printed}");
    assert!(
        lines[3].contains("no such device on this machine"),
        "{printed}"
    );
    assert!(lines[4].contains("not compiled in"), "{printed}");
}

/// Runs `xtask WORDS` without the flag `--out`.
fn xtask_without_out(place: &Place, words: &str) -> std::process::Output {
    std::process::Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(words.split_whitespace())
        .env("KINDLING_BIN", place.path("kindling"))
        .output()
        .unwrap()
}

#[test]
fn parity_reports_equal_trainings_and_the_first_step_that_differs() {
    let place = Place::new();
    let output = place
        .xtask("parity mlp ae --steps 3 --backend flex,ndarray,wgpu --dropout")
        .env("FAKE_GPU", "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let printed = stdout(&output);
    assert_eq!(printed.matches("equal").count(), 4, "{printed}");
    let asked = ["flex ndarray 3 --dropout", "flex wgpu 3 --dropout"];
    assert_eq!(place.trained(), [asked[0], asked[0], asked[1], asked[1]]);
    let steps = place.out().join("parity/mlp/flex-wgpu.csv");
    let steps = std::fs::read_to_string(steps).unwrap();
    assert_eq!(steps.lines().count(), 4, "{steps}");
    assert!(steps.contains("output.weight"), "{steps}");

    let differing = |words: &str| {
        let output = place
            .xtask(&format!("parity mlp {words}"))
            .env("FAKE_PART", "2")
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        stdout(&output)
    };
    let printed = differing("");
    let difference = "differs at step 2: the gradient of output.weight by 5.0e-1";
    assert!(printed.contains(difference), "{printed}");
    // The losses of the script differ by 1e-5.
    assert!(differing("--tolerance 1e-6").contains("differs at step 1: the loss by 1.0e-5"));
}

#[test]
fn parity_fails_if_a_training_takes_fewer_steps_than_requested() {
    let place = Place::new();
    let parity = |steps: &str, words: &str| {
        let output = place
            .xtask(&format!("parity mlp {words}"))
            .env("FAKE_STEPS", steps)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        (stdout(&output), stderr(&output))
    };
    let (printed, error) = parity("", "--steps 3");
    let expected = "mlp on flex and ndarray: kindling took no step, so nothing was compared";
    assert!(error.contains(expected), "{error}");
    assert!(!printed.contains("equal"), "{printed}");
    assert!(!place.out().join("parity/mlp/flex-ndarray.csv").exists());
    let (printed, _) = parity("1 2", "--steps 3");
    let line = printed
        .lines()
        .find(|line| line.starts_with("mlp"))
        .unwrap();
    assert!(
        line.ends_with("equal, but the training ended after 2 of 3 steps"),
        "{printed}"
    );
    // Without the flag --steps, 50 steps are compared.
    let (printed, _) = parity("1", "");
    assert!(printed.contains("1 of 50 steps"), "{printed}");
}

#[test]
fn parity_and_converge_refuse_what_they_cannot_compare() {
    let place = Place::new();
    for (words, expected) in [
        ("parity --backend flex", "name two backends or more"),
        ("parity --backend flex,flex", "name two backends or more"),
        ("parity pca", "has no training steps"),
        ("parity mpl", "did you mean `mlp`?"),
        ("parity --tolerance=-1", "--tolerance -1"),
        ("parity --tolerance NaN", "--tolerance NaN"),
        ("parity mlp --backend flex,wgpu", "no GPU for wgpu"),
        ("converge ae", "has no accuracy"),
        ("converge --backend ndarray", "name two backends or more"),
        ("converge mlp --set data.train=0", "data.train"),
    ] {
        let output = place.xtask(words).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{words}");
        assert!(stderr(&output).contains(expected), "{}", stderr(&output));
        assert!(!place.out().exists(), "{words}");
    }
    let output = place
        .xtask("parity mlp")
        .env("FAKE_FAIL", "1")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let printed = stderr(&output);
    assert!(
        printed.contains("mlp on flex and ndarray: out of memory"),
        "{printed}"
    );
}

#[test]
fn converge_compares_the_accuracy_of_each_backend() {
    let place = Place::new();
    let output = place.xtask("converge mlp --seeds 2").output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(place.trained(), ["mlp 0", "mlp 0", "mlp 1", "mlp 1"]);
    let printed = stdout(&output);
    assert!(!printed.contains("differs"), "{printed}");
    let output = place
        .xtask("converge mlp --seeds 2")
        .env("FAKE_WORSE", "ndarray")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let printed = stdout(&output);
    let line = printed
        .lines()
        .find(|line| line.contains("ndarray"))
        .unwrap();
    assert!(
        line.contains("-0.0200") && line.ends_with("differs"),
        "{printed}"
    );
}
