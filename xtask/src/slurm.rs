//! A matrix as a job array of Slurm: a task for each run, then the report.
//!
//! There is no scheduler here: Slurm's own runs `cargo xtask task` for each run, on
//! machines that share this folder, and the tasks leave the same files as local ones.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output, Stdio};

use anyhow::{Context, anyhow, bail};
use kindling_formats::{DeviceName, Layout, RunConfig, Size, if_there, write_atomic};
use serde::{Deserialize, Serialize};

use crate::child::Setup;
use crate::flags::Task;
use crate::kindling::{Kindling, copy_by_content};
use crate::runs::{Recorded, Run};
use crate::sbatch::Options;
use crate::stop::{Outcome, Stop};
use crate::{experiments, matrix, say, workspace};

/// Tasks of an array where Slurm does not say how many it takes: its own default.
const USUAL_ARRAY: usize = 1001;
/// What `sbatch` takes from the environment that would make of the jobs what we cannot
/// follow. The command line has more weight, but has nothing to say against these.
const VARIABLES: [&str; 3] = ["SBATCH_ARRAY_INX", "SBATCH_TEST_ONLY", "SBATCH_WAIT"];

/// What Slurm was given, in the tree of the runs.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Submitted {
    arrays: Vec<Array>,
    /// The names of the runs that wait, or that it trains.
    #[serde(skip)]
    open: BTreeSet<String>,
    /// Why Slurm cannot be asked, so that all its runs may be open.
    #[serde(skip)]
    unasked: Option<String>,
    /// Where this is written.
    #[serde(skip)]
    file: PathBuf,
}

/// A job array: its number, and the run of each task.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Array {
    job: String,
    /// The cluster, where several share a database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cluster: Option<String>,
    runs: Vec<String>,
}

/// What the tasks of an array need.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tasks {
    out: PathBuf,
    size: Size,
    kindling: PathBuf,
    /// What it was built from.
    revision: String,
    device: String,
    fresh: bool,
    tensorboard: bool,
    runs: Vec<TaskRun>,
}

/// A run of them.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TaskRun {
    /// As TOML.
    config: String,
    data_fingerprint: String,
}

impl Submitted {
    /// Reads what it was given for a tree, and asks how much of that is open.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn read(layout: &Layout) -> anyhow::Result<Self> {
        let file = layout.root().join("slurm.json");
        let mut submitted = match if_there("read", &file, std::fs::read(&file))? {
            None => Self::default(),
            Some(bytes) => serde_json::from_slice(&bytes)
                .with_context(|| format!("{} is damaged", file.display()))?,
        };
        submitted.file = file;
        if let Err(error) = submitted.ask() {
            let runs = submitted.arrays.iter().flat_map(|array| &array.runs);
            submitted.open = runs.cloned().collect();
            submitted.unasked = Some(format!("{error:#}"));
        }
        Ok(submitted)
    }

    /// Whether Slurm has this run, waiting or training; where it cannot be asked, whether
    /// it may. A finished run it has not, unless a `fresh` one is wanted.
    pub fn has(&self, run: &Run, fresh: bool) -> bool {
        let may_be_over = self.unasked.is_some() && !fresh;
        self.open.contains(&run.name()) && !(may_be_over && run.recorded() == Recorded::Answered)
    }

    /// Makes sure that a matrix may train the other runs beside those that Slurm has,
    /// which are `queued`. What is submitted to Slurm waits for none.
    ///
    /// # Errors
    ///
    /// If those would have to wait.
    pub fn allow(&self, queued: &[Run], by_slurm: bool) -> Result<(), Stop> {
        let jobs = self.arrays.iter().map(|array| array.job.as_str());
        let jobs = jobs.collect::<Vec<_>>().join(", ");
        let file = workspace::shown(&self.file);
        let Some(first) = queued.first() else {
            if let Some(why) = &self.unasked {
                say::note(format_args!(
                    "Slurm was given runs of this folder as job {jobs} ({file}) and cannot be \
                     asked about them ({why}); those of this matrix are finished"
                ));
            }
            return Ok(());
        };
        let runs = say::count(queued.len(), "run");
        let name = first.name();
        let problem = match &self.unasked {
            None if by_slurm => {
                say::note(format_args!("{runs} with Slurm already"));
                return Ok(());
            }
            None => anyhow!(
                "Slurm has {runs} of this matrix, as {name}; wait for them, or cancel them \
                 (scancel)"
            ),
            Some(why) => anyhow!(
                "Slurm was given {runs} of this matrix, as {name}, as job {jobs}, and cannot be \
                 asked whether they still train: {why}; go on where Slurm can be asked, or, if \
                 you know that they have ended, remove {file}"
            ),
        };
        Err(Stop::BadInput(problem))
    }

    /// Keeps the arrays of which a task waits or runs, and the names of those runs.
    fn ask(&mut self) -> anyhow::Result<()> {
        let clusters: BTreeSet<Option<String>> = self
            .arrays
            .iter()
            .map(|array| array.cluster.clone())
            .collect();
        // A line for each task: `12_3`.
        let mut known = BTreeSet::new();
        for cluster in clusters {
            let mut squeue = Command::new("squeue");
            squeue.args(["--noheader", "--array", "--format=%i"]);
            squeue.args(cluster.iter().map(|name| format!("--clusters={name}")));
            let said = ask(&mut squeue)?;
            let lines = said.lines().map(|line| line.trim().to_string());
            known.extend(lines.map(|task| (cluster.clone(), task)));
        }
        let open = &mut self.open;
        self.arrays.retain(|array| {
            let tasks = array.runs.iter().enumerate();
            let waits = tasks.filter(|(index, _)| {
                let task = format!("{}_{index}", array.job);
                known.contains(&(array.cluster.clone(), task))
            });
            let waits: Vec<&String> = waits.map(|(_, run)| run).collect();
            open.extend(waits.iter().map(|run| run.to_string()));
            !waits.is_empty()
        });
        Ok(())
    }

    /// Adds an array to the file, so that none of its runs is submitted twice.
    ///
    /// # Errors
    ///
    /// If the file cannot be written; the array is cancelled then.
    fn add(&mut self, array: Array) -> anyhow::Result<()> {
        let job = array.job.clone();
        let cluster = array.cluster.clone();
        self.arrays.push(array);
        let Err(error) = write_atomic(&self.file, &serde_json::to_vec(self)?) else {
            return Ok(());
        };
        let mut scancel = Command::new("scancel");
        scancel.args(cluster.map(|name| format!("--clusters={name}")));
        Err(match ask(scancel.arg(&job)) {
            Ok(_) => anyhow!("{error}; job {job} is cancelled again"),
            Err(why) => anyhow!("{error}; cancel job {job} by hand, since {why:#}"),
        })
    }
}

