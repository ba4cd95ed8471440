//! A matrix on a Slurm of our own: its daemons in a temporary folder, on this machine.
//! Skipped where Slurm is not installed, or we are not root, as slurmd wants it.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use common::{Place, stderr, stdout, until};

/// The daemons, ended when this is dropped.
struct Cluster {
    place: Place,
    daemons: Vec<Child>,
}

fn word(command: &str) -> String {
    let output = Command::new("sh").args(["-c", command]).output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().to_string()
}

impl Cluster {
    /// Starts munged, slurmctld and slurmd; `None` where they cannot be.
    fn start() -> Option<Self> {
        let installed = "for name in munged slurmctld slurmd sbatch; do command -v $name; done";
        if word(installed).lines().count() != 4 || word("id -u") != "0" {
            return None;
        }
        let place = Place::new();
        let mut cluster = Self {
            daemons: Vec::new(),
            place,
        };
        for folder in ["state", "spool"] {
            std::fs::create_dir(cluster.path(folder)).unwrap();
        }
        let key: Vec<u8> = (0..128).map(|byte| byte * 31 % 251).collect();
        std::fs::write(cluster.path("key"), key).unwrap();
        word(&format!("chmod 400 {}", cluster.path("key").display()));
        let host = word("hostname");
        let cores = word("nproc");
        // Ports that nobody else has, most likely.
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
             PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP\n",
            at("socket"),
            at("state"),
            at("spool"),
            at("ctld.pid"),
            at("slurmd.pid"),
            port + 1,
        );
        std::fs::write(cluster.path("slurm.conf"), text).unwrap();
        let munged = format!(
            "munged --force --foreground --key-file={} --socket={} --pid-file={} --log-file={} \
             --seed-file={}",
            at("key"),
            at("socket"),
            at("munge.pid"),
            at("munge.log"),
            at("munge.seed")
        );
        for command in [
            munged,
            "slurmctld -D".into(),
            format!("slurmd -D -N {host}"),
        ] {
            let mut words = command.split(' ');
            let daemon = Command::new(words.next().unwrap())
                .args(words)
                .env("SLURM_CONF", cluster.path("slurm.conf"))
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            cluster.daemons.push(daemon);
            if cluster.daemons.len() == 1 {
                until(|| cluster.path("socket").exists());
            }
        }
        until(|| cluster.ask("sinfo --noheader --format=%T") == "idle");
        Some(cluster)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.place.path(name)
    }

    fn ask(&self, command: &str) -> String {
        let config = self.path("slurm.conf");
        word(&format!("SLURM_CONF={} {command}", config.display()))
    }

    /// Submits with the fake kindling, which waits for the file `hold`.
    fn experiments(&self, words: &str) -> Output {
        self.place
            .xtask(&format!("experiments {words}"))
            .env("SLURM_CONF", self.path("slurm.conf"))
            .env("FAKE_HOLD", self.path("hold"))
            .env("FAKE_FAIL", "mlp-10 1")
            .output()
            .unwrap()
    }

    fn submit(&self, words: &str) -> String {
        let output = self.experiments(&format!("--executor slurm {words}"));
        assert!(output.status.success(), "{}", stderr(&output));
        stdout(&output) + &stderr(&output)
    }

    /// Waits until no job is left.
    fn idle(&self) {
        until(|| self.ask("squeue --noheader").is_empty());
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
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let said = cluster.submit("--only mlp --seeds 2 --slurm-args --comment=kept");
    assert!(
        said.contains("4 runs submitted as job 1, the report as job 2"),
        "{said}"
    );
    assert_eq!(
        cluster.ask("squeue --noheader --jobs=1 --format=%k | uniq"),
        "kept"
    );
    // While they wait or train they are nobody else's.
    let said = cluster.submit("--only mlp --seeds 2");
    assert!(said.contains("4 runs with Slurm already"), "{said}");
    assert!(said.contains("nothing to submit"), "{said}");
    let local = cluster.experiments("--only mlp --seeds 2");
    assert_eq!(local.status.code(), Some(2));
    assert!(
        stderr(&local).contains("Slurm has 4 runs"),
        "{}",
        stderr(&local)
    );
    let said = cluster.submit("--only mlp --only pca --seeds 2");
    assert!(said.contains("1 run submitted as job 3"), "{said}");

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
    // A failed one is recorded as such, and the report is there all the same.
    let failed = place.partial("mlp-10", 1).read_record().unwrap().unwrap();
    assert!(failed.error.unwrap().contains("NaN"));
    let report = std::fs::read_to_string(place.out().join("report/report.md")).unwrap();
    assert!(report.contains("mlp-10 seed 1"), "{report}");
    // It alone is submitted again.
    let said = cluster.submit("--only mlp --only pca --seeds 2");
    assert!(said.contains("1 run submitted"), "{said}");
    cluster.idle();
    assert_eq!(place.trained(), ["mlp-10 1"]);
}

#[test]
fn without_slurm_it_is_said() {
    let place = Place::new();
    let output = place
        .xtask("experiments --only pca --executor slurm")
        .env("PATH", "/nowhere")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    assert!(said.contains("is Slurm installed here?"), "{said}");
    let output = place
        .xtask("experiments --slurm-args --time=1")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("only with --executor slurm"));
}
