//! The training binary: built once, asked about the data, started for each run.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use anyhow::{Context, anyhow, bail};
use kindling_formats::{
    Backend, DeviceName, DeviceReport, GENERATED, Host, ImageData, RunConfig, Task, hex,
};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::child::reason;
use crate::say;
use crate::stop::Stop;
use crate::workspace;

/// Names another binary to train with, which is then not built: the tests put a
/// script of their own there.
const BINARY: &str = "KINDLING_BIN";

/// What `kindling data` says of a folder of images.
#[derive(Debug, Clone, Deserialize)]
struct Data {
    fingerprint: String,
    /// Training images.
    train: usize,
    /// Test images.
    test: usize,
}

/// What the binary is built with, and what it trains on.
#[derive(Debug, Clone, PartialEq)]
pub struct Build {
    /// What is compiled in.
    pub backends: Vec<Backend>,
    /// What trains: the first, where there is one training.
    pub devices: Vec<DeviceName>,
    /// What GPU backends do besides.
    pub extras: Vec<Extra>,
}

/// What a GPU backend can do besides: the Cargo features of the same names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Extra {
    /// Several operations become one kernel.
    Fusion,
    /// Each run tries kernels out, and keeps the fastest.
    Autotune,
}

impl Build {
    /// With `backends`.
    pub fn with(backends: &[Backend], extras: &[Extra]) -> Self {
        Self {
            backends: backends.to_vec(),
            devices: backends.iter().map(|&backend| backend.into()).collect(),
            extras: extras.to_vec(),
        }
    }

    /// What trains.
    pub fn device(&self) -> DeviceName {
        self.devices
            .first()
            .copied()
            .unwrap_or(Backend::Flex.into())
    }

    /// Cargo's features for it.
    fn features(&self) -> Vec<&'static str> {
        let backends = Backend::ALL.into_iter();
        let chosen = backends.filter(|backend| self.backends.contains(backend));
        let mut features: Vec<&str> = chosen.clone().map(Backend::name).collect();
        for (extra, feature) in [(Extra::Fusion, "fusion"), (Extra::Autotune, "autotune")] {
            if self.extras.contains(&extra) && chosen.clone().any(Backend::is_for_gpus) {
                features.push(feature);
            }
        }
        features
    }
}

/// The binary that trains one run.
#[derive(Debug, Clone)]
pub struct Kindling {
    path: PathBuf,
    device: DeviceName,
    /// Whether its trainings write for TensorBoard.
    tensorboard: bool,
    /// The revision of the code that it was built from.
    revision: String,
}

impl Kindling {
    /// Builds it; cargo's own progress goes to standard error.
    pub fn build(build: &Build) -> anyhow::Result<Self> {
        let device = build.device();
        if let Some(path) = std::env::var_os(BINARY) {
            return Ok(Self::at(path.into(), device, workspace::revision()));
        }
        let backend = build.features().join(",");
        // The default backend needs no flags, and without them cargo finds the
        // build that a test of the workspace has left.
        let features: &[&str] = match build.backends.as_slice() {
            [Backend::Flex] => &[],
            _ => &["--no-default-features", "--features", &backend],
        };
        say::note(format_args!("building kindling with {backend}"));
        // Before cargo reads the files: what is changed meanwhile shows as a change of
        // the next build.
        let revision = workspace::revision();
        let output = Command::new(cargo())
            .args(["build", "--release", "--package", "kindling"])
            .args(features)
            .arg("--message-format=json-render-diagnostics")
            .args(say::is_hushed().then_some("--quiet"))
            .current_dir(workspace::root())
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .context("cannot start cargo")?;
        if !output.status.success() {
            bail!("kindling does not build with {backend}; cargo says why above");
        }
        let built = executable(&String::from_utf8_lossy(&output.stdout), "kindling")
            .ok_or_else(|| anyhow!("cargo built kindling and named no executable"))?;
        let path = keep(&built, &backend)
            .with_context(|| format!("cannot keep a copy of {}", built.display()))?;
        Ok(Self::at(path, device, revision))
    }

    /// Builds it and checks its devices and the data of `runs`: all that can be known to be
    /// wrong before a run is touched. Returns their data fingerprints as well.
    pub fn ready(build: &Build, runs: &[RunConfig]) -> Result<(Self, Vec<String>), Stop> {
        let kindling = Self::build(build)?;
        kindling.check(&build.devices)?;
        let fingerprints = kindling.fingerprints(runs)?;
        Ok((kindling, fingerprints))
    }

    /// The same, training on another device that it was built with.
    pub fn on(&self, device: DeviceName) -> Self {
        Self {
            device,
            ..self.clone()
        }
    }

    /// The one that stands at `path` already, built from a revision.
    pub fn at(path: PathBuf, device: DeviceName, revision: String) -> Self {
        Self {
            path,
            device,
            tensorboard: true,
            revision,
        }
    }

    /// The revision of the code that it was built from.
    pub fn revision(&self) -> &str {
        &self.revision
    }

    /// Where it stands.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it trains on.
    pub fn device(&self) -> DeviceName {
        self.device
    }