/// What a program of Slurm's prints.
fn ask(command: &mut Command) -> anyhow::Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output();
    said(&name, output)
}

/// What the program `name` of Slurm's has printed.
fn said(name: &str, output: std::io::Result<Output>) -> anyhow::Result<String> {
    let output = output.map_err(|error| match error.kind() {
        ErrorKind::NotFound => anyhow!("there is no {name} here; is Slurm installed?"),
        _ => anyhow!("cannot start {name}: {error}"),
    })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{name} refused: {}", said.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// How to submit.
#[derive(Debug, Clone)]
pub struct Slurm {
    /// Passed on to `sbatch`.
    pub options: Options,
    /// Runs of an array that train at a time, where that is limited.
    pub jobs: Option<u64>,
    /// The study that the report is of, where it is not the repository's own.
    pub configs: Option<PathBuf>,
    /// Whether trainings write for TensorBoard.
    pub tensorboard: bool,
    /// Whether to train what is recorded by then.
    pub fresh: bool,
}

/// A job that Slurm has accepted.
struct Job {
    number: String,
    cluster: Option<String>,
}

impl Slurm {
    /// Submits `pending` beside what was `submitted`, in as many arrays as Slurm's limit
    /// of their size asks for, and the report behind them.
    pub fn submit(
        &self,
        layout: &Layout,
        mut submitted: Submitted,
        pending: &[Run],
        kindling: &Kindling,
    ) -> Outcome {
        if pending.is_empty() {
            say::out("nothing to submit");
            return Ok(ExitCode::SUCCESS);
        }
        let folder = layout.root().join("slurm");
        std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        let xtask = std::env::current_exe().context("cannot find this program")?;
        let limit = self.limit()?;
        let mut jobs: Vec<Job> = Vec::new();
        let mut done = 0;
        for runs in pending.chunks(limit) {
            let file = self.write_tasks(layout, runs, kindling, &folder)?;
            let words = [xtask.as_os_str(), OsStr::new("task"), file.as_os_str()];
            let task = script(&words, "\"$SLURM_ARRAY_TASK_ID\"");
            let at_a_time = self.jobs.map_or(String::new(), |jobs| format!("%{jobs}"));
            let array = format!("--array=0-{}{at_a_time}", runs.len() - 1);
            let options = ["--job-name=kindling", &array, &output(&folder, "%A_%a.txt")];
            let cluster = jobs.first().and_then(|job| job.cluster.clone());
            let added = self
                .sbatch(&options, &self.options.runs, cluster.as_deref(), &task)
                .and_then(|job| {
                    submitted.add(Array {
                        job: job.number.clone(),
                        cluster: job.cluster.clone(),
                        runs: runs.iter().map(Run::name).collect(),
                    })?;
                    Ok(job)
                });
            match added {
                Ok(job) => jobs.push(job),
                Err(error) => {
                    // No task will read it.
                    let _ = std::fs::remove_file(&file);
                    return Err(half_way(error, &jobs, done, pending.len()).into());
                }
            }
            done += runs.len();
        }
        let all = say::count(pending.len(), "run");
        let names = names(&jobs);
        let report = self
            .submit_report(layout, &jobs, &xtask, &folder)
            .with_context(|| {
                format!(
                    "{all} submitted as {names}, but not the report; run `cargo xtask report` \
                     when they have ended"
                )
            })?;
        say::out(format_args!(
            "{all} submitted as {names}, the report as job {}\n\
             `cargo xtask watch` follows them; afterwards the same command submits what is missing",
            report.number
        ));
        Ok(ExitCode::SUCCESS)
    }

    /// Writes what the tasks of an array of `runs` need to a file of its own: the tasks of
    /// an earlier array may not have read theirs.
    fn write_tasks(
        &self,
        layout: &Layout,
        runs: &[Run],
        kindling: &Kindling,
        folder: &Path,
    ) -> anyhow::Result<PathBuf> {
        let run = |run: &Run| TaskRun {
            config: run.config.to_toml(),
            data_fingerprint: run.fingerprint.clone(),
        };
        // A copy for the tasks alone: whatever is built while they wait, they train with
        // the program that they were submitted with.
        let program = copy_by_content(kindling.path(), |digest| {
            folder.join(format!("kindling-{digest}"))
        })
        .context("cannot copy the program")?;
        let tasks = Tasks {
            out: layout.out().to_path_buf(),
            size: layout.size(),
            kindling: program,
            revision: kindling.revision().to_string(),
            fresh: self.fresh,
            device: kindling.device().to_string(),
            tensorboard: self.tensorboard,
            runs: runs.iter().map(run).collect(),
        };
        let file = (0..)
            .map(|number| folder.join(format!("tasks-{number}.json")))
            .find(|file| !file.exists())
            .context("no name is free")?;
        write_atomic(&file, &serde_json::to_vec(&tasks)?)?;
        Ok(file)
    }

    /// Submits the report behind all of `jobs`.
    fn submit_report(
        &self,
        layout: &Layout,
        jobs: &[Job],
        xtask: &Path,
        folder: &Path,
    ) -> anyhow::Result<Job> {
        let mut words = vec![
            xtask.as_os_str(),
            OsStr::new("report"),
            OsStr::new("--out"),
            layout.out().as_os_str(),
        ];
        words.extend(match layout.size() {
            Size::Full => None,
            Size::Quick => Some(OsStr::new("--quick")),
            Size::Smoke => Some(OsStr::new("--smoke")),
        });
        if let Some(configs) = &self.configs {
            words.extend([OsStr::new("--configs"), configs.as_os_str()]);
        }
        let numbers: Vec<&str> = jobs.iter().map(|job| job.number.as_str()).collect();
        let after = format!("--dependency=afterany:{}", numbers.join(":"));
        let options = [
            "--job-name=kindling-report",
            &after,
            &output(folder, "report-%j.txt"),
        ];
        let cluster = jobs.first().and_then(|job| job.cluster.as_deref());
        self.sbatch(&options, &self.options.report, cluster, &script(&words, ""))
    }

    /// How many tasks an array may have.
    fn limit(&self) -> anyhow::Result<usize> {
        let mut scontrol = Command::new("scontrol");
        if let Some(clusters) = &self.options.clusters {
            scontrol.arg(format!("--clusters={clusters}"));
        }
        // Where it cannot be asked, sbatch says what is wrong.
        let said = ask(scontrol.args(["show", "config"])).unwrap_or_default();
        let limit = array_size(&said).unwrap_or(USUAL_ARRAY);
        if limit == 0 {
            bail!("this Slurm takes no job arrays: MaxArraySize is 0");
        }
        Ok(limit)
    }

    /// Submits a script: with our `options`, then those of the user, and to `cluster` if
    /// that has others of these jobs.
    fn sbatch(
        &self,
        options: &[&str],
        of_user: &[String],
        cluster: Option<&str>,
        script: &[u8],
    ) -> anyhow::Result<Job> {
        let mut command = Command::new("sbatch");
        command
            .arg("--parsable")
            .args(options)
            .args(of_user)
            .args(cluster.map(|name| format!("--clusters={name}")))
            .current_dir(workspace::root())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for name in VARIABLES {
            command.env_remove(name);
        }
        let output = command.spawn().and_then(|mut child| {
            if let Some(mut stdin) = child.stdin.take() {
                // If it has ended before, it says why.
                let _ = stdin.write_all(script);
            }
            child.wait_with_output()
        });
        let said = said("sbatch", output)?;
        // `12`, or `12;cluster`.
        let (number, cluster) = match said.trim().split_once(';') {
            Some((number, cluster)) => (number, Some(cluster.to_string())),
            None => (said.trim(), None),
        };
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            bail!("sbatch printed no job number, but: {}", said.trim());
        }
        Ok(Job {
            number: number.to_string(),
            cluster,
        })
    }
}

