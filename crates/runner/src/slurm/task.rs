//! `tasks-N.json`: the runs of a job array. Each task of the array reads its run from this file
//! and trains it.

use std::path::{Path, PathBuf};

use kindling_formats::{DeviceName, Layout, RunConfig, RunData, Size, TreeKind, write_atomic};
use serde::{Deserialize, Serialize};

use crate::pool::{Event, StopRequest, train_all};
use crate::process::{RunEnd, TrainingSetup};
use crate::program::TrainingProgram;
use crate::slot::RunSlot;
use crate::{Result, RunnerError};

/// The content of `tasks-N.json`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TasksFile {
    out: PathBuf,
    size: Size,
    /// Which runs the tree holds. Files of earlier versions do not say it.
    #[serde(default)]
    kind: TreeKind,
    /// The program that trains.
    kindling: PathBuf,
    /// The revision that the program was built from.
    revision: String,
    device: String,
    fresh: bool,
    tensorboard: bool,
    runs: Vec<TaskRun>,
}

/// One run of a job array.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TaskRun {
    /// The config as TOML.
    config: String,
    data: RunData,
}

/// One task of a job array.
#[derive(Debug)]
pub struct Task {
    run: RunSlot,
    setup: TrainingSetup,
}

impl Task {
    /// Reads the task with this index from the tasks file of its array. `threads` is the number
    /// of threads that the run uses. Relative paths in its config start in `working_folder`.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is damaged, or has no task with this index.
    pub fn read(file: &Path, index: usize, threads: usize, working_folder: &Path) -> Result<Self> {
        let bytes = std::fs::read(file).map_err(RunnerError::io("read", file))?;
        let tasks: TasksFile =
            serde_json::from_slice(&bytes).map_err(RunnerError::damaged(file))?;
        let damaged = |problem: String| RunnerError::Damaged {
            file: file.to_path_buf(),
            problem,
        };
        let task = tasks.runs.get(index).ok_or_else(|| {
            let count = tasks.runs.len();
            damaged(format!("there is no task {index}, only {count} tasks"))
        })?;
        let config = task.config.parse();
        let config = config.map_err(|error| damaged(format!("task {index}: {error}")))?;
        let config = RunConfig::from_table(config, &file.display().to_string())?;
        let layout = Layout::of(&tasks.out, tasks.size, tasks.kind);
        let device: DeviceName = tasks.device.parse().map_err(damaged)?;
        Ok(Self {
            run: RunSlot::new(config, task.data.clone(), &layout),
            setup: TrainingSetup {
                program: TrainingProgram {
                    path: tasks.kindling,
                    revision: tasks.revision,
                    device,
                    tensorboard: tasks.tensorboard,
                    working_folder: working_folder.to_path_buf(),
                },
                threads,
                fresh: tasks.fresh,
            },
        })
    }

    /// The run that the task trains.
    pub fn run(&self) -> &RunSlot {
        &self.run
    }

    /// Trains the run as [`train_all`] does, and returns how it ended.
    pub fn train(
        &self,
        stop_request: impl Fn() -> StopRequest + Sync,
        observe: impl FnMut(Event),
    ) -> RunEnd {
        let runs = std::slice::from_ref(&self.run);
        let ends = train_all(runs, &self.setup, 1, stop_request, observe);
        ends.into_iter().next().unwrap_or_default()
    }
}

/// Writes the tasks file of an array of `runs` to `folder`. The file has a new number, because
/// the tasks of an earlier array may still need their own file.
pub(crate) fn write_tasks(
    runs: &[RunSlot],
    layout: &Layout,
    program: &TrainingProgram,
    fresh: bool,
    folder: &Path,
) -> Result<PathBuf> {
    let run = |run: &RunSlot| TaskRun {
        config: run.config.to_toml(),
        data: run.data.clone(),
    };
    let tasks = TasksFile {
        out: layout.out().to_path_buf(),
        size: layout.size(),
        kind: layout.kind(),
        kindling: program.path.clone(),
        revision: program.revision.clone(),
        device: program.device.to_string(),
        fresh,
        tensorboard: program.tensorboard,
        runs: runs.iter().map(run).collect(),
    };
    let mut number = 0;
    let file = loop {
        let file = folder.join(format!("tasks-{number}.json"));
        if !file.exists() {
            break file;
        }
        number += 1;
    };
    let json = serde_json::to_vec(&tasks).map_err(RunnerError::damaged(&file))?;
    write_atomic(&file, &json)?;
    Ok(file)
}
