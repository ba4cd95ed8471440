//! Submits missing runs to Slurm, and the report behind them.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::Command;

use kindling_formats::Layout;

use super::client::{Job, ask, sbatch};
use super::options::SlurmOptions;
use super::queue::Queue;
use super::task::write_tasks;
use crate::program::{TrainingProgram, copy_by_content};
use crate::slot::RunSlot;
use crate::{Result, RunnerError};

/// The largest number of tasks in an array, where Slurm does not say: its own default.
const DEFAULT_ARRAY_SIZE: usize = 1001;

/// How to submit runs.
#[derive(Debug, Clone)]
pub struct Submitter {
    /// Options that the user gives to `sbatch`.
    pub options: SlurmOptions,
    /// How many runs of an array train at a time; `None` for no limit.
    pub jobs: Option<u64>,
    /// Whether to train runs that have their result already.
    pub fresh: bool,
    /// The words of the command that trains a task. The tasks file and the index of the
    /// task follow them.
    pub task_command: Vec<OsString>,
    /// The words of the command that writes the report.
    pub report_command: Vec<OsString>,
}

/// What was submitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// How many runs.
    pub runs: usize,
    /// The job numbers of the arrays.
    pub jobs: Vec<String>,
    /// The job number of the report.
    pub report: String,
}

impl Submitter {
    /// Submits `missing`, in as many arrays as Slurm's limit on their size asks for, and
    /// the report behind them. `queue` gets the runs that were submitted.
    ///
    /// # Errors
    ///
    /// If Slurm refuses. [`RunnerError::HalfSubmitted`] if some runs were submitted before.
    pub fn submit(
        &self,
        layout: &Layout,
        queue: &mut Queue,
        missing: &[RunSlot],
        program: &TrainingProgram,
    ) -> Result<Submission> {
        let folder = layout.root().join("slurm");
        std::fs::create_dir_all(&folder).map_err(RunnerError::io("create the folder", &folder))?;
        // The tasks get a copy of the program for themselves. Whatever is built while they
        // wait, they train with the program that they were submitted with.
        let copy = copy_by_content(&program.path, |digest| {
            folder.join(format!("kindling-{digest}"))
        })?;
        let program = TrainingProgram {
            path: copy,
            ..program.clone()
        };
        let limit = self.array_size()?;
        let mut jobs: Vec<Job> = Vec::new();
        let mut submitted = 0;
        for runs in missing.chunks(limit) {
            let tasks = write_tasks(runs, layout, &program, self.fresh, &folder)?;
            let cluster = jobs.first().and_then(|job| job.cluster.clone());
            match self.submit_array(runs, &tasks, &program, cluster, queue) {
                Ok(job) => jobs.push(job),
                Err(source) => {
                    // No task will read the file.
                    let _ = std::fs::remove_file(&tasks);
                    return Err(half_submitted(source, &jobs, submitted, missing.len()));
                }
            }
            submitted += runs.len();
        }
        let report = self.submit_report(&jobs, &folder, &program.working_folder);
        let report = report.map_err(|source| RunnerError::HalfSubmitted {
            submitted: format!(
                "{} submitted as {}, but not the report; write it yourself when they have ended",
                count(missing.len()),
                names(&jobs)
            ),
            source: Box::new(source),
        })?;
        Ok(Submission {
            runs: missing.len(),
            jobs: jobs.into_iter().map(|job| job.number).collect(),
            report: report.number,
        })
    }

    fn submit_array(
        &self,
        runs: &[RunSlot],
        tasks: &Path,
        program: &TrainingProgram,
        cluster: Option<String>,
        queue: &mut Queue,
    ) -> Result<Job> {
        let folder = tasks.parent().unwrap_or(Path::new("."));
        let at_a_time = self.jobs.map_or(String::new(), |jobs| format!("%{jobs}"));
        let mut options = vec![
            "--job-name=kindling".to_string(),
            format!("--array=0-{}{at_a_time}", runs.len() - 1),
            output_option(folder, "%A_%a.txt"),
        ];
        options.extend(self.options.runs.iter().cloned());
        options.extend(cluster.map(|name| format!("--clusters={name}")));
        let mut words: Vec<&OsStr> = self.task_command.iter().map(OsString::as_os_str).collect();
        words.push(tasks.as_os_str());
        let script = script(&words, "\"$SLURM_ARRAY_TASK_ID\"");
        let job = sbatch(&options, &script, &program.working_folder)?;
        queue.add(&job, runs)?;
        Ok(job)
    }