/// The error of an array that was refused after `done` runs of `all` were submitted.
fn half_way(error: anyhow::Error, jobs: &[Job], done: usize, all: usize) -> anyhow::Error {
    if jobs.is_empty() {
        return error;
    }
    error.context(format!(
        "{} submitted as {}, {} more not, nor the report; the same command submits the rest \
         once Slurm takes it, and --only and --seeds choose fewer",
        say::count(done, "run"),
        names(jobs),
        all - done
    ))
}

/// `job 1`, or `jobs 1, 2`.
fn names(jobs: &[Job]) -> String {
    let numbers: Vec<&str> = jobs.iter().map(|job| job.number.as_str()).collect();
    let plural = if jobs.len() == 1 { "" } else { "s" };
    format!("job{plural} {}", numbers.join(", "))
}

/// The option by which a job's output goes to the file `name` of `folder`, where `name`
/// has Slurm's patterns and `folder` has none.
fn output(folder: &Path, name: &str) -> String {
    let folder = folder.display().to_string().replace('%', "%%");
    format!("--output={folder}/{name}")
}

/// How many tasks an array may have, by what `scontrol show config` says; of several
/// clusters, on all.
fn array_size(config: &str) -> Option<usize> {
    let lines = config.lines().filter_map(|line| line.split_once('='));
    let sizes = lines.filter(|(key, _)| key.trim() == "MaxArraySize");
    sizes.filter_map(|(_, size)| size.trim().parse().ok()).min()
}

