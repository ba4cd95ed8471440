//! Trials that Slurm trains. Scripts stand in for the programs of Slurm.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use super::common::{Place, stderr, stdout};
use kindling_formats::{Choices, Layout, Size, VERSION};

/// Writes a shell script to the folder `bin` in `place`.
fn program(place: &Place, name: &str, text: &str) {
    let path = place.path("bin").join(name);
    std::fs::create_dir_all(place.path("bin")).unwrap();
    std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
}

/// The variable PATH with the folder `bin` in `place` before all others.
fn path(place: &Place) -> std::ffi::OsString {
    let path = std::env::var_os("PATH").unwrap();
    let folders = std::iter::once(place.path("bin")).chain(std::env::split_paths(&path));
    std::env::join_paths(folders).unwrap()
}

#[test]
fn trials_are_submitted_and_the_last_job_chooses() {
    let place = Place::new();
    // An array may have a hundred tasks, the queue is empty, and the script of each job is kept.
    let bin = place.path("bin").display().to_string();
    program(&place, "scontrol", "echo 'MaxArraySize = 100'");
    program(&place, "squeue", "true");
    program(
        &place,
        "sbatch",
        &format!("n=$(ls '{bin}' | grep -c ^job-)\nn=$((n + 1))\ncat > '{bin}'/job-$n\necho $n"),
    );
    let tune = || {
        let mut command = place.xtask("tune --cell mlp --quick --executor slurm");
        let output = command.env("PATH", path(&place)).output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        stdout(&output)
    };
    let printed = tune();
    assert!(
        printed.contains("14 runs submitted as job 1, the choice as job 2"),
        "{printed}"
    );
    assert!(
        printed.contains("`cargo xtask watch --trials`"),
        "{printed}"
    );
    let job = |number: usize, task: Option<usize>| {
        let mut command = Command::new("sh");
        command.arg(place.path(&format!("bin/job-{number}")));
        command.env("FAKE_LOG", place.path("log"));
        command.env("FAKE_VERSION", VERSION);
        command.env("PATH", path(&place));
        if let Some(task) = task {
            command.env("SLURM_ARRAY_TASK_ID", task.to_string());
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
    };
    (0..14).for_each(|task| job(1, Some(task)));
    assert_eq!(place.trained().len(), 14);
    job(2, None);
    let layout = Layout::new(&place.out(), Size::Quick);
    let choices = Choices::read(&layout.choices()).unwrap();
    assert_eq!(choices.cells.len(), 1);
    // The queue of this Slurm is empty, and all trials are recorded.
    assert!(tune().contains("nothing to submit"));
}