    /// Submits the report, which starts when all of `jobs` have ended.
    fn submit_report(&self, jobs: &[Job], folder: &Path, working_folder: &Path) -> Result<Job> {
        let numbers: Vec<&str> = jobs.iter().map(|job| job.number.as_str()).collect();
        let mut options = vec![
            "--job-name=kindling-report".to_string(),
            format!("--dependency=afterany:{}", numbers.join(":")),
            output_option(folder, "report-%j.txt"),
        ];
        options.extend(self.options.report.iter().cloned());
        let cluster = jobs.first().and_then(|job| job.cluster.as_ref());
        options.extend(cluster.map(|name| format!("--clusters={name}")));
        let words: Vec<&OsStr> = self
            .report_command
            .iter()
            .map(OsString::as_os_str)
            .collect();
        sbatch(&options, &script(&words, ""), working_folder)
    }

    /// The largest number of tasks that an array may have.
    fn array_size(&self) -> Result<usize> {
        let mut scontrol = Command::new("scontrol");
        if let Some(clusters) = &self.options.clusters {
            scontrol.arg(format!("--clusters={clusters}"));
        }
        // Where Slurm cannot be asked, sbatch will say what is wrong.
        let config = ask(scontrol.args(["show", "config"])).unwrap_or_default();
        match read_array_size(&config).unwrap_or(DEFAULT_ARRAY_SIZE) {
            0 => Err(RunnerError::Slurm(
                "this Slurm takes no job arrays: MaxArraySize is 0".into(),
            )),
            size => Ok(size),
        }
    }
}

/// The error of an array that was refused after `done` of `all` runs were submitted.
fn half_submitted(source: RunnerError, jobs: &[Job], done: usize, all: usize) -> RunnerError {
    if jobs.is_empty() {
        return source;
    }
    RunnerError::HalfSubmitted {
        submitted: format!(
            "{} submitted as {}; {} others and the report were not submitted; submit again \
             when Slurm accepts more, or choose fewer runs",
            count(done),
            names(jobs),
            all - done
        ),
        source: Box::new(source),
    }
}

/// `1 run`, or `2 runs`.
fn count(runs: usize) -> String {
    match runs {
        1 => "1 run".into(),
        runs => format!("{runs} runs"),
    }
}

/// `job 1`, or `jobs 1, 2`.
fn names(jobs: &[Job]) -> String {
    let numbers: Vec<&str> = jobs.iter().map(|job| job.number.as_str()).collect();
    let plural = if jobs.len() == 1 { "" } else { "s" };
    format!("job{plural} {}", numbers.join(", "))
}

/// The option that sends the output of a job to the file `name` in `folder`. In `name`
/// Slurm's patterns count, such as `%j`; in `folder` they do not.
fn output_option(folder: &Path, name: &str) -> String {
    let folder = folder.display().to_string().replace('%', "%%");
    format!("--output={folder}/{name}")
}

/// The size of an array in what `scontrol show config` prints. If it prints the configs of
/// several clusters, the smallest.
fn read_array_size(config: &str) -> Option<usize> {
    let lines = config.lines().filter_map(|line| line.split_once('='));
    let sizes = lines.filter(|(key, _)| key.trim() == "MaxArraySize");
    sizes.filter_map(|(_, size)| size.trim().parse().ok()).min()
}

/// A shell script that becomes a command: `words` as they are, then `more`, which the shell
/// expands.
fn script(words: &[&OsStr], more: &str) -> Vec<u8> {
    let mut script = b"#!/bin/sh\nexec".to_vec();
    for word in words {
        // Within single quotes only the single quote means anything.
        script.extend(b" '");
        for &byte in word.as_encoded_bytes() {
            match byte {
                b'\'' => script.extend(br"'\''"),
                byte => script.push(byte),
            }
        }
        script.push(b'\'');
    }
    script.extend(format!(" {more}\n").bytes());
    script
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_quotes_what_the_shell_would_take_apart() {
        let words = ["/a b/x", "it's", "$HOME"].map(OsStr::new);
        let script = String::from_utf8(script(&words, "\"$1\"")).expect("text");
        let output = Command::new("sh")
            .args([
                "-c",
                &script.replace("exec", "printf '%s,'"),
                "sh",
                "last one",
            ])
            .output()
            .expect("a shell");
        let printed = String::from_utf8_lossy(&output.stdout);
        assert_eq!(printed, "/a b/x,it's,$HOME,last one,");
    }

    #[test]
    fn a_folder_has_no_patterns_of_slurm() {
        let option = output_option(Path::new("/a 50%a"), "%A_%a.txt");
        assert_eq!(option, "--output=/a 50%%a/%A_%a.txt");
    }

    #[test]
    fn the_size_of_an_array_is_read() {
        let config = "MaxArrayTasks = 7\nMaxArraySize            = 1001\nMaxJobCount = 10\n";
        assert_eq!(read_array_size(config), Some(1001));
        assert_eq!(
            read_array_size("MaxArraySize = 9\nMaxArraySize = 3"),
            Some(3)
        );
        assert_eq!(read_array_size(""), None);
    }
}
