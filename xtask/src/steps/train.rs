//! Trains a list of runs on this machine and shows their progress.

use std::process::ExitCode;

use kindling_formats::Host;
use kindling_runner::{RunEnd, RunSlot, TrainingProgram, TrainingSetup, train_all};

use crate::ui::{self, MatrixProgress, interrupt, output};

/// How many runs train at a time: as many as are asked for, or one per core. On a GPU it is one,
/// because a GPU computes for one process after the other, and each training waits for its turn
/// several times a step.
pub fn jobs_at_a_time(runs: &[RunSlot], jobs: Option<u64>) -> usize {
    let on_gpu = runs.iter().any(|run| run.config.backend.is_for_gpus());
    let default = if on_gpu { 1 } else { Host::cores() };
    let jobs = jobs.map_or(default, |jobs| jobs as usize);
    // With more jobs than runs, the cores of the unused jobs would be idle.
    jobs.min(runs.len())
}

/// Trains `runs`, `jobs` at a time. The cores are divided among the jobs.
pub fn train_runs(
    program: TrainingProgram,
    runs: &[RunSlot],
    jobs: usize,
    fresh: bool,
) -> Vec<RunEnd> {
    if runs.is_empty() {
        return Vec::new();
    }
    let setup = TrainingSetup {
        program,
        threads: (Host::cores() / jobs).max(1),
        fresh,
    };
    output::note(format_args!(
        "training {} at a time, each with {}",
        ui::count(jobs, "run"),
        ui::count(setup.threads, "thread")
    ));
    interrupt::start_counting();
    let mut progress = MatrixProgress::new(runs, jobs);
    let ends = train_all(runs, &setup, jobs, interrupt::stop_request, |event| {
        progress.observe(event);
    });
    progress.close();
    ends
}

/// The exit code of a command whose runs ended as `ends`.
pub fn exit_code(ends: &[RunEnd]) -> ExitCode {
    if ends.iter().any(RunEnd::is_unfinished) {
        interrupt::exit_code()
    } else if ends.iter().any(|end| end.failure.is_some()) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}
