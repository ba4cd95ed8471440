//! Damages twenty files of each kind. Every damaged file is named in a message, and none gives
//! a wrong result or a panic. The tests of kindling do the same with checkpoints.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use common::{Place, other_data, stderr, stdout, study_without_figures};
use kindling_formats::{Layout, Record, Size, stream_key};

/// The number of damaged files of each kind.
const TIMES: u64 = 20;

/// Truncates a file, flips one of its bits, or removes it. `number` decides which, and where.
fn damage(path: &Path, number: u64) {
    let mut bytes = std::fs::read(path).unwrap();
    let key = stream_key(number, "damage", bytes.len());
    let random = u64::from_le_bytes(*key.first_chunk().unwrap()) as usize;
    let at = random % bytes.len();
    match number % 3 {
        0 => bytes.truncate(at),
        1 => bytes[at] ^= 1 << (random % 8),
        _ => return std::fs::remove_file(path).unwrap(),
    }
    std::fs::write(path, bytes).unwrap();
}

/// Trains quick runs of mlp-10 with the real kindling.
fn quick(out: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(["experiments", "--quick", "--only", "mlp-10", "--out"]);
    command.arg(out).args(more).output().unwrap()
}

/// Checks that a command succeeded and printed no panic, and returns its output.
fn check_success(output: &Output) -> String {
    let printed = stdout(output) + &stderr(output);
    assert_eq!(output.status.code(), Some(0), "{printed}");
    assert!(!printed.contains("panicked"), "{printed}");
    printed
}

/// A record without the values that differ between two trainings of the same run.
fn without_times(record: Record) -> Record {
    let mut record = record;
    record.seconds = 0.0;
    record.host.threads = 0;
    record.files.remove("timing.csv");
    record
}

#[test]
fn damaged_result_files_are_named_and_trained_again() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path();
    let seeds = ["--seeds", &TIMES.to_string()];
    check_success(&quick(out, &seeds));
    let run = |seed| Layout::new(out, Size::Quick).finished("mlp-10", seed);
    let record = |seed| without_times(run(seed).read_record().unwrap().unwrap());
    let before: Vec<Record> = (0..TIMES).map(record).collect();
    let mut kinds: Vec<&str> = before[0].files.keys().map(String::as_str).collect();
    kinds.extend(["record.json", "timing.csv"]);
    assert!(kinds.len() >= 9, "{kinds:?}");
    for kind in kinds {
        for seed in 0..TIMES {
            damage(&run(seed).file(kind), seed);
        }
        let printed = check_success(&quick(out, &seeds));
        for seed in 0..TIMES {
            let named =
                format!("the result of mlp-10 {seed} is damaged, so this run is trained again: ");
            let line = printed.lines().find(|line| line.starts_with(&named));
            assert!(
                line.is_some_and(|line| line.contains(kind)),
                "{kind}: {printed}"
            );
        }
        assert_eq!((0..TIMES).map(record).collect::<Vec<_>>(), before, "{kind}");
    }
    let printed = check_success(&quick(out, &seeds));
    assert!(
        printed.contains("20 recorded already, 0 to train"),
        "{printed}"
    );
}

#[test]
fn damaged_data_files_are_refused_or_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let files = other_data(&data).into_iter().map(|path| {
        let bytes = std::fs::read(&path).unwrap();
        (path, bytes)
    });
    let files: Vec<(PathBuf, Vec<u8>)> = files.collect();
    let train = |out: &Path| quick(out, &["--seeds", "1", "--data", data.to_str().unwrap()]);
    let record = |out: &Path| {
        let layout = Layout::new(out, Size::Quick);
        let variant = layout.variants().pop().unwrap();
        let run = layout.variant(&variant).finished("mlp-10", 0);
        without_times(run.read_record().unwrap().unwrap())
    };
    let undamaged = folder.path().join("undamaged");
    check_success(&train(&undamaged));
    let mut refused = 0;
    for (path, bytes) in &files {
        let name = path.file_name().unwrap().to_str().unwrap();
        for number in 0..TIMES {
            damage(path, number);
            let out = folder.path().join("out");
            let output = train(&out);
            let printed = stderr(&output);
            if output.status.success() {
                // The flipped bit is in a part of the gzip header that does not affect the data.
                assert_eq!(record(&out), record(&undamaged), "{name} {number}");
                std::fs::remove_dir_all(out).unwrap();
            } else {
                refused += 1;
                assert_eq!(output.status.code(), Some(2), "{printed}");
                assert!(printed.contains(name), "{name}: {printed}");
                assert!(!printed.contains("panicked"), "{printed}");
                assert!(!out.exists(), "something was written");
            }
            std::fs::write(path, bytes).unwrap();
        }
    }
    assert!(refused >= 4 * TIMES - 4, "{refused} refused");
}

#[test]
fn damaged_config_files_are_refused_or_give_another_run() {
    let place = Place::new();
    let configs = place.path("configs");
    std::fs::create_dir(&configs).unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs");
    let copy = |from: &str, to: &str| {
        std::fs::copy(source.join(from), configs.join(to)).unwrap();
    };
    std::fs::write(configs.join("study.toml"), study_without_figures()).unwrap();
    copy("2.6-autoencoder/60-pca.toml", "pca.toml");
    let train = || {
        let mut experiments = place.xtask("experiments");
        experiments.arg("--configs").arg(&configs).output().unwrap()
    };
    check_success(&train());
    place.trained();
    let undamaged = place.record("pca", 0);
    for file in ["study.toml", "pca.toml"] {
        let path = configs.join(file);
        let bytes = std::fs::read(&path).unwrap();
        for number in 0..3 * TIMES {
            // If the file of a cell is removed, the study has no such cell, and that is no error.
            if number % 3 == 2 {
                continue;
            }
            damage(&path, number);
            let output = train();
            let printed = stdout(&output) + &stderr(&output);
            assert!(!printed.contains("panicked"), "{printed}");
            match output.status.code() {
                Some(2) => assert!(printed.contains(file), "{file} {number}: {printed}"),
                // The damaged file is a valid config of the same run or of another run. A result
                // of another run has another hash of its config.
                Some(0) => {
                    let record = place.record("pca", 0);
                    assert!(record == undamaged || record.config_hash != undamaged.config_hash);
                }
                _ => panic!("{file} {number}: {printed}"),
            }
            std::fs::write(&path, &bytes).unwrap();
            check_success(&train());
            place.trained();
            assert_eq!(place.record("pca", 0), undamaged);
        }
    }
}
