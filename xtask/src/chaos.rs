//! `cargo xtask chaos`: kills a matrix at random moments, fills its disk, damages its
//! files, and compares what comes out in the end with a matrix that was left in peace.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use kindling_formats::{RunDir, RunStatus, stream_key};
use serde_json::{Map, Value};

use crate::disk::Disk;
use crate::flags::Chaos;
use crate::stop::Outcome;
use crate::{say, signal};

/// Two matrices into one folder: networks of several epochs, which have
/// checkpoints, and what is trained in one go.
const NETWORKS: &[&str] = &[
    "experiments",
    "--quick",
    "--set=train.epochs=4",
    "--only=mlp",
    "--only=dropout",
    "--only=convnet-5x5",
    "--only=ae-",
];
const OTHERS: &[&str] = &[
    "experiments",
    "--quick",
    "--only=gradients",
    "--only=-y",
    "--only=pca",
];
/// Of four starts, so many are of networks.
const OF_NETWORKS: u64 = 3;
/// Bytes of a disk that holds the results, and little more.
const DISK: u64 = 128 << 20;
/// Bytes that are left at most on a disk that is full.
const LEFT: u64 = 2 << 20;

/// Kills and damages for as long as is asked, then compares.
pub fn run(flags: &Chaos) -> Outcome {
    signal::count();
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let (peace, war) = (folder.path().join("peace"), folder.path().join("war"));
    say::note("a matrix in peace");
    for words in [NETWORKS, OTHERS] {
        finish(flags, words, &peace)?;
    }
    let disk = Disk::mount(&war, DISK)?;
    let start = Instant::now();
    let mut random = Random::new(flags.seed);
    let (mut kills, mut full, mut damaged) = (0, 0, Vec::new());
    let mut finished = Finished::default();
    while kills < flags.kills
        && flags
            .minutes
            .is_none_or(|minutes| start.elapsed() < Duration::from_secs(60 * minutes))
    {
        if signal::pressed() > 0 {
            bail_out(kills)?;
        }
        let words = if random.below(4) < OF_NETWORKS {
            NETWORKS
        } else {
            OTHERS
        };
        let filled = match &disk {
            Some(disk) if random.below(4) == 0 => Some(disk.fill(random.below(LEFT))?),
            _ => None,
        };
        kills += u64::from(kill(flags, words, &war, &mut random)?);
        full += usize::from(filled.is_some());
        drop(filled);
        finished.look(&war)?;
        if random.below(2) == 0
            && let Some(path) = damage(&war, &mut random)?
        {
            say::note(format_args!("damaged {}", path.display()));
            if let Some(folder) = path.parent() {
                finished.records.remove(&path);
                finished.damaged.insert(folder.join("record.json"));
            }
            damaged.push(path);
        }
    }
    let disks = match &disk {
        Some(_) => say::count(full, "full disk"),
        None => "no full disk (only root can mount a small one)".into(),
    };
    let suffered = format!(
        "{}, {}, {disks}",
        say::count(kills as usize, "kill"),
        say::count(damaged.len(), "damaged file"),
    );
    say::note(format_args!("{suffered}; the rest in peace"));
    for words in [NETWORKS, OTHERS] {
        finish(flags, words, &war)?;
    }
    let runs = compare(&peace, &war)?;
    say::out(format_args!(
        "{suffered}: {} equal to the last bit, nothing left behind",
        say::count(runs, "run")
    ));
    Ok(ExitCode::SUCCESS)
}

fn bail_out(kills: u64) -> anyhow::Result<()> {
    bail!("stopped after {}", say::count(kills as usize, "kill"))
}

/// Starts a matrix, which speaks to a file beside `out`.
fn start(flags: &Chaos, words: &[&str], out: &Path) -> anyhow::Result<Child> {
    let program = std::env::current_exe().context("cannot find this program")?;
    let said = File::create(said(out)).context("cannot write what it says")?;
    let mut command = Command::new(program);
    command
        .args(words)
        .args(["--backend", flags.backend.name(), "--out"])
        .arg(out)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(said);
    // Of a group of its own, as under a shell: what it leaves is told from us.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.spawn().context("cannot start this program")
}

/// Where the matrix into `out` has spoken to.
fn said(out: &Path) -> PathBuf {
    out.with_extension("txt")
}

/// Wants neither the matrix into `out` nor a training of it to have panicked.
fn no_panic(out: &Path) -> anyhow::Result<()> {
    let mut files = vec![said(out)];
    walk(out, &mut files);
    files.retain(|file| file.ends_with("stderr.txt") || *file == said(out));
    for file in files {
        let said = std::fs::read(&file).unwrap_or_default();
        let said = String::from_utf8_lossy(&said);
        if said.contains("panicked") {
            bail!("a panic:\n{said}");
        }
    }
    Ok(())
}

/// Runs a matrix to its end.
fn finish(flags: &Chaos, words: &[&str], out: &Path) -> anyhow::Result<()> {
    let status = start(flags, words, out)?.wait()?;
    no_panic(out)?;
    if !status.success() {
        let said = std::fs::read_to_string(said(out)).unwrap_or_default();
        bail!("`{}` failed: {status}\n{said}", words.join(" "));
    }
    Ok(())
}

