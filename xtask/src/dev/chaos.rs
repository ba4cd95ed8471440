//! `cargo xtask chaos`: kills a matrix at random moments, fills its disk and damages its files.
//! At the end it compares the results with those of an undisturbed matrix.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use kindling_formats::{RunDir, RunStatus, stream_key};
use serde_json::{Map, Value};

use super::disk::Disk;
use crate::cli::Chaos;
use crate::error::CommandResult;
use crate::ui::{self, interrupt, output};

/// The first of two matrices: networks that train for several epochs and have checkpoints.
const NETWORKS: &[&str] = &[
    "experiments",
    "--quick",
    "--set=train.epochs=4",
    "--only=mlp",
    "--only=dropout",
    "--only=convnet-5x5",
    "--only=ae-",
];
/// The second matrix, with results in the same folder: runs without checkpoints.
const OTHERS: &[&str] = &[
    "experiments",
    "--quick",
    "--only=gradients",
    "--only=-y",
    "--only=pca",
];
/// How many of four starts train [`NETWORKS`], on average. The others train [`OTHERS`].
const OF_NETWORKS: u64 = 3;
/// The size of the disk in bytes. The results fill most of it.
const DISK_SIZE: u64 = 128 << 20;
/// Largest number of bytes that are free on a full disk.
const FREE_ON_FULL_DISK: u64 = 2 << 20;

/// Disturbs a matrix until the limits in `flags` are reached, lets it finish, and compares its
/// results with those of an undisturbed matrix.
pub fn chaos(flags: &Chaos) -> CommandResult {
    interrupt::start_counting();
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let undisturbed = folder.path().join("undisturbed");
    let disturbed = folder.path().join("disturbed");
    output::note("training an undisturbed matrix");
    for words in [NETWORKS, OTHERS] {
        finish(flags, words, &undisturbed)?;
    }
    let disk = Disk::mount(&disturbed, DISK_SIZE)?;
    let start = Instant::now();
    let mut random = Random::new(flags.seed);
    let (mut kills, mut full, mut damaged) = (0, 0, Vec::new());
    let mut finished = Finished::default();
    while kills < flags.kills
        && flags
            .minutes
            .is_none_or(|minutes| start.elapsed() < Duration::from_secs(60 * minutes))
    {
        if interrupt::is_pressed() {
            return Err(anyhow!("stopped after {}", ui::count(kills as usize, "kill")).into());
        }
        let words = if random.below(4) < OF_NETWORKS {
            NETWORKS
        } else {
            OTHERS
        };
        let filled = match &disk {
            Some(disk) if random.below(4) == 0 => Some(disk.fill(random.below(FREE_ON_FULL_DISK))?),
            _ => None,
        };
        kills += u64::from(kill(flags, words, &disturbed, &mut random)?);
        full += usize::from(filled.is_some());
        drop(filled);
        finished.update(&disturbed)?;
        if random.below(2) == 0
            && let Some(path) = damage(&disturbed, &mut random)?
        {
            output::note(format_args!("damaged {}", path.display()));
            if let Some(folder) = path.parent() {
                finished.records.remove(&path);
                finished.damaged.insert(folder.join("record.json"));
            }
            damaged.push(path);
        }
    }
    let disks = match &disk {
        Some(_) => ui::count(full, "full disk"),
        None => "no full disk (only root can mount a small disk)".into(),
    };
    let disturbances = format!(
        "{}, {}, {disks}",
        ui::count(kills as usize, "kill"),
        ui::count(damaged.len(), "damaged file"),
    );
    output::note(format_args!("{disturbances}; finishing without any more"));
    for words in [NETWORKS, OTHERS] {
        finish(flags, words, &disturbed)?;
    }
    let runs = compare(&undisturbed, &disturbed)?;
    output::print(format_args!(
        "{disturbances}: {} equal to the last bit, no temporary files left",
        ui::count(runs, "run")
    ));
    Ok(ExitCode::SUCCESS)
}

/// Starts a matrix with the output folder `out`. Its standard error is written to a log file
/// beside that folder.
fn start(flags: &Chaos, words: &[&str], out: &Path) -> anyhow::Result<Child> {
    let program = std::env::current_exe().context("cannot find this program")?;
    let log = File::create(log_file(out)).context("cannot write the log of the matrix")?;
    let mut command = Command::new(program);
    command
        .args(words)
        .args(["--backend", flags.backend.name(), "--out"])
        .arg(out)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log);
    // The matrix has its own process group, as if a shell had started it.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.spawn().context("cannot start this program")
}

