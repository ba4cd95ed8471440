//! Trains runs with shell scripts that stand in for `kindling`.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use kindling_formats::{
    BURN_VERSION, Backend, GENERATED, Host, Layout, Record, RunConfig, RunData, RunStatus,
    Selection, Size, Study, VERSION,
};
use kindling_runner::{
    Event, Manifest, Recorded, RunEnd, RunSlot, RunnerError, Snapshot, Stage, StopRequest,
    TrainingProgram, TrainingSetup, Watcher, missing, refuse_other_versions, train_all,
};
use tempfile::TempDir;

/// An output folder, and runs of the cell `gradients`, which has few files.
struct Place {
    folder: TempDir,
    layout: Layout,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(&folder.path().join("out"), Size::Full);
        Self { folder, layout }
    }

    /// One run for each seed.
    fn runs(&self, seeds: u64) -> Vec<RunSlot> {
        let configs = configs(seeds);
        let data = RunData {
            fingerprint: GENERATED.into(),
            info: None,
        };
        let data = vec![data; configs.len()];
        RunSlot::all(configs, data, &self.layout)
    }

    /// A setup whose program is a shell script. The script gets the training folder as `$2`.
    fn setup(&self, script: &str) -> TrainingSetup {
        let path = self.folder.path().join("kindling");
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        TrainingSetup {
            program: TrainingProgram {
                path,
                revision: "revision".into(),
                device: Backend::Flex.into(),
                tensorboard: true,
                working_folder: self.folder.path().to_path_buf(),
            },
            threads: 1,
            fresh: false,
        }
    }

    /// A setup whose program completes each of `runs`: it copies prepared files of a complete
    /// run to the training folder.
    fn completing(&self, runs: &[RunSlot]) -> TrainingSetup {
        for run in runs {
            let from = self.prepared(run);
            write_result(run, &from);
        }
        let prepared = self.folder.path().join("prepared");
        self.setup(&format!(
            "cp {}/$(basename \"$2\" .partial)/* \"$2\"",
            prepared.display()
        ))
    }

    fn prepared(&self, run: &RunSlot) -> PathBuf {
        let name = run.result.path().file_name().unwrap();
        self.folder.path().join("prepared").join(name)
    }
}

fn configs(seeds: u64) -> Vec<RunConfig> {
    let configs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs");
    let selection = Selection {
        cells: vec!["gradients".into()],
        seeds: Some(seeds),
        ..Selection::own(Size::Full)
    };
    let mut configs = Study::read(&configs).unwrap().expand(&selection).unwrap();
    // In the study, the cell has one seed.
    let first = configs[0].clone();
    configs.truncate(1);
    configs.extend((1..seeds).map(|seed| RunConfig {
        seed,
        ..first.clone()
    }));
    configs
}

/// Writes all files of a complete run to `folder`.
fn write_result(run: &RunSlot, folder: &Path) {
    let dir = kindling_formats::RunDir::new(folder);
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(dir.config(), run.config.to_toml()).unwrap();
    for name in run.config.task.files() {
        let file = dir.file(name);
        if !file.exists() {
            std::fs::write(file, "").unwrap();
        }
    }
    let record = Record {
        files: dir.digests().unwrap(),
        ..record(run)
    };
    dir.write_record(&record).unwrap();
}

/// A complete record without files.
fn record(run: &RunSlot) -> Record {
    Record {
        version: VERSION.into(),
        section: run.config.section.clone(),
        cell: run.config.cell.clone(),
        family: run.config.task.family().into(),
        backend: run.config.backend,
        seed: run.config.seed,
        epochs: 0,
        parameters: 0,
        train_loss: None,
        validation_loss: None,
        test_loss: None,
        train_accuracy: None,
        validation_accuracy: None,
        test_accuracy: None,
        seconds: 1.0,
        status: RunStatus::Complete,
        error: None,
        metrics: Default::default(),
        config_hash: run.config.hash(),
        data_fingerprint: run.data.fingerprint.clone(),
        data: None,
        scale: None,
        program: "program".into(),
        revision: "revision".into(),
        burn_version: BURN_VERSION.into(),
        host: Host::detect(1),
        files: Default::default(),
    }
}

/// Trains all runs without a request to stop.
fn train(runs: &[RunSlot], setup: &TrainingSetup) -> Vec<RunEnd> {
    train_all(runs, setup, 2, StopRequest::default, |_| {})
}

fn names(runs: &[RunSlot]) -> Vec<String> {
    runs.iter().map(RunSlot::name).collect()
}

