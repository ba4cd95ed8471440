//! A matrix as a job array of Slurm: a task for each run, then the report.
//!
//! There is no scheduler here: Slurm's own runs `cargo xtask task` for each run, on
//! machines that share this folder, and the tasks leave the same files as local ones.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, anyhow, bail};
use kindling_spec::{DeviceName, Layout, RunConfig, Size, if_there, write_atomic};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::child::Setup;
use crate::flags::Task;
use crate::kindling::Kindling;
use crate::runs::Run;
use crate::stop::{Outcome, Stop};
use crate::{experiments, matrix, say, workspace};

/// What Slurm was given, in the tree of the runs.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Submitted {
    arrays: Vec<Array>,
    /// The names of the runs that wait, or that it trains.
    #[serde(skip)]
    open: BTreeSet<String>,
}

/// A job array: its number, and the run of each task.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Array {
    job: String,
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

fn path(layout: &Layout) -> PathBuf {
    layout.root().join("slurm.json")
}

impl Submitted {
    /// Reads what it was given for a tree, and asks how much of that is open.
    ///
    /// # Errors
    ///
    /// If it has been given some, and cannot be asked.
    pub fn read(layout: &Layout) -> anyhow::Result<Self> {
        let path = path(layout);
        let Some(bytes) = if_there("read", &path, std::fs::read(&path))? else {
            return Ok(Self::default());
        };
        let submitted: Self =
            serde_json::from_slice(&bytes).with_context(|| path.display().to_string())?;
        submitted.still_open()
    }

    /// Whether Slurm has this run, waiting or training.
    pub fn has(&self, run: &Run) -> bool {
        self.open.contains(&run.name())
    }

    /// Keeps the arrays of which a task waits or runs, and the names of those runs.
    fn still_open(mut self) -> anyhow::Result<Self> {
        if self.arrays.is_empty() {
            return Ok(self);
        }
        // A line for each task: `12_3`.
        let known = ask(Command::new("squeue").args(["--noheader", "--array", "--format=%i"]))?;
        let known: BTreeSet<&str> = known.lines().map(str::trim).collect();
        let open = &mut self.open;
        self.arrays.retain(|array| {
            let tasks = array.runs.iter().enumerate();
            let waits = tasks.filter(|(index, _)| {
                let task = format!("{}_{index}", array.job);
                known.contains(task.as_str())
            });
            let waits: Vec<&String> = waits.map(|(_, run)| run).collect();
            open.extend(waits.iter().map(|run| run.to_string()));
            !waits.is_empty()
        });
        Ok(self)
    }
}

/// What a program of Slurm's prints.
fn ask(command: &mut Command) -> anyhow::Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {name}; is Slurm installed here?"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{name} failed: {}", said.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// How to submit.
#[derive(Debug, Clone)]
pub struct Slurm {
    /// Passed on to `sbatch`.
    pub arguments: Vec<String>,
    /// The study that the report is of, where it is not the repository's own.
    pub configs: Option<PathBuf>,
    /// Whether trainings write for TensorBoard.
    pub tensorboard: bool,
    /// Whether to train what is recorded by then.
    pub fresh: bool,
}