/// Starts a matrix and kills it, or one of its trainings, after a while. Returns
/// whether it was still there.
fn kill(flags: &Chaos, words: &[&str], out: &Path, random: &mut Random) -> anyhow::Result<bool> {
    let mut child = start(flags, words, out)?;
    std::thread::sleep(Duration::from_millis(20 + random.below(2500)));
    if child.try_wait()?.is_some() {
        no_panic(out)?;
        return Ok(false);
    }
    let matrix = child.id();
    let training = trainings(out).into_iter().next();
    match (random.below(6), training) {
        // A training alone, as the system does that is out of memory.
        (0, Some(training)) => {
            signal("KILL", training);
            std::thread::sleep(Duration::from_millis(random.below(300)));
            signal("KILL", matrix);
        }
        // Ctrl-C, once and again.
        (1, _) => {
            signal("INT", matrix);
            std::thread::sleep(Duration::from_millis(random.below(300)));
            signal("INT", matrix);
        }
        (2, _) => {
            signal("TERM", matrix);
            std::thread::sleep(Duration::from_millis(random.below(1000)));
            signal("KILL", matrix);
        }
        _ => signal("KILL", matrix),
    }
    child.wait()?;
    // Trainings notice that nobody is left, and end.
    let start = Instant::now();
    while !trainings(out).is_empty() {
        if start.elapsed() > Duration::from_secs(10) {
            bail!("a training outlives its matrix");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    no_panic(out)?;
    Ok(true)
}

/// Sends a signal, by the shell: a `kill` of its own every shell has.
fn signal(name: &str, process: u32) {
    let _ = Command::new("sh")
        .args(["-c", &format!("kill -{name} {process}")])
        .stderr(Stdio::null())
        .status();
}

/// The trainings below `out`, as Linux lists processes.
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

/// Cuts off, changes or removes a file of a run. Returns which.
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

/// Every file below `folder`, in order.
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

/// The folders of all runs.
fn runs(out: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    walk(out, &mut files);
    let records = files.iter().filter(|path| path.ends_with("record.json"));
    records
        .filter_map(|path| path.parent().map(Path::to_path_buf))
        .collect()
}

/// What was finished, to see that it is not trained again.
#[derive(Default)]
struct Finished {
    /// The records, by their path. They hold the seconds that a training took, so
    /// one that was trained again has another.
    records: BTreeMap<PathBuf, Vec<u8>>,
    /// Those that have to be trained again, because we have damaged the run.
    damaged: BTreeSet<PathBuf>,
}

impl Finished {
    /// Looks which runs are finished by now.
    fn look(&mut self, out: &Path) -> anyhow::Result<()> {
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

/// Wants both trees to hold the same results, and nothing else. Returns how many.
fn compare(peace: &Path, war: &Path) -> anyhow::Result<usize> {
    let folders = runs(peace);
    if folders.len() != runs(war).len() {
        bail!("the runs are not the same");
    }
    for folder in &folders {
        let name = folder.strip_prefix(peace)?;
        let read = |root: &Path| -> anyhow::Result<_> {
            let dir = RunDir::new(root.join(name));
            let record = dir.read_record()?;
            let record = record.ok_or_else(|| anyhow!("{} has no record", name.display()))?;
            let damaged = dir.damaged(&record, &dir.read_config()?)?;
            if !damaged.is_empty() || record.status != RunStatus::Complete {
                bail!("{} is not whole: {}", name.display(), damaged.join(", "));
            }
            Ok(record)
        };
        let (mut one, mut other) = (read(peace)?, read(war)?);
        for record in [&mut one, &mut other] {
            record.seconds = 0.0;
            // Whoever is at work meanwhile may commit.
            record.revision.clear();
            record.program.clear();
            // The last run of a list has all cores.
            record.host.threads = 0;
            record.files.remove("timing.csv");
        }
        let (one, other) = (serde_json::to_value(one)?, serde_json::to_value(other)?);
        if let Some(at) = differing(&one, &other) {
            bail!("{}: record.json differs at {at}", name.display());
        }
    }
    let mut files = Vec::new();
    walk(war, &mut files);
    let left = files.iter().find(|path| {
        let path = path.to_string_lossy();
        path.contains(".kindling-tmp-") || path.contains(".partial/") || path.contains(".ckpt")
    });
    match left {
        Some(left) => Err(anyhow!("{} is left behind", left.display())),
        None => Ok(folders.len()),
    }
}

/// Where two values of JSON differ, as a path; `None`: nowhere.
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

/// Numbers that a seed decides.
struct Random {
    seed: u64,
    drawn: usize,
}

impl Random {
    fn new(seed: u64) -> Self {
        Self { seed, drawn: 0 }
    }

    /// Below `limit`, nearly uniform; 0 where that is 0.
    fn below(&mut self, limit: u64) -> u64 {
        self.drawn += 1;
        let key = stream_key(self.seed, "chaos", self.drawn);
        let number = key
            .first_chunk()
            .map_or(0, |bytes| u64::from_le_bytes(*bytes));
        number.checked_rem(limit).unwrap_or(0)
    }
}
