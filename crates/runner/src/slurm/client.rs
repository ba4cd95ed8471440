//! Calls the programs of Slurm, such as `sbatch` and `squeue`.

use std::io::{ErrorKind, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::{Result, RunnerError};

/// Environment variables that would make `sbatch` change the array, submit nothing, or wait.
/// No option of the command line overrides them, so they are removed.
const VARIABLES: [&str; 3] = ["SBATCH_ARRAY_INX", "SBATCH_TEST_ONLY", "SBATCH_WAIT"];

/// A job that Slurm has accepted.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    /// The job number.
    pub number: String,
    /// The cluster of the job, if `sbatch` names one.
    pub cluster: Option<String>,
}

/// Runs a program of Slurm and returns what it prints.
pub(crate) fn ask(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output();
    printed(&name, output)
}

/// Submits `script` with `options`. The script is started in the folder `working_folder`.
pub(crate) fn sbatch(options: &[String], script: &[u8], working_folder: &Path) -> Result<Job> {
    let mut command = Command::new("sbatch");
    command
        .arg("--parsable")
        .args(options)
        .current_dir(working_folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    for name in VARIABLES {
        command.env_remove(name);
    }
    let output = command.spawn().and_then(|mut child| {
        if let Some(mut stdin) = child.stdin.take() {
            // Writing fails if sbatch has already ended. Its standard error has the reason.
            let _ = stdin.write_all(script);
        }
        child.wait_with_output()
    });
    let printed = printed("sbatch", output)?;
    // `12`, or `12;cluster`.
    let (number, cluster) = match printed.trim().split_once(';') {
        Some((number, cluster)) => (number, Some(cluster.to_string())),
        None => (printed.trim(), None),
    };
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(RunnerError::Slurm(format!(
            "sbatch printed this in place of a job number: {}",
            printed.trim()
        )));
    }
    Ok(Job {
        number: number.to_string(),
        cluster,
    })
}

/// The standard output of the program `name`, or an error if the program failed.
fn printed(name: &str, output: std::io::Result<Output>) -> Result<String> {
    let output = output.map_err(|error| {
        RunnerError::Slurm(match error.kind() {
            ErrorKind::NotFound => {
                format!("cannot find the program {name}; is Slurm installed?")
            }
            _ => format!("cannot start {name}: {error}"),
        })
    })?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        return Err(RunnerError::Slurm(format!(
            "{name} failed: {}",
            stderr.trim()
        )));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
