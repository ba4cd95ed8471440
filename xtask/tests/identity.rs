//! A record counts for a run of the study only if its config and data are those of the study
//! now. A variant never replaces a result of the study.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use std::path::Path;
use std::process::{Output, Stdio};

use common::{Place, configs, copy, stderr, stdout, study_without_figures, wait_until};
use kindling_formats::{Layout, Size, Variant};

/// Checks that a command succeeded, and returns its output.
fn check_success(output: Output) -> String {
    assert!(output.status.success(), "{}", stderr(&output));
    stdout(&output) + &stderr(&output)
}

/// Writes a study of a few cells, which include pca and linear-y0. Returns a function that runs
/// xtask on this study.
fn study(place: &Place) -> impl Fn(&str) -> Output {
    let folder = place.path("study/configs");
    std::fs::create_dir_all(&folder).unwrap();
    for (from, to) in [
        ("2.6-autoencoder/60-pca.toml", "pca.toml"),
        ("2.4-regression/10-linear.toml", "linear.toml"),
    ] {
        std::fs::copy(configs().join(from), folder.join(to)).unwrap();
    }
    std::fs::write(folder.join("study.toml"), study_without_figures()).unwrap();
    let claim = "[[claim]]\nid = \"small\"\nsection = \"2.6\"\nsays = \"s\"\n\
                 left = { cells = [\"pca\"], of = \"test_loss\" }\nat_most = 0.15\n";
    std::fs::write(folder.join("claims.toml"), claim).unwrap();
    move |words: &str| {
        let mut command = place.xtask(words);
        command.arg("--configs").arg(&folder).output().unwrap()
    }
}

/// Changes the file of a cell.
fn edit(place: &Place, file: &str, from: &str, to: &str) {
    let path = place.path("study/configs").join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{text}");
    std::fs::write(path, text.replace(from, to)).unwrap();
}

fn results(layout: &Layout) -> String {
    std::fs::read_to_string(layout.results()).unwrap()
}

#[test]
fn a_variant_does_not_change_the_results_of_the_study() {
    let place = Place::new();
    let xtask = study(&place);
    check_success(xtask("experiments"));
    let own = Layout::new(&place.out(), Size::Full);
    let before = (
        place.record("linear-y0", 0),
        results(&own),
        check_success(xtask("claims")),
    );
    place.trained();
    for (words, variant) in [
        (
            "--cell linear-y0 --set train.iterations=5",
            "train.iterations=5",
        ),
        ("--backend ndarray", "ndarray"),
        (
            "--cell pca --set components=3 --backend ndarray",
            "ndarray,components=3",
        ),
    ] {
        let printed = check_success(xtask(&format!("experiments {words}")));
        assert!(
            printed.contains(&format!("--variant {variant} shows")),
            "{printed}"
        );
        assert!(!place.trained().is_empty(), "{words}");
        // The results of the variant and of the study are kept.
        check_success(xtask(&format!("experiments {words}")));
        assert!(place.trained().is_empty(), "{words}");
        check_success(xtask("report"));
        let after = (
            place.record("linear-y0", 0),
            results(&own),
            check_success(xtask("claims")),
        );
        assert_eq!(after, before, "{words}");
        let there = results(&place.variant(variant));
        assert!(there.contains(",complete"), "{there}");
        for command in ["report", "claims", "watch --once"] {
            check_success(xtask(&format!("{command} --variant {variant}")));
        }
    }
    check_success(xtask("experiments"));
    assert!(place.trained().is_empty());
    let missing = xtask("report --variant wgpu");
    assert_eq!(missing.status.code(), Some(2));
    let printed = stderr(&missing);
    assert!(
        printed.contains("--variant wgpu: there is no such variant"),
        "{printed}"
    );
    assert!(
        printed.contains("ndarray, ndarray,components=3, train.iterations=5"),
        "{printed}"
    );
}

#[test]
fn a_setting_that_changes_nothing_makes_no_variant() {
    let place = Place::new();
    let xtask = study(&place);
    check_success(xtask("experiments --cell pca"));
    place.trained();
    for words in [
        "--set components=2",
        "--backend flex",
        "--backend flex,ndarray --device flex",
    ] {
        check_success(xtask(&format!("experiments --cell pca {words}")));
        assert!(place.trained().is_empty(), "{words}");
    }
    assert!(!place.out().join("variants").exists());
}

