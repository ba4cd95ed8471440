//! Submits missing runs to Slurm, and a job that writes the report after them.

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

/// The largest number of tasks in an array if Slurm does not report it. This is the default
/// of Slurm.
const DEFAULT_ARRAY_SIZE: usize = 1001;

/// The options for submitting runs.
#[derive(Debug, Clone)]
pub struct Submitter {
    /// The options that the user gives for `sbatch`.
    pub options: SlurmOptions,
    /// How many runs of an array train at a time; `None` for no limit.
    pub jobs: Option<u64>,
    /// Whether to train runs that have their result already.
    pub fresh: bool,
    /// The command line that trains a task. The path of the tasks file and the index of the
    /// task are appended.
    pub task_command: Vec<OsString>,
    /// The command line that writes the report.
    pub report_command: Vec<OsString>,
}

/// The jobs that were submitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// How many runs were submitted.
    pub runs: usize,
    /// The job numbers of the arrays.
    pub jobs: Vec<String>,
    /// The job number of the report.
    pub report: String,
}

impl Submitter {
    /// Submits the runs `missing`, and a job that writes the report after them. If there are
    /// more runs than Slurm allows in an array, they are submitted as several arrays. The
    /// submitted runs are added to `queue`.
    ///
    /// # Errors
    ///
    /// If Slurm refuses a job. [`RunnerError::HalfSubmitted`] if it accepted others before.
    pub fn submit(
        &self,
        layout: &Layout,
        queue: &mut Queue,
        missing: &[RunSlot],
        program: &TrainingProgram,
    ) -> Result<Submission> {
        let folder = layout.root().join("slurm");
        std::fs::create_dir_all(&folder).map_err(RunnerError::io("create the folder", &folder))?;
        // The tasks use their own copy of the program, so that a build while they are queued
        // does not change the program that they train with.
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
                    // The tasks were not submitted, so nothing reads their file.
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
        // If scontrol fails, sbatch will fail too, and its error names the reason.
        let config = ask(scontrol.args(["show", "config"])).unwrap_or_default();
        match read_array_size(&config).unwrap_or(DEFAULT_ARRAY_SIZE) {
            0 => Err(RunnerError::Slurm(
                "this Slurm accepts no job arrays: MaxArraySize is 0".into(),
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

/// The option that writes the output of a job to the file `name` in `folder`. Slurm expands
/// patterns such as `%j` in `name`. A percent sign in `folder` is escaped.
fn output_option(folder: &Path, name: &str) -> String {
    let folder = folder.display().to_string().replace('%', "%%");
    format!("--output={folder}/{name}")
}

/// The largest size of an array, from the output of `scontrol show config`. If the output has
/// several clusters, the smallest of their values.
fn read_array_size(config: &str) -> Option<usize> {
    let lines = config.lines().filter_map(|line| line.split_once('='));
    let sizes = lines.filter(|(key, _)| key.trim() == "MaxArraySize");
    sizes.filter_map(|(_, size)| size.trim().parse().ok()).min()
}

/// A shell script that executes a command: `words`, quoted, then `more`, which the shell
/// expands.
fn script(words: &[&OsStr], more: &str) -> Vec<u8> {
    let mut script = b"#!/bin/sh\nexec".to_vec();
    for word in words {
        // Within single quotes, only the single quote is special.
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
    fn a_script_quotes_blanks_and_special_characters() {
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
    fn percent_signs_in_a_folder_are_escaped() {
        let option = output_option(Path::new("/a 50%a"), "%A_%a.txt");
        assert_eq!(option, "--output=/a 50%%a/%A_%a.txt");
    }

    #[test]
    fn the_largest_size_of_an_array_is_read() {
        let config = "MaxArrayTasks = 7\nMaxArraySize            = 1001\nMaxJobCount = 10\n";
        assert_eq!(read_array_size(config), Some(1001));
        assert_eq!(
            read_array_size("MaxArraySize = 9\nMaxArraySize = 3"),
            Some(3)
        );
        assert_eq!(read_array_size(""), None);
    }
}