#[test]
fn a_complete_run_has_a_result_folder_and_is_not_missing() {
    let place = Place::new();
    let runs = place.runs(3);
    assert_eq!(missing(&runs, false).unwrap().runs.len(), 3);
    let ends = train(&runs, &place.completing(&runs));
    for (run, end) in runs.iter().zip(&ends) {
        assert_eq!(end.failure, None, "{}", run.name());
        assert_eq!(run.recorded(), Recorded::Complete);
        assert!(!run.training.path().exists());
    }
    let found = missing(&runs, false).unwrap();
    assert_eq!((found.recorded, found.runs.len()), (3, 0));
    assert_eq!(missing(&runs, true).unwrap().runs.len(), 3);
}

#[test]
fn a_run_that_another_process_has_completed_is_not_trained_again() {
    let place = Place::new();
    let runs = place.runs(1);
    write_result(&runs[0], runs[0].result.path());
    let ends = train(&runs, &place.setup("exit 1"));
    assert_eq!(ends[0].failure, None);
    assert!(ends[0].record.is_some());
}

#[test]
fn a_failure_is_recorded_and_the_others_go_on() {
    let place = Place::new();
    let runs = place.runs(3);
    let mut setup = place.completing(&runs);
    let script = std::fs::read_to_string(&setup.program.path).unwrap();
    let failing = "case \"$2\" in *seed-1.partial) echo 'warning: slow' >&2\n\
                   echo 'error: the loss is NaN' >&2; exit 1;; esac";
    setup = place.setup(&format!("{failing}\n{script}"));
    let ends = train(&runs, &setup);
    assert_eq!(ends[1].failure.as_deref(), Some("the loss is NaN"));
    assert_eq!(ends[1].warnings, ["slow"]);
    let record = runs[1].training.read_record().unwrap().unwrap();
    assert_eq!(record.status, RunStatus::Failed);
    assert_eq!(record.error.as_deref(), Some("the loss is NaN"));
    assert_eq!(record.revision, "revision");
    for run in [&runs[0], &runs[2]] {
        assert_eq!(run.recorded(), Recorded::Complete);
    }
    // The failed run is the only one that is missing.
    let found = missing(&runs, false).unwrap();
    assert_eq!(names(&found.runs), ["gradients 1"]);
}

#[test]
fn a_process_that_is_killed_or_leaves_no_record_has_failed() {
    let place = Place::new();
    let runs = place.runs(1);
    let ends = train(&runs, &place.setup("kill -9 $$"));
    assert_eq!(ends[0].failure.as_deref(), Some("killed by signal 9"));
    let ends = train(&runs, &place.setup("exit 0"));
    let reason = "the training ended without writing record.json";
    assert_eq!(ends[0].failure.as_deref(), Some(reason));
    let mut setup = place.setup("");
    setup.program.path = place.folder.path().join("nothing");
    let failure = train(&runs, &setup).remove(0).failure.unwrap();
    assert!(failure.starts_with("cannot start"), "{failure}");
}

#[test]
fn a_stopped_run_has_not_failed_and_continues_later() {
    let place = Place::new();
    let runs = place.runs(2);
    let setup = place.setup("read word; test \"$word\" = stop && exit 130; exit 1");
    let started = std::sync::atomic::AtomicUsize::new(0);
    let counted = || started.load(std::sync::atomic::Ordering::SeqCst);
    let stop_request = || match counted() {
        0 => StopRequest::None,
        _ => StopRequest::AfterEpoch,
    };
    let ends = train_all(&runs, &setup, 1, stop_request, |event| {
        if let Event::Started(_) = event {
            started.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        }
    });
    assert_eq!(counted(), 1);
    assert!(ends.iter().all(RunEnd::is_unfinished), "{ends:?}");
    let found = missing(&runs, false).unwrap();
    assert_eq!((found.runs.len(), found.begun), (2, 1));
}

#[test]
fn a_run_is_trained_by_one_process_at_a_time() {
    let place = Place::new();
    let runs = place.runs(1);
    let lock = runs[0].lock().unwrap().unwrap();
    assert!(runs[0].lock().unwrap().is_none());
    let ends = train(&runs, &place.setup("exit 0"));
    let failure = ends[0].failure.as_deref().unwrap();
    assert!(failure.contains("another process"), "{failure}");
    // The folder belongs to the other process, so nothing is written there.
    assert!(!runs[0].training.path().exists());
    drop(lock);
    assert!(runs[0].lock().unwrap().is_some());
}