/// The log file of the matrix with the output folder `out`.
fn log_file(out: &Path) -> PathBuf {
    out.with_extension("txt")
}

/// Checks that neither the matrix with the output folder `out` nor its trainings panicked.
fn check_for_panics(out: &Path) -> anyhow::Result<()> {
    let mut files = vec![log_file(out)];
    walk(out, &mut files);
    files.retain(|file| file.ends_with("stderr.txt") || *file == log_file(out));
    for file in files {
        let log = std::fs::read(&file).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        if log.contains("panicked") {
            bail!("a panic:\n{log}");
        }
    }
    Ok(())
}

/// Runs a matrix to its end.
fn finish(flags: &Chaos, words: &[&str], out: &Path) -> anyhow::Result<()> {
    let status = start(flags, words, out)?.wait()?;
    check_for_panics(out)?;
    if !status.success() {
        let log = std::fs::read_to_string(log_file(out)).unwrap_or_default();
        bail!("`{}` failed: {status}\n{log}", words.join(" "));
    }
    Ok(())
}

/// Starts a matrix and kills it, or one of its trainings, after a while. Returns whether the
/// matrix was still running.
fn kill(flags: &Chaos, words: &[&str], out: &Path, random: &mut Random) -> anyhow::Result<bool> {
    let mut child = start(flags, words, out)?;
    std::thread::sleep(Duration::from_millis(20 + random.below(2500)));
    if child.try_wait()?.is_some() {
        check_for_panics(out)?;
        return Ok(false);
    }
    let matrix = child.id();
    let training = trainings(out).into_iter().next();
    match (random.below(6), training) {
        // Kills a training first, as the operating system does when memory runs out.
        (0, Some(training)) => {
            send_signal("KILL", training);
            std::thread::sleep(Duration::from_millis(random.below(300)));
            send_signal("KILL", matrix);
        }
        // Ctrl-C twice.
        (1, _) => {
            send_signal("INT", matrix);
            std::thread::sleep(Duration::from_millis(random.below(300)));
            send_signal("INT", matrix);
        }
        (2, _) => {
            send_signal("TERM", matrix);
            std::thread::sleep(Duration::from_millis(random.below(1000)));
            send_signal("KILL", matrix);
        }
        _ => send_signal("KILL", matrix),
    }
    child.wait()?;
    // A training ends by itself when its matrix has ended.
    let start = Instant::now();
    while !trainings(out).is_empty() {
        if start.elapsed() > Duration::from_secs(10) {
            bail!("a training still runs 10 seconds after its matrix has ended");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    check_for_panics(out)?;
    Ok(true)
}

/// Sends a signal with the command `kill` of the shell.
fn send_signal(name: &str, process: u32) {
    let _ = Command::new("sh")
        .args(["-c", &format!("kill -{name} {process}")])
        .stderr(Stdio::null())
        .status();
}

/// The process numbers of the trainings with a folder below `out`, read from `/proc`.
fn trainings(out: &Path) -> Vec<u32> {
    let below = out.display().to_string();
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let found = entries.filter_map(|entry| {
        let process = entry.file_name().to_str()?.parse().ok()?;
        let words = std::fs::read(entry.path().join("cmdline")).ok()?;
        let mut words = words.split(|&byte| byte == 0).map(String::from_utf8_lossy);
        let trains = words.nth(1)? == "train" && words.next()?.starts_with(&below);
        trains.then_some(process)
    });
    found.collect()
}

/// Truncates, changes or removes a random file of a run. Returns its path, or `None` if there
/// was nothing to damage.
fn damage(out: &Path, random: &mut Random) -> anyhow::Result<Option<PathBuf>> {
    let mut files = Vec::new();
    walk(out, &mut files);
    files.retain(|path| path.components().any(|part| part.as_os_str() == "runs"));
    if files.is_empty() {
        return Ok(None);
    }
    let path = files.swap_remove(random.below(files.len() as u64) as usize);
    let mut bytes = std::fs::read(&path)?;
    match random.below(3) {
        0 => std::fs::remove_file(&path)?,
        1 => std::fs::write(
            &path,
            &bytes[..random.below(bytes.len() as u64 + 1) as usize],
        )?,
        _ if bytes.is_empty() => return Ok(None),
        _ => {
            let at = random.below(bytes.len() as u64) as usize;
            bytes[at] ^= 1 << random.below(8);
            std::fs::write(&path, bytes)?;
        }
    }
    Ok(Some(path))
}

/// Adds all files below `folder` to `files`, sorted.
fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            walk(&path, files);
        } else {
            files.push(path);
        }
    }
}