#[test]
fn data_is_identified_by_its_content_not_by_its_folder() {
    let place = Place::new();
    let xtask = study(&place);
    let data = place.path("data");
    let write = |content: &str| {
        std::fs::create_dir_all(&data).unwrap();
        std::fs::write(data.join("content"), content).unwrap();
    };
    write("others");
    let path = data.display().to_string();
    let link = place.path("link");
    std::os::unix::fs::symlink(&data, &link).unwrap();
    std::fs::create_dir(place.path("a")).unwrap();
    let train = |flag: &str| {
        check_success(xtask(&format!("experiments --cell pca {flag}")));
        place.trained()
    };
    assert_eq!(train(&format!("--data {path}")), ["pca 0"]);
    let moved = place.path("moved");
    for dir in [
        format!("--data {path}/"),
        format!("--data {}", place.path("a/../data").display()),
        format!("--data {}", link.display()),
        format!("--set data.dir={path}"),
    ] {
        assert_eq!(train(&dir), [""; 0], "{dir}");
    }
    std::fs::rename(&data, &moved).unwrap();
    assert_eq!(train(&format!("--data {}", moved.display())), [""; 0]);
    std::fs::rename(&moved, &data).unwrap();
    write("new");
    assert_eq!(train(&format!("--data {path}")), ["pca 0"]);
    // If the images are those of the study, the run belongs to the study.
    write("fake");
    assert_eq!(train(&format!("--data {path}")), ["pca 0"]);
    assert_eq!(train(""), [""; 0]);
    let names = Layout::new(&place.out(), Size::Full).variants();
    assert_eq!(names, ["data-new", "data-others"]);
    // With both flags, a relative path starts in the current folder.
    write("others");
    for words in ["--data in/plain", "--set data.dir=in/plain"] {
        let mut command = place.xtask(&format!("experiments --cell pca {words}"));
        std::fs::create_dir_all(place.path("here/in")).unwrap();
        let at = place.path("here/in/plain");
        if !at.exists() {
            std::os::unix::fs::symlink(&data, &at).unwrap();
        }
        let output = command.current_dir(place.path("here")).output().unwrap();
        assert!(output.status.success(), "{words}: {}", stderr(&output));
        let run = place.variant("data-others").finished("pca", 0);
        let dir = run.read_config().unwrap().images().unwrap().dir.clone();
        assert!(dir.unwrap().is_absolute(), "{words}");
    }
    let twice = xtask(&format!("experiments --data {path} --set data.dir={path}"));
    assert_eq!(twice.status.code(), Some(2));
    assert!(
        stderr(&twice).contains("give only one of them"),
        "{}",
        stderr(&twice)
    );
}

#[test]
fn results_of_an_edited_config_are_left_out_but_kept() {
    let place = Place::new();
    let xtask = study(&place);
    check_success(xtask("experiments"));
    let first = place.record("pca", 0);
    place.trained();
    edit(&place, "pca.toml", "components = 2", "components = 3");
    // Results of another config are not used to judge claims.
    let printed = check_success(xtask("claims"));
    assert!(printed.contains("undecided  small"), "{printed}");
    assert!(printed.contains("no finished run of pca"), "{printed}");
    let why = "seed-0: model.components was 2, and the study says 3";
    assert!(printed.contains(why), "{printed}");
    let printed = check_success(xtask("report"));
    assert!(printed.contains(why), "{printed}");
    let layout = Layout::new(&place.out(), Size::Full);
    assert!(!results(&layout).contains("pca"), "{}", results(&layout));
    let report = std::fs::read_to_string(layout.report().join("report.md")).unwrap();
    assert!(report.contains(why), "{report}");
    let publish = xtask("report --publish");
    assert_eq!(publish.status.code(), Some(1));
    assert!(stderr(&publish).contains(why), "{}", stderr(&publish));
    // The old result is set aside, and comes back with the old config.
    check_success(xtask("experiments"));
    assert_eq!(place.trained(), ["pca 0"]);
    assert_ne!(place.record("pca", 0).config_hash, first.config_hash);
    assert!(results(&layout).contains("pca"));
    edit(&place, "pca.toml", "components = 3", "components = 2");
    check_success(xtask("experiments"));
    assert_eq!(place.trained(), [""; 0]);
    assert_eq!(place.record("pca", 0), first);
    // The result of the other config was kept too.
    edit(&place, "pca.toml", "components = 2", "components = 3");
    check_success(xtask("experiments"));
    assert_eq!(place.trained(), [""; 0]);
    // The section does not change a training. The report takes it from the study.
    edit(&place, "pca.toml", "section = \"2.6\"", "section = \"2.5\"");
    check_success(xtask("experiments"));
    assert_eq!(place.trained(), [""; 0]);
    assert!(
        results(&layout).contains("\n2.5,pca,"),
        "{}",
        results(&layout)
    );
}