#[test]
fn a_result_of_another_config_is_set_aside_and_restored_later() {
    let place = Place::new();
    let first = place.runs(1).remove(0);
    write_result(&first, first.result.path());
    let mut config = first.config.clone();
    let kindling_formats::Task::Gradients(task) = &mut config.task else {
        panic!("the cell is of another family");
    };
    task.gradients.points += 1;
    let other = RunSlot::new(config, first.data.clone(), &place.layout);
    let found = missing(std::slice::from_ref(&other), false).unwrap();
    assert_eq!((found.outdated, found.runs.len()), (1, 1));
    let runs = [other];
    let ends = train(&runs, &place.completing(&runs));
    assert_eq!(ends[0].failure, None);
    assert_eq!(runs[0].recorded(), Recorded::Complete);
    assert_eq!(first.recorded(), Recorded::Outdated);
    // The result of the first config is restored without a training.
    let found = missing(std::slice::from_ref(&first), false).unwrap();
    assert_eq!((found.recorded, found.runs.len()), (1, 0));
    assert_eq!(first.recorded(), Recorded::Complete);
}

#[test]
fn a_damaged_result_is_missing_and_its_damaged_file_is_named() {
    let place = Place::new();
    let runs = place.runs(1);
    write_result(&runs[0], runs[0].result.path());
    let file = runs[0].result.file(runs[0].config.task.files()[1]);
    std::fs::write(&file, "changed").unwrap();
    let found = missing(&runs, false).unwrap();
    assert_eq!(found.runs.len(), 1);
    let (run, reason) = &found.damaged[0];
    assert_eq!(run, "gradients 0");
    let name = file.file_name().unwrap().to_str().unwrap();
    assert!(reason.contains(name), "{reason}");
}

#[test]
fn results_of_another_version_are_refused() {
    let place = Place::new();
    let run = place.runs(1).remove(0);
    refuse_other_versions(&place.layout).unwrap();
    write_result(&run, run.result.path());
    let other = Record {
        version: "0.0.1".into(),
        ..run.result.read_record().unwrap().unwrap()
    };
    run.result.write_record(&other).unwrap();
    let error = refuse_other_versions(&place.layout).unwrap_err();
    assert!(matches!(error, RunnerError::OtherVersion { .. }), "{error}");
    assert!(error.to_string().contains("0.0.1"), "{error}");
}

#[test]
fn a_snapshot_shows_every_stage() {
    let place = Place::new();
    let error = Snapshot::read(&place.layout).unwrap_err();
    assert!(matches!(error, RunnerError::NoMatrix { .. }), "{error}");
    let runs = place.runs(4);
    Manifest::new(&runs, 2).write(&place.layout).unwrap();
    write_result(&runs[0], runs[0].result.path());
    runs[1].begin().unwrap();
    runs[2].begin().unwrap();
    let (failed, problem) = runs[2].record_failure("the loss is NaN", 1.0, "revision", 1);
    assert!(problem.is_none() && failed.status == RunStatus::Failed);
    let snapshot = Snapshot::read(&place.layout).unwrap();
    let stages: Vec<Stage> = snapshot.runs.iter().map(|run| run.stage).collect();
    let expected = [Stage::Done, Stage::Begun, Stage::Failed, Stage::Waiting];
    assert_eq!(stages, expected);
    let counts = [
        snapshot.done,
        snapshot.begun,
        snapshot.failed,
        snapshot.waiting,
    ];
    assert_eq!(counts, [1; 4]);
    assert_eq!(snapshot.runs[2].error.as_deref(), Some("the loss is NaN"));
    assert!(snapshot.runs[1].seconds_since_write.is_some());
}

#[test]
fn a_watcher_reads_the_record_of_a_complete_run_once_unless_its_file_changes() {
    let place = Place::new();
    let runs = place.runs(2);
    Manifest::new(&runs, 2).write(&place.layout).unwrap();
    for run in &runs {
        write_result(run, run.result.path());
    }
    let mut watcher = Watcher::new(&place.layout);
    let mut done = || watcher.snapshot().unwrap().done;
    assert_eq!(done(), 2);
    // Only the size and the time of a file say whether it has changed. So a record that no longer
    // can be read is not noticed before one of them does.
    let path = runs[0].result.record();
    let (text, file) = (std::fs::read(&path).unwrap(), path.metadata().unwrap());
    let written = file.modified().unwrap();
    std::fs::write(&path, vec![b' '; text.len()]).unwrap();
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(written).unwrap();
    assert_eq!(done(), 2);
    file.set_modified(written + std::time::Duration::from_secs(1))
        .unwrap();
    assert_eq!(done(), 1);
    std::fs::write(&path, text).unwrap();
    assert_eq!(done(), 2);
    std::fs::remove_dir_all(runs[1].result.path()).unwrap();
    assert_eq!(done(), 1);
}