    /// The same, whose trainings write for TensorBoard or do not.
    pub fn with_tensorboard(self, tensorboard: bool) -> Self {
        Self {
            tensorboard,
            ..self
        }
    }

    /// A command in the repository's root, where relative paths in configs begin.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command.current_dir(workspace::root());
        command
    }

    /// A command that trains the run whose config lies in `folder`.
    pub fn train(&self, folder: &Path, threads: usize) -> Command {
        // A program is removed after a day without use. A matrix may train for longer.
        keep_alive(&self.path);
        let mut command = self.command();
        command
            .arg("train")
            .arg(folder)
            .args(["--device", &self.device.to_string()])
            .env("KINDLING_REVISION", &self.revision)
            // Its allocator keeps what a step has freed for the next one,
            // instead of having it mapped anew.
            .env("MIMALLOC_PURGE_DELAY", "-1");
        if !self.tensorboard {
            command.arg("--no-tensorboard");
        }
        with_threads(&mut command, threads);
        command
    }

    /// A command that follows the run whose config lies in `folder` on two devices.
    pub fn parity(&self, folder: &Path, devices: [DeviceName; 2], steps: u64) -> Command {
        let mut command = self.command();
        command
            .arg("parity")
            .arg(folder)
            .args(devices.map(|device| device.to_string()))
            .args(["--steps", &steps.to_string()]);
        with_threads(&mut command, Host::cores());
        command
    }

    /// Checks the images that `runs` learn from, each folder once, and that there are as
    /// many as each run wants; returns the data fingerprint of every run.
    pub fn fingerprints(&self, runs: &[RunConfig]) -> Result<Vec<String>, Stop> {
        let mut known: HashMap<Option<&Path>, Data> = HashMap::new();
        let mut fingerprints = Vec::with_capacity(runs.len());
        for run in runs {
            let Some(images) = run.images() else {
                fingerprints.push(GENERATED.to_string());
                continue;
            };
            let dir = images.dir.as_deref();
            let data = match known.get(&dir) {
                Some(data) => data.clone(),
                None => self.data(dir)?,
            };
            enough(run, images, &data)?;
            fingerprints.push(data.fingerprint.clone());
            known.insert(dir, data);
        }
        Ok(fingerprints)
    }

    /// Makes sure that the machine has these devices. It has a processor.
    fn check(&self, devices: &[DeviceName]) -> Result<(), Stop> {
        for device in devices {
            if device.backend.is_for_gpus() {
                let mut command = self.command();
                command.arg("open").arg(device.to_string());
                self.ask(command)?;
            }
        }
        Ok(())
    }

    /// Its devices, each measured.
    pub fn devices(&self) -> Result<Vec<DeviceReport>, Stop> {
        let mut command = self.command();
        command.arg("devices");
        with_threads(&mut command, Host::cores());
        let said = self.ask(command)?;
        Ok(serde_json::from_slice(&said).context("`kindling devices` printed no list")?)
    }

    /// What a command that only looks around prints.
    fn ask(&self, mut command: Command) -> Result<Vec<u8>, Stop> {
        let output = command
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("cannot start {}", self.path.display()))?;
        let said = String::from_utf8_lossy(&output.stderr);
        if output.status.success() {
            for warning in said.lines().filter(|line| line.starts_with("warning: ")) {
                say::err(warning);
            }
            return Ok(output.stdout);
        }
        Err(Stop::BadInput(anyhow!(reason(output.status, &said))))
    }

    /// Checks the images in `dir`, or the repository's own.
    fn data(&self, dir: Option<&Path>) -> Result<Data, Stop> {
        let mut command = self.command();
        command.arg("data");
        if let Some(dir) = dir {
            command.arg("--dir").arg(dir);
        }
        let said = self.ask(command)?;
        Ok(serde_json::from_slice(&said).context("`kindling data` printed no fingerprint")?)
    }
}

/// Makes sure that there are as many images as a run wants, and at least as many as a PCA
/// wants components.
fn enough(run: &RunConfig, wanted: &ImageData, there: &Data) -> Result<(), Stop> {
    let place = match &wanted.dir {
        Some(dir) => workspace::shown(dir),
        None => "MNIST".into(),
    };
    for (split, wanted, there) in [
        ("train", wanted.train, there.train),
        ("test", wanted.test, there.test),
    ] {
        if wanted.is_some_and(|wanted| wanted > there) {
            let wanted = wanted.unwrap_or_default();
            return Err(Stop::BadInput(anyhow!(
                "{}: `data.{split}`: {wanted} images are wanted, and {place} has {there}; ask for \
                 fewer, or leave the key out for all",
                run.cell
            )));
        }
    }
    let images = wanted.train.unwrap_or(there.train);
    if let Task::Pca(task) = &run.task
        && task.model.components > images
    {
        return Err(Stop::BadInput(anyhow!(
            "{}: `model.components`: {images} images have no more than {images} components, and \
             {} are wanted; ask for fewer",
            run.cell,
            task.model.components
        )));
    }
    Ok(())
}

