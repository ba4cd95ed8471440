//! Trains a matrix with Slurm. Some tests start the daemons of Slurm on this machine, in a
//! temporary folder. They need an installed Slurm, and the user root for slurmd. In the other
//! tests, scripts stand in for the programs of Slurm.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use common::{Place, stderr, stdout, wait_until};

/// The lock of the running cluster, because only one may run at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// The daemons of Slurm. They are killed when this value is dropped.
struct Cluster {
    place: Place,
    /// The folder of the daemons. Its path has no blanks, because the configuration of Slurm does
    /// not allow them.
    home: tempfile::TempDir,
    daemons: Vec<Child>,
    _alone: MutexGuard<'static, ()>,
}

fn word(command: &str) -> String {
    let output = Command::new("sh").args(["-c", command]).output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().to_string()
}

impl Cluster {
    /// Starts munged, slurmctld and slurmd, with the further lines `more` in slurm.conf. `None`
    /// if this machine cannot run them.
    #[track_caller]
    fn start(more: &str) -> Option<Self> {
        for name in ["munged", "slurmctld", "slurmd", "sbatch"] {
            kindling_testing::program(name, "install Slurm (slurm-wlm and munge on Debian)")?;
        }
        if word("id -u") != "0" {
            kindling_testing::skipped("right to start slurmd", "run this test as root");
            return None;
        }
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let place = Place::new();
        let mut cluster = Self {
            daemons: Vec::new(),
            place,
            home: tempfile::tempdir_in("/tmp").unwrap(),
            _alone: alone,
        };
        for folder in ["state", "spool"] {
            std::fs::create_dir(cluster.path(folder)).unwrap();
        }
        let key: Vec<u8> = (0..128).map(|byte| byte * 31 % 251).collect();
        std::fs::write(cluster.path("key"), key).unwrap();
        std::fs::set_permissions(cluster.path("key"), PermissionsExt::from_mode(0o400)).unwrap();
        let host = word("hostname");
        let cores = word("nproc");
        // These ports depend on the process, so that other processes hardly use the same ones.
        let port = 20_000 + std::process::id() % 20_000;
        let at = |name: &str| cluster.path(name).display().to_string();
        let text = format!(
            "ClusterName=kindling\nSlurmctldHost={host}(127.0.0.1)\nSlurmUser=root\n\
             AuthType=auth/munge\nAuthInfo=socket={}\nStateSaveLocation={}\n\
             SlurmdSpoolDir={}\nSlurmctldPidFile={}\nSlurmdPidFile={}\nSlurmctldPort={port}\n\
             SlurmdPort={}\nProctrackType=proctrack/pgid\nTaskPlugin=task/none\n\
             SelectType=select/cons_tres\nSelectTypeParameters=CR_CPU\nReturnToService=2\n\
             MinJobAge=5\nSchedulerParameters=sched_interval=1,batch_sched_delay=0\n\
             NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} State=UNKNOWN\n\
             PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP\n{more}\n",
            at("socket"),
            at("state"),
            at("spool"),
            at("ctld.pid"),
            at("slurmd.pid"),
            port + 1,
        );
        std::fs::write(cluster.path("slurm.conf"), text).unwrap();
        let munged = [
            "munged".to_string(),
            "--force".into(),
            "--foreground".into(),
            format!("--key-file={}", at("key")),
            format!("--socket={}", at("socket")),
            format!("--pid-file={}", at("munge.pid")),
            format!("--log-file={}", at("munge.log")),
            format!("--seed-file={}", at("munge.seed")),
        ];
        let slurmctld = ["slurmctld", "-D"].map(String::from);
        let slurmd = ["slurmd", "-D", "-N", &host].map(String::from);
        for command in [&munged[..], &slurmctld, &slurmd] {
            let daemon = Command::new(&command[0])
                .args(&command[1..])
                .env("SLURM_CONF", cluster.path("slurm.conf"))
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            cluster.daemons.push(daemon);
            if cluster.daemons.len() == 1 {
                wait_until(|| cluster.path("socket").exists());
            }
        }
        wait_until(|| cluster.ask("sinfo --noheader --format=%T") == "idle");
        Some(cluster)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn ask(&self, command: &str) -> String {
        let output = Command::new("sh")
            .args(["-c", command])
            .env("SLURM_CONF", self.path("slurm.conf"))
            .output()
            .unwrap();
        stdout(&output).trim().to_string()
    }

    /// A command `experiments` with the fake kindling, which waits for the file `hold`.
    fn command(&self, words: &str) -> Command {
        let mut command = self.place.xtask(&format!("experiments {words}"));
        command
            .env("SLURM_CONF", self.path("slurm.conf"))
            .env("FAKE_HOLD", self.path("hold"))
            .env("FAKE_FAIL", "mlp-10 1");
        command
    }

    fn experiments(&self, words: &str) -> Output {
        self.command(words).output().unwrap()
    }

    fn submit(&self, words: &str) -> String {
        let output = self.experiments(&format!("--executor slurm {words}"));
        assert!(output.status.success(), "{}", stderr(&output));
        stdout(&output) + &stderr(&output)
    }

    /// Waits until no job is left.
    fn idle(&self) {
        wait_until(|| self.ask("squeue --noheader").is_empty());
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for daemon in self.daemons.iter_mut().rev() {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }
}

#[test]
fn a_matrix_is_a_job_array_and_only_what_is_missing_is_submitted() {
    let Some(cluster) = Cluster::start("") else {
        return;
    };
    let printed = cluster.submit("--only mlp --seeds 2 --slurm-args --comment=kept");
    assert!(
        printed.contains("4 runs submitted as job 1, the report as job 2"),
        "{printed}"
    );
    assert_eq!(
        cluster.ask("squeue --noheader --jobs=1 --format=%k | uniq"),
        "kept"
    );
    // Runs that are queued or running are neither submitted again nor trained on this machine.
    let printed = cluster.submit("--only mlp --seeds 2");
    assert!(printed.contains("Slurm already has 4 runs"), "{printed}");
    assert!(printed.contains("nothing to submit"), "{printed}");
    let local = cluster.experiments("--only mlp --seeds 2");
    assert_eq!(local.status.code(), Some(2));
    assert!(
        stderr(&local).contains("Slurm still has 4 of these runs"),
        "{}",
        stderr(&local)
    );
    let printed = cluster.submit("--only mlp --only pca --seeds 2");
    assert!(printed.contains("1 run submitted as job "), "{printed}");

    std::fs::write(cluster.path("hold"), "").unwrap();
    cluster.idle();
    let place = &cluster.place;
    assert_eq!(
        place.trained(),
        ["mlp 0", "mlp 1", "mlp-10 0", "mlp-10 1", "pca 0"]
    );
    for (cell, seed) in [("mlp", 0), ("mlp", 1), ("mlp-10", 0), ("pca", 0)] {
        assert_eq!(place.record(cell, seed).host.threads, 1);
    }
    // The failed run has a record, and the report was written.
    let failed = place.partial("mlp-10", 1).read_record().unwrap().unwrap();
    assert!(failed.error.unwrap().contains("NaN"));
    let report = std::fs::read_to_string(place.out().join("report/report.md")).unwrap();
    assert!(report.contains("mlp-10 seed 1"), "{report}");
    // Only the failed run is submitted again.
    let printed = cluster.submit("--only mlp --only pca --seeds 2");
    assert!(printed.contains("1 run submitted"), "{printed}");
    cluster.idle();
    assert_eq!(place.trained(), ["mlp-10 1"]);
}

#[test]
fn without_slurm_the_error_names_the_missing_program() {
    let place = Place::new();
    let output = place
        .xtask("experiments --only pca --executor slurm")
        .env("PATH", "/nowhere")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let printed = stderr(&output);
    assert!(
        printed.contains("cannot find the program sbatch; is Slurm installed?"),
        "{printed}"
    );
    for flag in ["--slurm-args", "--slurm-report-args"] {
        let output = place
            .xtask(&format!("experiments {flag} --time=1"))
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2));
        let printed = format!("{flag} needs --executor slurm");
        assert!(stderr(&output).contains(&printed), "{}", stderr(&output));
    }
}

