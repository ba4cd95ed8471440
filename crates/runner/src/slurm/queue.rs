//! `slurm.json`: the runs that were submitted to Slurm, and which of them are still queued or
//! running there.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use kindling_formats::{Layout, if_there, write_atomic};
use serde::{Deserialize, Serialize};

use super::client::{Job, ask};
use crate::slot::{Recorded, RunSlot};
use crate::{Result, RunnerError};

/// The runs that were submitted to Slurm for one output folder.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Queue {
    arrays: Vec<Array>,
    /// The names of the runs that are queued or running. If Slurm cannot be asked, all
    /// submitted runs.
    #[serde(skip)]
    open: BTreeSet<String>,
    /// Why Slurm cannot be asked; `None` if it was asked.
    #[serde(skip)]
    unknown: Option<String>,
    /// The path of `slurm.json`.
    #[serde(skip)]
    file: PathBuf,
}

/// A job array: its job number, and the names of its runs in the order of its tasks.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Array {
    job: String,
    /// The cluster of the job, if `sbatch` names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cluster: Option<String>,
    runs: Vec<String>,
}

/// A message about Slurm for the user, before other runs are trained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueueNotice {
    /// This number of runs is already queued or running, and not submitted again.
    AlreadySubmitted(usize),
    /// Slurm cannot be asked about earlier jobs. No run of this matrix needs them.
    Unknown {
        /// The job numbers, separated by commas.
        jobs: String,
        /// The file that lists the submitted runs.
        file: PathBuf,
        /// Why Slurm cannot be asked.
        reason: String,
    },
}

impl Queue {
    /// Reads the runs that were submitted for an output folder, and asks Slurm which of them
    /// are still queued or running.
    ///
    /// # Errors
    ///
    /// If the file cannot be read. It is not an error if Slurm cannot be asked.
    pub fn read(layout: &Layout) -> Result<Self> {
        let file = layout.root().join("slurm.json");
        let mut queue = match if_there("read", &file, std::fs::read(&file))? {
            None => Self::default(),
            Some(bytes) => serde_json::from_slice(&bytes).map_err(RunnerError::damaged(&file))?,
        };
        queue.file = file;
        if let Err(error) = queue.keep_open_arrays() {
            let runs = queue.arrays.iter().flat_map(|array| &array.runs);
            queue.open = runs.cloned().collect();
            queue.unknown = Some(error.to_string());
        }
        Ok(queue)
    }

    /// Whether this run is queued or running in Slurm. If Slurm cannot be asked, this returns
    /// whether the run may be. Then a complete run counts as ended, unless `fresh` is set: a
    /// task may be training it again.
    pub fn has(&self, run: &RunSlot, fresh: bool) -> bool {
        let may_have_ended = self.unknown.is_some() && !fresh;
        self.open.contains(&run.name()) && !(may_have_ended && run.recorded() == Recorded::Complete)
    }

    /// The name of a run that is queued or running in Slurm; `None` if there is none. If Slurm
    /// cannot be asked, a run that may be.
    pub fn any(&self) -> Option<&str> {
        self.open.first().map(String::as_str)
    }

    /// Checks that a matrix may train although its runs `queued` are queued or running in
    /// Slurm. `submits` is whether the matrix itself is submitted to Slurm.
    ///
    /// # Errors
    ///
    /// [`RunnerError::WithSlurm`] if runs are queued and this matrix trains on this machine.
    /// [`RunnerError::SlurmUnknown`] if runs may be queued and Slurm cannot be asked.
    pub fn check(&self, queued: &[RunSlot], submits: bool) -> Result<Option<QueueNotice>> {
        let jobs = self.arrays.iter().map(|array| array.job.as_str());
        let jobs = jobs.collect::<Vec<_>>().join(", ");
        let file = self.file.clone();
        match (queued.first(), &self.unknown) {
            (None, None) => Ok(None),
            (None, Some(reason)) => Ok(Some(QueueNotice::Unknown {
                jobs,
                file,
                reason: reason.clone(),
            })),
            (Some(_), None) if submits => Ok(Some(QueueNotice::AlreadySubmitted(queued.len()))),
            (Some(first), None) => Err(RunnerError::WithSlurm {
                count: queued.len(),
                first: first.name(),
            }),
            (Some(first), Some(reason)) => Err(RunnerError::SlurmUnknown {
                count: queued.len(),
                first: first.name(),
                jobs,
                reason: reason.clone(),
                file,
            }),
        }
    }

    /// Asks Slurm, and keeps only the arrays with a task that is queued or running.
    fn keep_open_arrays(&mut self) -> Result<()> {
        let clusters = self.arrays.iter().map(|array| array.cluster.clone());
        let clusters: BTreeSet<Option<String>> = clusters.collect();
        let mut tasks = BTreeSet::new();
        for cluster in clusters {
            let mut squeue = Command::new("squeue");
            squeue.args(["--noheader", "--array", "--format=%i"]);
            squeue.args(cluster.iter().map(|name| format!("--clusters={name}")));
            // One line for each task, such as `12_3`.
            let printed = ask(&mut squeue)?;
            let lines = printed.lines().map(|line| line.trim().to_string());
            tasks.extend(lines.map(|task| (cluster.clone(), task)));
        }
        let open = &mut self.open;
        self.arrays.retain(|array| {
            let runs = array.runs.iter().enumerate();
            let is_open = |(index, _): &(usize, &String)| {
                let task = format!("{}_{index}", array.job);
                tasks.contains(&(array.cluster.clone(), task))
            };
            let runs: Vec<String> = runs.filter(is_open).map(|(_, run)| run.clone()).collect();
            open.extend(runs.iter().cloned());
            !runs.is_empty()
        });
        Ok(())
    }

    /// Adds a submitted array to the file, so that none of its runs is submitted twice.
    ///
    /// # Errors
    ///
    /// If the file cannot be written. Then the array is cancelled.
    pub(crate) fn add(&mut self, job: &Job, runs: &[RunSlot]) -> Result<()> {
        self.arrays.push(Array {
            job: job.number.clone(),
            cluster: job.cluster.clone(),
            runs: runs.iter().map(RunSlot::name).collect(),
        });
        let written = serde_json::to_vec(self)
            .map_err(RunnerError::damaged(&self.file))
            .and_then(|json| Ok(write_atomic(&self.file, &json)?));
        let Err(error) = written else { return Ok(()) };
        let mut scancel = Command::new("scancel");
        let cluster = job.cluster.iter();
        scancel.args(cluster.map(|name| format!("--clusters={name}")));
        let job = &job.number;
        Err(RunnerError::Slurm(match ask(scancel.arg(job)) {
            Ok(_) => format!("{error}; job {job} was cancelled"),
            Err(reason) => format!("{error}; cancel job {job} yourself, since {reason}"),
        }))
    }
}