/// The threads that the CPU backends take.
fn with_threads(command: &mut Command, threads: usize) {
    command
        .env("RAYON_NUM_THREADS", threads.to_string())
        .env("MATMUL_NUM_THREADS", threads.to_string());
}

/// The cargo that runs us, or else the one on the path.
pub fn cargo() -> std::ffi::OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// The path of the binary `name` in cargo's messages. Target folders can be moved
/// in many ways; cargo knows.
pub fn executable(messages: &str, name: &str) -> Option<PathBuf> {
    #[derive(Deserialize)]
    struct Message {
        reason: String,
        target: Option<Target>,
        executable: Option<PathBuf>,
    }
    #[derive(Deserialize)]
    struct Target {
        name: String,
    }
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Message>(line).ok())
        .filter(|message| message.reason == "compiler-artifact")
        .filter(|message| message.target.as_ref().is_some_and(|t| t.name == name))
        .find_map(|message| message.executable)
}

/// A program is removed when no training has been started with it for this long.
const FORGOTTEN: Duration = Duration::from_secs(24 * 60 * 60);

/// Copies the binary to a folder that is named by its content, and removes programs that
/// nobody uses any more. A later build has another folder, so a running matrix ends with
/// the program that it began with.
fn keep(built: &Path, backend: &str) -> anyhow::Result<PathBuf> {
    let target = built.parent().and_then(Path::parent).context("no folder")?;
    let folder = target.join("kindling").join(backend);
    let name = built.file_name().context("no name")?;
    let kept = copy_by_content(built, |digest| folder.join(digest).join(name))?;
    keep_alive(&kept);
    forget(&folder, name);
    Ok(kept)
}

/// Copies a program to the path that `place` makes of the first twelve digits of its
/// SHA-256, unless it is there already. Returns the path.
///
/// # Errors
///
/// If the program cannot be read, or the copy not written.
pub fn copy_by_content(
    program: &Path,
    place: impl FnOnce(&str) -> PathBuf,
) -> anyhow::Result<PathBuf> {
    let bytes = std::fs::read(program)?;
    let digest = format!("{:.12}", hex(&Sha256::digest(&bytes)));
    let kept = place(&digest);
    let is_whole = kept
        .metadata()
        .is_ok_and(|kept| kept.len() == bytes.len() as u64);
    if !is_whole {
        let folder = kept.parent().context("no folder")?;
        std::fs::create_dir_all(folder)?;
        let copy = tempfile::Builder::new()
            .prefix(".kindling-")
            .tempfile_in(folder)?
            .into_temp_path();
        std::fs::copy(program, &copy)?; // its permissions too
        copy.persist(&kept)?;
    }
    Ok(kept)
}

/// Marks a program as used now, so that [`forget`] leaves it. A program that cannot be
/// marked belongs to somebody else, and is in no folder that is cleared.
fn keep_alive(program: &Path) {
    // Opened for reading: what is open for writing cannot be started meanwhile.
    let marked = File::open(program);
    let _ = marked.and_then(|file| file.set_modified(SystemTime::now()));
}

/// Removes the programs in `folder` that have not been used for a day. What cannot be
/// removed stays.
fn forget(folder: &Path, name: &OsStr) {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.path().is_dir()) {
        let used = entry
            .path()
            .join(name)
            .metadata()
            .and_then(|it| it.modified());
        let age = used.ok().and_then(|used| used.elapsed().ok());
        if age.is_some_and(|age| age > FORGOTTEN) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_names_the_executable() {
        let messages = r#"
            {"reason":"compiler-artifact","target":{"name":"serde"},"executable":null}
            {"reason":"compiler-artifact","target":{"name":"kindling"},"executable":"/t/release/kindling"}
            {"reason":"build-finished","success":true}"#;
        assert_eq!(
            executable(messages, "kindling"),
            Some("/t/release/kindling".into())
        );
        assert_eq!(executable("no JSON", "kindling"), None);
    }

    #[test]
    fn a_changed_binary_leaves_the_one_that_a_matrix_trains_with() {
        let target = tempfile::tempdir().expect("a temporary folder");
        let built = target.path().join("release").join("kindling");
        std::fs::create_dir_all(built.parent().expect("a parent")).expect("makes");
        let keep = |content: &str| {
            std::fs::write(&built, content).expect("writes");
            keep(&built, "flex").expect("copies")
        };
        let read = |path: &Path| std::fs::read_to_string(path).expect("reads");
        let first = keep("one");
        assert!(first.starts_with(target.path().join("kindling/flex")));
        let second = keep("other");
        assert_ne!(first, second);
        assert_eq!(
            (read(&first), read(&second)),
            ("one".into(), "other".into())
        );
        assert_eq!(keep("one"), first);
        // One that nobody has used for two days goes, one that is in use does not.
        let old = SystemTime::now() - 2 * FORGOTTEN;
        for path in [&first, &second] {
            let file = File::options().append(true).open(path).expect("opens");
            file.set_modified(old).expect("sets");
        }
        keep_alive(&first);
        let third = keep("third");
        assert!(first.exists() && third.exists() && !second.exists());
    }
}