/// Writes a shell script to the folder `bin` in `place`.
fn program(place: &Place, name: &str, text: &str) {
    let path = place.path("bin").join(name);
    std::fs::create_dir_all(place.path("bin")).unwrap();
    std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
}

/// The variable PATH with the folder `bin` in `place` before all others.
fn path(place: &Place) -> std::ffi::OsString {
    let path = std::env::var_os("PATH").unwrap();
    let folders = std::iter::once(place.path("bin")).chain(std::env::split_paths(&path));
    std::env::join_paths(folders).unwrap()
}

/// The numbers in a text.
fn numbers(text: &str) -> Vec<u32> {
    let words = text.split(|letter: char| !letter.is_ascii_digit());
    words.filter_map(|word| word.parse().ok()).collect()
}

#[test]
fn more_runs_than_an_array_can_hold_become_several_arrays() {
    let Some(cluster) = Cluster::start("MaxArraySize=3") else {
        return;
    };
    // The script refuses the second array, as Slurm does if a user has too many jobs.
    let place = &cluster.place;
    let real = kindling_testing::program("sbatch", "install slurm-wlm").unwrap();
    let (again, real) = (place.path("again"), real.display().to_string());
    let text = format!(
        "if [ -e '{0}' ]; then\necho 'error: QOSMaxSubmitJobPerUserLimit' >&2; exit 1\nfi\n\
         touch '{0}'; exec '{real}' \"$@\"",
        again.display()
    );
    program(place, "sbatch", &text);
    let words = "--executor slurm --only mlp --seeds 4 --jobs 1";
    let mut command = cluster.command(words);
    let output = command.env("PATH", path(place)).output().unwrap();
    let printed = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{printed}");
    assert!(printed.contains("3 runs submitted as job "), "{printed}");
    assert!(
        printed.contains("5 others and the report were not submitted"),
        "{printed}"
    );
    assert!(printed.contains("QOSMaxSubmitJobPerUserLimit"), "{printed}");
    // The next call submits only the runs that were not submitted before.
    let printed = cluster.submit("--only mlp --seeds 4 --jobs 1");
    assert!(printed.contains("Slurm already has 3 runs"), "{printed}");
    let line = printed.lines().find(|line| line.contains("submitted as"));
    let [runs, first, second, report] = numbers(line.unwrap())[..] else {
        panic!("{printed}");
    };
    assert_eq!(runs, 5);
    // The report waits for both arrays. Each array trains one run at a time.
    let waits = cluster.ask(&format!("squeue --noheader --jobs={report} --format=%E"));
    for job in [first, second] {
        assert!(waits.contains(&format!("afterany:{job}_")), "{waits}");
        let about = cluster.ask(&format!("scontrol show job {job}"));
        assert!(about.contains("ArrayTaskThrottle=1"), "{about}");
    }
    std::fs::write(cluster.path("hold"), "").unwrap();
    cluster.idle();
    let trained = place.trained();
    assert_eq!(trained.len(), 8, "none twice: {trained:?}");
    let report = std::fs::read_to_string(place.out().join("report/report.md")).unwrap();
    assert!(report.contains("mlp-10 seed 1"), "{report}");
}