#[test]
fn a_stopped_run_continues_when_its_config_comes_back() {
    let place = Place::new();
    let xtask = study(&place);
    // A stopped training has left its config and a checkpoint.
    let stopped = place.partial("pca", 0);
    let begun = || {
        let words = "experiments --list --json --cell pca";
        let listed: serde_json::Value = serde_json::from_str(&stdout(&xtask(words))).unwrap();
        std::fs::create_dir_all(stopped.checkpoints()).unwrap();
        std::fs::write(stopped.checkpoints().join("epoch-3.ckpt"), "x").unwrap();
        std::fs::write(stopped.config(), listed[0]["config"].as_str().unwrap()).unwrap();
    };
    begun();
    edit(&place, "pca.toml", "components = 2", "components = 3");
    let printed = check_success(xtask("experiments --cell pca"));
    assert!(
        printed.contains("1 run stopped before with another config"),
        "{printed}"
    );
    let cell = place.out().join("runs/pca");
    let aside = || {
        let entries = std::fs::read_dir(&cell).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut partial = names.filter(|name| name.ends_with(".partial"));
        partial.next()
    };
    let name = aside().unwrap();
    assert!(
        cell.join(&name).join("checkpoint/epoch-3.ckpt").exists(),
        "{name}"
    );
    // When the run has the first config again, the stopped training continues.
    edit(&place, "pca.toml", "components = 3", "components = 2");
    let printed = check_success(xtask("experiments --cell pca"));
    assert!(printed.contains("1 run begun before"), "{printed}");
    assert_eq!(aside(), None);
}

#[test]
fn results_of_two_programs_are_not_published() {
    let place = Place::new();
    let xtask = study(&place);
    check_success(xtask("experiments --cell pca"));
    let mut other = place.xtask("experiments --cell linear-y0");
    other
        .arg("--configs")
        .arg(place.path("study/configs"))
        .env("FAKE_PROGRAM", "another");
    check_success(other.output().unwrap());
    // Results of another build of the program are still valid.
    place.trained();
    check_success(xtask("experiments --cell pca --cell linear-y0"));
    assert_eq!(place.trained(), [""; 0]);
    let publish = xtask("report --publish");
    assert_eq!(publish.status.code(), Some(1));
    let printed = stderr(&publish);
    assert!(
        printed.contains("trained by 2 different programs"),
        "{printed}"
    );
}

#[test]
fn a_record_that_does_not_list_all_files_is_damaged() {
    let place = Place::new();
    let xtask = study(&place);
    check_success(xtask("experiments --cell pca"));
    place.trained();
    let run = place.finished("pca", 0);
    for file in ["config.toml", "components.csv"] {
        let mut record = run.read_record().unwrap().unwrap();
        record.files.remove(file).unwrap();
        run.write_record(&record).unwrap();
        std::fs::remove_file(run.file(file)).unwrap();
        let printed = check_success(xtask("experiments --cell pca"));
        assert!(
            printed.contains(&format!(
                "the result of pca 0 is damaged, so this run is trained again: {file}"
            )),
            "{printed}"
        );
        assert_eq!(place.trained(), ["pca 0"]);
    }
}