/// A script that becomes a command: `words` as they are, then `more` for the shell.
fn script(words: &[&OsStr], more: &str) -> Vec<u8> {
    let mut script = b"#!/bin/sh\nexec".to_vec();
    for word in words {
        // Within single quotes only they themselves mean anything.
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

/// `cargo xtask task`: trains one run of an array, as a local matrix would.
pub fn task(flags: &Task) -> Outcome {
    let bytes = std::fs::read(&flags.tasks).with_context(|| flags.tasks.display().to_string())?;
    let tasks: Tasks = serde_json::from_slice(&bytes)?;
    let task = tasks.runs.get(flags.index).ok_or_else(|| {
        let runs = say::count(tasks.runs.len(), "run");
        Stop::BadInput(anyhow!(
            "there is no task {}; there are {runs}",
            flags.index
        ))
    })?;
    let origin = flags.tasks.display().to_string();
    let config = RunConfig::from_table(task.config.parse()?, &origin).map_err(Stop::input)?;
    let layout = Layout::new(&tasks.out, tasks.size);
    let run = Run::new(config, task.data_fingerprint.clone(), &layout);
    let device: DeviceName = tasks
        .device
        .parse()
        .map_err(|error: String| Stop::BadInput(anyhow!(error)))?;
    let threads = std::env::var("SLURM_CPUS_PER_TASK").ok();
    let setup = Setup {
        kindling: Kindling::at(tasks.kindling, device, tasks.revision)
            .with_tensorboard(tasks.tensorboard),
        threads: threads
            .and_then(|threads| threads.parse().ok())
            .unwrap_or(1),
        fresh: tasks.fresh,
    };
    let ended = matrix::train(std::slice::from_ref(&run), &setup, 1);
    for ended in &ended {
        for warning in &ended.warnings {
            say::err(format_args!("warning: {warning}"));
        }
        if let Some(failure) = &ended.failure {
            say::err(format_args!("error: {} failed: {failure}", run.name()));
        }
    }
    Ok(experiments::code(&ended))
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
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(said, "/a b/x,it's,$HOME,last one,");
    }

    #[test]
    fn a_folder_has_no_patterns_of_slurm() {
        let option = output(Path::new("/a 50%a"), "%A_%a.txt");
        assert_eq!(option, "--output=/a 50%%a/%A_%a.txt");
    }

    #[test]
    fn the_size_of_an_array_is_read() {
        let config = "MaxArrayTasks = 7\nMaxArraySize            = 1001\nMaxJobCount = 10\n";
        assert_eq!(array_size(config), Some(1001));
        assert_eq!(array_size("MaxArraySize = 9\nMaxArraySize = 3"), Some(3));
        assert_eq!(array_size(""), None);
    }
}