/// Writes scripts that stand in for the programs of Slurm and log their arguments. An array may
/// have two tasks, and the queue is always empty.
fn scripts(place: &Place) {
    let log = place.path("slurm.log").display().to_string();
    let log_call = |name: &str| format!("printf '%s\\n' \"{name} $*\" >> '{log}'");
    program(
        place,
        "sbatch",
        &format!(
            "{}\ncat > /dev/null\necho \"$(grep -c ^sbatch '{log}');east\"",
            log_call("sbatch")
        ),
    );
    program(
        place,
        "scontrol",
        &format!(
            "{}\necho 'MaxArraySize            = 2'",
            log_call("scontrol")
        ),
    );
    program(place, "squeue", &log_call("squeue"));
}

#[test]
fn options_are_passed_on_to_slurm() {
    let place = Place::new();
    scripts(&place);
    let log = place.path("slurm.log");
    let submit = |more: &[&str]| {
        let words = "experiments --only mlp --seeds 2 --executor slurm";
        let mut command = place.xtask(words);
        command.args(more).env("PATH", path(&place));
        // These would make an array of the report, or wait for a job.
        let command = command
            .env("SBATCH_ARRAY_INX", "0-9")
            .env("SBATCH_WAIT", "1");
        command.output().unwrap()
    };
    // These options are refused before anything is submitted.
    for (arguments, expected) in [
        ("--array=0-9", "--array cannot be passed on"),
        ("-p gpu -a 1", "--array cannot be passed on"),
        ("--wait", "cargo xtask watch"),
        ("job.sh", "`job.sh` is not an option of sbatch"),
        ("--comment='a", "a quote is not closed"),
    ] {
        for flag in ["--slurm-args", "--slurm-report-args"] {
            let output = submit(&[flag, arguments]);
            assert_eq!(output.status.code(), Some(2), "{arguments}");
            let problem = stderr(&output);
            assert!(
                problem.contains(expected) && problem.contains(flag),
                "{problem}"
            );
            assert!(!log.exists() && !place.out().exists(), "{arguments}");
        }
    }
    let output = submit(&[
        "--slurm-args=--comment='two  words' --gres=gpu:1 -p gpu",
        "--slurm-args=--account=me --clusters=east,west",
        "--slurm-report-args=--partition=cpu",
    ]);
    assert!(output.status.success(), "{}", stderr(&output));
    let printed = stdout(&output);
    let expected = "4 runs submitted as jobs 1, 2, the report as job 3";
    assert!(printed.contains(expected), "{printed}");
    let calls = std::fs::read_to_string(&log).unwrap();
    let calls: Vec<&str> = calls.lines().collect();
    let [scontrol, first, second, report] = calls[..] else {
        panic!("{calls:#?}");
    };
    assert_eq!(scontrol, "scontrol --clusters=east,west show config");
    for (array, end) in [(first, "east,west"), (second, "--clusters=east")] {
        assert!(array.contains("--array=0-1 "), "{array}");
        let passed = "--comment=two  words --gres=gpu:1 -p gpu --account=me --clusters=east,west";
        assert!(array.contains(passed) && array.ends_with(end), "{array}");
    }
    // The report gets the options about where a job may run and its own options. It waits for
    // both arrays, and runs on the cluster of the arrays.
    let passed = "-p gpu --account=me --clusters=east,west --partition=cpu --clusters=east";
    assert!(report.ends_with(passed), "{report}");
    assert!(report.contains("--dependency=afterany:1:2 "), "{report}");
    // The next call asks the cluster of the arrays for their state.
    assert!(submit(&["--slurm-args="]).status.success());
    let calls = std::fs::read_to_string(&log).unwrap();
    let asked = "squeue --noheader --array --format=%i --clusters=east";
    assert!(calls.contains(asked), "{calls}");
    // An output of sbatch that is not a number is an error.
    program(&place, "sbatch", "cat > /dev/null; echo Submitted");
    let output = submit(&[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("sbatch printed this in place of a job number: Submitted"));
}

/// Creates a folder with the programs that scripts need. As PATH, it contains no program of
/// Slurm.
fn path_without_slurm(place: &Place) -> PathBuf {
    let folder = place.path("tools");
    std::fs::create_dir(&folder).unwrap();
    for name in [
        "sh",
        "sed",
        "cat",
        "head",
        "cut",
        "sha256sum",
        "sleep",
        "grep",
        "awk",
        "tr",
    ] {
        let program = kindling_testing::program(name, "install it").unwrap();
        std::os::unix::fs::symlink(program, folder.join(name)).unwrap();
    }
    folder
}

#[test]
fn a_folder_with_submitted_runs_can_be_used_where_slurm_is_missing() {
    for (text, why) in [
        (None, "cannot find the program squeue"),
        (
            Some("echo 'Unable to contact slurm controller' >&2; exit 1"),
            "squeue failed: Unable to contact slurm controller",
        ),
    ] {
        let place = Place::new();
        let mut path = path_without_slurm(&place).into_os_string();
        if let Some(text) = text {
            program(&place, "squeue", text);
            path = std::env::join_paths([place.path("bin").as_path(), Path::new(&path)]).unwrap();
        }
        let xtask = |words: &str| place.xtask(words).env("PATH", &path).output().unwrap();
        let given = place.out().join("slurm.json");
        let give = || {
            let text = r#"{"arrays":[{"job":"17","runs":["mlp 0","mlp 1"]}]}"#;
            std::fs::write(&given, text).unwrap();
        };
        std::fs::create_dir(place.out()).unwrap();
        give();
        // Runs that may still be running are neither trained here nor submitted again.
        for more in ["", "--executor slurm", "--fresh"] {
            let output = xtask(&format!("experiments --only mlp --seeds 1 {more}"));
            let printed = stderr(&output);
            assert_eq!(output.status.code(), Some(2), "{printed}");
            for words in [
                "Slurm may still have 1 of these runs, such as mlp 0: they were submitted as job 17",
                why,
                "if you know that they have ended, remove ",
                "slurm.json",
            ] {
                assert!(printed.contains(words), "{words}: {printed}");
            }
            assert!(place.trained().is_empty());
        }
        // Other runs are trained, and all other commands work.
        let output = xtask("experiments --only pca");
        let printed = stderr(&output);
        assert!(output.status.success(), "{printed}");
        assert!(printed.contains("cannot be asked about it"), "{printed}");
        assert_eq!(place.trained(), ["pca 0"]);
        for words in ["report", "claims", "watch", "experiments --list"] {
            let output = xtask(words);
            assert!(output.status.success(), "{words}: {}", stderr(&output));
        }
        // Removing slurm.json is the remedy that the error names.
        std::fs::remove_file(&given).unwrap();
        assert!(xtask("experiments --only mlp --seeds 1").status.success());
        assert_eq!(place.trained(), ["mlp 0", "mlp-10 0"]);
        // A complete run counts as ended, except with --fresh.
        give();
        let output = xtask("experiments --only mlp --seeds 1");
        assert!(output.status.success(), "{}", stderr(&output));
        let output = xtask("experiments --only mlp --seeds 1 --fresh");
        assert_eq!(output.status.code(), Some(2));
        assert!(place.trained().is_empty());
    }
}
