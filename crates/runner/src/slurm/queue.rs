//! `slurm.json`: which runs of a folder were submitted to Slurm, and which of them are still
//! waiting or training there.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use kindling_formats::{Layout, if_there, write_atomic};
use serde::{Deserialize, Serialize};

use super::client::{Job, ask};
use crate::slot::{Recorded, RunSlot};
use crate::{Result, RunnerError};

/// The runs that were submitted to Slurm for one folder of results.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Queue {
    arrays: Vec<Array>,
    /// The names of the runs that wait or train.
    #[serde(skip)]
    open: BTreeSet<String>,
    /// Why Slurm cannot be asked. Then all runs that were submitted may be open.
    #[serde(skip)]
    unknown: Option<String>,
    /// The file in which this is written.
    #[serde(skip)]
    file: PathBuf,
}

/// A job array: its number, and the names of its runs.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Array {
    job: String,
    /// The cluster, where several share a database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cluster: Option<String>,
    runs: Vec<String>,
}

/// What a user should know of Slurm before other runs train.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueueNotice {
    /// So many runs are with Slurm already, and are not submitted again.
    AlreadySubmitted(usize),
    /// Slurm cannot be asked about earlier jobs, but all runs of this matrix are complete.
    Unknown {
        /// The job numbers, separated by commas.
        jobs: String,
        /// The file that lists what was submitted.
        file: PathBuf,
        /// Why Slurm cannot be asked.
        reason: String,
    },
}

impl Queue {
    /// Reads what was submitted for a folder of results, and asks Slurm which of these
    /// runs are open.
    ///
    /// # Errors
    ///
    /// If the file cannot be read. That Slurm cannot be asked is no error here.
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

    /// Whether Slurm has this run, waiting or training. Where Slurm cannot be asked, whether
    /// it may have the run: a complete one has ended, unless a `fresh` one was submitted.
    pub fn has(&self, run: &RunSlot, fresh: bool) -> bool {
        let may_have_ended = self.unknown.is_some() && !fresh;
        self.open.contains(&run.name()) && !(may_have_ended && run.recorded() == Recorded::Complete)
    }

    /// Checks that a matrix may go on although Slurm has the runs `queued` of it. A matrix
    /// that is submitted to Slurm too waits for nothing.
    ///
    /// # Errors
    ///
    /// [`RunnerError::WithSlurm`] or [`RunnerError::SlurmUnknown`] if the runs would have to
    /// wait.
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

    /// Asks Slurm, and keeps the arrays of which a task waits or trains.
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

    /// Adds an array to the file, so that none of its runs is submitted twice.
    ///
    /// # Errors
    ///
    /// If the file cannot be written; the array is cancelled then.
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
