//! Trains a list of runs on this machine and shows their progress.

use std::process::ExitCode;

use kindling_formats::{Backend, Host};
use kindling_runner::{RunEnd, RunSlot, TrainingProgram, TrainingSetup, train_all};

use crate::ui::{self, MatrixProgress, interrupt, output};

/// How many runs train at a time: as many as are asked for, or as many as [`default_jobs`] says.
pub fn jobs_at_a_time(runs: &[RunSlot], jobs: Option<u64>) -> usize {
    let Some(first) = runs.first() else { return 0 };
    let jobs = jobs.map_or_else(|| default_jobs(first.config.backend), |jobs| jobs as usize);
    // With more jobs than runs, the cores of the unused jobs would be idle.
    jobs.min(runs.len())
}

/// One run per core. On a GPU it is one, because a GPU computes for one process after the other, and
/// each training waits for its turn several times a step.
fn default_jobs(backend: Backend) -> usize {
    if backend.is_for_gpus() {
        1
    } else {
        Host::cores()
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_run_at_a_time_trains_on_a_gpu_and_one_per_core_on_a_cpu() {
        for backend in Backend::ALL {
            let expected = match backend {
                Backend::Wgpu | Backend::Cuda => 1,
                Backend::Flex | Backend::Ndarray => Host::cores(),
            };
            assert_eq!(default_jobs(backend), expected);
        }
        assert_eq!(jobs_at_a_time(&[], Some(3)), 0);
    }
}