/// The folders of all runs with a record below `out`.
fn runs(out: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    walk(out, &mut files);
    let records = files.iter().filter(|path| path.ends_with("record.json"));
    records
        .filter_map(|path| path.parent().map(Path::to_path_buf))
        .collect()
}

/// The finished runs so far. They show whether a run was trained twice.
#[derive(Default)]
struct Finished {
    /// The bytes of each record by its path. A record holds the seconds of its training, so
    /// a run that is trained again has another record.
    records: BTreeMap<PathBuf, Vec<u8>>,
    /// The paths of the records of damaged runs, which have to be trained again.
    damaged: BTreeSet<PathBuf>,
}

impl Finished {
    /// Adds the runs that are finished now, and checks that no undamaged run was trained again.
    fn update(&mut self, out: &Path) -> anyhow::Result<()> {
        for folder in runs(out) {
            if folder
                .extension()
                .is_some_and(|extension| extension == "partial")
            {
                continue;
            }
            let path = folder.join("record.json");
            let bytes = std::fs::read(&path)?;
            let before = self.records.insert(path.clone(), bytes.clone());
            if before.is_some_and(|before| before != bytes) && !self.damaged.remove(&path) {
                bail!("{} was finished, and trained again", path.display());
            }
        }
        Ok(())
    }
}

/// Checks that both folders hold the same results, and that `disturbed` holds no temporary
/// files, training folders or checkpoints. Returns the number of runs.
fn compare(undisturbed: &Path, disturbed: &Path) -> anyhow::Result<usize> {
    let folders = runs(undisturbed);
    if folders.len() != runs(disturbed).len() {
        bail!("the undisturbed and the disturbed matrix have different numbers of runs");
    }
    for folder in &folders {
        let name = folder.strip_prefix(undisturbed)?;
        let read = |root: &Path| -> anyhow::Result<_> {
            let dir = RunDir::new(root.join(name));
            let record = dir.read_record()?;
            let record = record.ok_or_else(|| anyhow!("{} has no record", name.display()))?;
            let damaged = dir.damaged(&record, &dir.read_config()?)?;
            if !damaged.is_empty() || record.status != RunStatus::Complete {
                bail!("{} is not complete: {}", name.display(), damaged.join(", "));
            }
            Ok(record)
        };
        let (mut one, mut other) = (read(undisturbed)?, read(disturbed)?);
        for record in [&mut one, &mut other] {
            record.seconds = 0.0;
            // A developer may commit or build while this command runs.
            record.revision.clear();
            record.program.clear();
            // The number of threads depends on how many runs train at a time.
            record.host.threads = 0;
            record.files.remove("timing.csv");
        }
        let (one, other) = (serde_json::to_value(one)?, serde_json::to_value(other)?);
        if let Some(at) = differing(&one, &other) {
            bail!("{}: record.json differs at {at}", name.display());
        }
    }
    let mut files = Vec::new();
    walk(disturbed, &mut files);
    let left = files.iter().find(|path| {
        let path = path.to_string_lossy();
        path.contains(".kindling-tmp-") || path.contains(".partial/") || path.contains(".ckpt")
    });
    match left {
        Some(left) => Err(anyhow!("{} should have been removed", left.display())),
        None => Ok(folders.len()),
    }
}

/// The path of the first difference between two JSON values; `None` if they are equal.
fn differing(one: &Value, other: &Value) -> Option<String> {
    let (Value::Object(ones), Value::Object(others)) = (one, other) else {
        return (one != other).then(String::new);
    };
    let mut keys = ones.keys().chain(others.keys());
    keys.find_map(|key| {
        let of = |object: &Map<String, Value>| object.get(key).cloned().unwrap_or_default();
        let below = differing(&of(ones), &of(others))?;
        Some(format!("/{key}{below}"))
    })
}

/// A random number generator with a seed.
struct Random {
    seed: u64,
    drawn: usize,
}

impl Random {
    fn new(seed: u64) -> Self {
        Self { seed, drawn: 0 }
    }

    /// A number below `limit`, nearly uniform; 0 if `limit` is 0.
    fn below(&mut self, limit: u64) -> u64 {
        self.drawn += 1;
        let key = stream_key(self.seed, "chaos", self.drawn);
        let number = key
            .first_chunk()
            .map_or(0, |bytes| u64::from_le_bytes(*bytes));
        number.checked_rem(limit).unwrap_or(0)
    }
}