impl Slurm {
    /// Submits `pending` beside what was `submitted`, and the report behind them.
    pub fn submit(
        &self,
        out: &Path,
        variant: Option<String>,
        layout: &Layout,
        mut submitted: Submitted,
        pending: &[Run],
        kindling: &Kindling,
    ) -> Outcome {
        let Some(last) = pending.len().checked_sub(1) else {
            say::out("nothing to submit");
            return Ok(ExitCode::SUCCESS);
        };
        let folder = layout.root().join("slurm");
        std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        let program = own_program(kindling, &folder)?;
        let run = |run: &Run| TaskRun {
            config: run.config.to_toml(),
            data_fingerprint: run.fingerprint.clone(),
        };
        let tasks = Tasks {
            out: layout.out().to_path_buf(),
            size: layout.size(),
            kindling: program,
            revision: kindling.revision().to_string(),
            fresh: self.fresh,
            device: kindling.device().to_string(),
            tensorboard: self.tensorboard,
            runs: pending.iter().map(run).collect(),
        };
        // Of a name of its own: the tasks of an earlier array may not have read theirs.
        let file = (0..)
            .map(|number| folder.join(format!("tasks-{number}.json")))
            .find(|file| !file.exists())
            .context("no name is free")?;
        write_atomic(&file, &serde_json::to_vec(&tasks)?)?;

        let xtask = std::env::current_exe().context("cannot find this program")?;
        let array = format!("--array=0-{last}");
        let output = format!("--output={}", folder.join("%A_%a.txt").display());
        let task = script(
            &[&xtask, Path::new("task"), &file],
            "\"$SLURM_ARRAY_TASK_ID\"",
        );
        let job = self.sbatch(&["--job-name=kindling", &array, &output], &task)?;
        submitted.arrays.push(Array {
            job: job.clone(),
            runs: pending.iter().map(Run::name).collect(),
        });
        write_atomic(&path(layout), &serde_json::to_vec(&submitted)?)?;

        let mut words = vec![&xtask, Path::new("report"), Path::new("--out"), out];
        let variant = variant.map(PathBuf::from);
        if let Some(variant) = &variant {
            words.extend([Path::new("--variant"), variant]);
        }
        words.extend(match layout.size() {
            Size::Full => None,
            Size::Quick => Some(Path::new("--quick")),
            Size::Smoke => Some(Path::new("--smoke")),
        });
        if let Some(configs) = &self.configs {
            words.extend([Path::new("--configs"), configs]);
        }
        let after = format!("--dependency=afterany:{job}");
        let output = format!("--output={}", folder.join("report-%j.txt").display());
        let options = ["--job-name=kindling-report", &after, &output];
        let report = self.sbatch(&options, &script(&words, ""))?;
        say::out(format_args!(
            "{} submitted as job {job}, the report as job {report}\n\
             `cargo xtask watch` follows them; afterwards the same command submits what is missing",
            say::count(pending.len(), "run")
        ));
        Ok(ExitCode::SUCCESS)
    }

    /// Submits a script and returns the job's number.
    fn sbatch(&self, options: &[&str], script: &str) -> anyhow::Result<String> {
        let mut child = Command::new("sbatch")
            .arg("--parsable")
            .args(options)
            .args(
                self.arguments
                    .iter()
                    .flat_map(|words| words.split_whitespace()),
            )
            .current_dir(workspace::root())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot start sbatch; is Slurm installed here?")?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(script.as_bytes())?;
        }
        let output = child.wait_with_output()?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("sbatch refused: {}", said.trim());
        }
        // `12`, or `12;cluster`.
        let said = String::from_utf8_lossy(&output.stdout);
        Ok(said
            .trim()
            .split(';')
            .next()
            .unwrap_or_default()
            .to_string())
    }
}

/// A copy of the program for the tasks alone, named by its content: whatever is built
/// while they wait, they train with the program that they were submitted with.
fn own_program(kindling: &Kindling, folder: &Path) -> anyhow::Result<PathBuf> {
    let bytes = std::fs::read(kindling.path()).context("cannot read the program")?;
    let digest = kindling_spec::hex(&Sha256::digest(&bytes));
    let program = folder.join(format!("kindling-{digest:.12}"));
    if !program.exists() {
        let copy = tempfile::NamedTempFile::new_in(folder)?.into_temp_path();
        std::fs::copy(kindling.path(), &copy)?; // its permissions too
        copy.persist(&program)?;
    }
    Ok(program)
}

/// A script that becomes a command: `words` as they are, then `more` for the shell.
fn script(words: &[&Path], more: &str) -> String {
    let mut script = String::from("#!/bin/sh\nexec");
    for word in words {
        // Within single quotes only they themselves mean anything.
        let word = word.display().to_string().replace('\'', r"'\''");
        let _ = write!(script, " '{word}'");
    }
    format!("{script} {more}\n")
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
        let words = ["/a b/x", "it's", "$HOME"].map(Path::new);
        let script = script(&words, "\"$1\"");
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
}