#[test]
fn a_run_is_trained_by_one_process_at_a_time() {
    let place = Place::new();
    // Starts the same task of a job array twice, as Slurm may do.
    let tasks = place.path("tasks.json");
    let listed = place
        .xtask("experiments --list --json --cell pca")
        .output()
        .unwrap();
    let listed: serde_json::Value = serde_json::from_str(&stdout(&listed)).unwrap();
    let task = |fresh: bool| {
        let text = serde_json::json!({
            "out": place.out(),
            "size": "full",
            "kindling": place.path("kindling"),
            "revision": "r",
            "device": "flex",
            "fresh": fresh,
            "tensorboard": true,
            "runs": [{ "config": listed[0]["config"], "data": { "fingerprint": "fake", "info": null } }],
        });
        std::fs::write(&tasks, text.to_string()).unwrap();
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_xtask"));
        command
            .arg("task")
            .arg(&tasks)
            .arg("0")
            .env("FAKE_LOG", place.path("log"))
            .env("FAKE_VERSION", kindling_formats::VERSION);
        command
    };
    let hold = place.path("hold");
    let mut first = task(false)
        .env("FAKE_HOLD", &hold)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_until(|| place.path("log").exists());
    let second = task(false).output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    let printed = stderr(&second);
    assert!(
        printed.contains("pca 0 failed: another process is training this run"),
        "{printed}"
    );
    std::fs::write(&hold, "").unwrap();
    assert!(first.wait().unwrap().success());
    assert_eq!(place.trained(), ["pca 0"]);
    let record = place.record("pca", 0);
    let config = place.finished("pca", 0).read_config().unwrap();
    let damaged = place.finished("pca", 0).damaged(&record, &config).unwrap();
    assert_eq!(damaged, [""; 0]);
    // A task that Slurm starts again finds a complete run.
    check_success(task(false).output().unwrap());
    assert_eq!(place.trained(), [""; 0]);
    check_success(task(true).output().unwrap());
    assert_eq!(place.trained(), ["pca 0"]);
    assert_eq!(record.revision, "r");
}

#[test]
fn files_have_the_permissions_that_the_umask_allows() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    for (umask, rights) in [("077", 0o600), ("022", 0o644), ("002", 0o664)] {
        let out = place.path(umask);
        let words = format!(
            "umask {umask}; exec {} experiments --cell pca --out {}",
            env!("CARGO_BIN_EXE_xtask"),
            out.display()
        );
        let mut shell = std::process::Command::new("sh");
        shell
            .args(["-c", &words])
            .env("KINDLING_BIN", place.path("kindling"))
            .env("FAKE_LOG", place.path("log"))
            .env("FAKE_VERSION", kindling_formats::VERSION);
        check_success(shell.output().unwrap());
        for file in [
            "results.csv",
            "report/index.html",
            "runs/pca/seed-0/config.toml",
        ] {
            let mode = out.join(file).metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, rights, "{file} under {umask}");
        }
    }
}

#[test]
fn a_copied_variant_is_still_read_as_a_variant() {
    let place = Place::new();
    let xtask = study(&place);
    check_success(xtask("experiments --cell pca --set components=3"));
    let layout = place.variant("components=3");
    let tree = kindling_formats::Tree::read(&layout).unwrap();
    assert_eq!(tree.variant.set, ["components=3"]);
    assert_ne!(tree.variant, Variant::default());
    // A copy in another folder is still a variant.
    let elsewhere = place.path("elsewhere");
    copy(layout.out(), &elsewhere);
    let mut report = std::process::Command::new(env!("CARGO_BIN_EXE_xtask"));
    report
        .args(["report", "--out"])
        .arg(&elsewhere)
        .arg("--configs");
    let configs = place.path("study/configs");
    let printed = check_success(report.arg(&configs).output().unwrap());
    assert!(printed.contains("1 run complete"), "{printed}");
    // Another study is not published.
    let publish = report.arg("--publish").output().unwrap();
    assert_eq!(publish.status.code(), Some(1));
    let printed = stderr(&publish);
    assert!(printed.contains("leave out --configs"), "{printed}");
    assert!(results(&Layout::new(Path::new(&elsewhere), Size::Full)).contains(",pca,"));
}

#[test]
fn no_command_replaces_results_of_another_version() {
    let place = Place::new();
    let record = |folder: &str| {
        let path = place.out().join(folder).join("record.json");
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, "{\"version\": \"0.1.0\"}").unwrap();
        path
    };
    for (folder, words) in [
        ("runs/pca/seed-0", "experiments --cell pca"),
        ("runs/pca/seed-0", "report"),
        ("runs/pca/seed-0", "claims"),
        ("runs/pca/seed-0", "watch --once"),
        ("train/runs/mlp/seed-0", "train mlp"),
        ("converge/ndarray/runs/linear/seed-0", "converge linear"),
        (
            "variants/ndarray/runs/pca/seed-0",
            "experiments --cell pca --backend ndarray",
        ),
    ] {
        let path = record(folder);
        let output = place.xtask(words).output().unwrap();
        let printed = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{words}: {printed}");
        assert!(printed.contains("version \"0.1.0\""), "{words}: {printed}");
        assert!(!printed.contains("damaged"), "{words}: {printed}");
        assert!(path.exists(), "{words}");
        std::fs::remove_dir_all(place.out()).unwrap();
    }
    assert!(place.trained().is_empty());
}
