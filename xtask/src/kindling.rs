//! The training binary: built once, asked about the data, started for each run.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, anyhow, bail};
use kindling_spec::{Backend, RunConfig};
use serde::Deserialize;

use crate::say;
use crate::stop::Stop;
use crate::workspace;

/// Names another binary to train with, which is then not built: the tests put a
/// script of their own there.
const BINARY: &str = "KINDLING_BIN";

/// The data fingerprint of a run that generates its data.
const GENERATED: &str = "generated";

/// The binary that trains one run.
#[derive(Debug, Clone)]
pub struct Kindling {
    path: PathBuf,
}

impl Kindling {
    /// Builds it with `backend`; cargo's own progress goes to standard error.
    pub fn build(backend: Backend) -> anyhow::Result<Self> {
        if let Some(path) = std::env::var_os(BINARY) {
            return Ok(Self { path: path.into() });
        }
        // The default backend needs no flags, and without them cargo finds the
        // build that a test of the workspace has left.
        let features: &[&str] = match backend {
            Backend::Flex => &[],
            other => &["--no-default-features", "--features", other.name()],
        };
        let backend = backend.name();
        say::err(format_args!("building kindling with {backend}"));
        let output = Command::new(cargo())
            .args(["build", "--release", "--package", "kindling"])
            .args(features)
            .arg("--message-format=json-render-diagnostics")
            .current_dir(workspace::root())
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .context("cannot start cargo")?;
        if !output.status.success() {
            bail!("kindling does not build with the feature {backend}; cargo says why above");
        }
        let built = executable(&String::from_utf8_lossy(&output.stdout), "kindling")
            .ok_or_else(|| anyhow!("cargo built kindling and named no executable"))?;
        let path = keep(&built, backend)
            .with_context(|| format!("cannot keep a copy of {}", built.display()))?;
        Ok(Self { path })
    }

    /// Builds it and checks the data of `runs`: all that can be known to be
    /// wrong before a run is touched. Returns their data fingerprints as well.
    pub fn ready(backend: Backend, runs: &[RunConfig]) -> Result<(Self, Vec<String>), Stop> {
        let kindling = Self::build(backend)?;
        let fingerprints = kindling.fingerprints(runs)?;
        Ok((kindling, fingerprints))
    }

    /// A command in the repository's root, where relative paths in configs begin.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command.current_dir(workspace::root());
        command
    }

    /// A command that trains the run whose config lies in `folder`.
    pub fn train(&self, folder: &Path, threads: usize, revision: &str) -> Command {
        let mut command = self.command();
        command
            .arg("train")
            .arg(folder)
            .env("KINDLING_REVISION", revision)
            .env("RAYON_NUM_THREADS", threads.to_string())
            .env("MATMUL_NUM_THREADS", threads.to_string())
            // Its allocator keeps what a step has freed for the next one,
            // instead of having it mapped anew: 4 % of mlp.
            .env("MIMALLOC_PURGE_DELAY", "-1");
        command
    }

    /// Checks the images that `runs` learn from, each folder once, and returns
    /// the data fingerprint of every run.
    pub fn fingerprints(&self, runs: &[RunConfig]) -> Result<Vec<String>, Stop> {
        let mut known: HashMap<Option<&Path>, String> = HashMap::new();
        let mut fingerprints = Vec::with_capacity(runs.len());
        for run in runs {
            let Some(images) = run.images() else {
                fingerprints.push(GENERATED.to_string());
                continue;
            };
            let dir = images.dir.as_deref();
            let fingerprint = match known.get(&dir) {
                Some(fingerprint) => fingerprint.clone(),
                None => self.fingerprint(dir)?,
            };
            known.insert(dir, fingerprint.clone());
            fingerprints.push(fingerprint);
        }
        Ok(fingerprints)
    }

    /// Checks the images in `dir`, or the repository's own.
    fn fingerprint(&self, dir: Option<&Path>) -> Result<String, Stop> {
        let mut command = self.command();
        command.arg("data").stdin(Stdio::null());
        if let Some(dir) = dir {
            command.arg("--dir").arg(dir);
        }
        let output = command
            .output()
            .with_context(|| format!("cannot start {}", self.path.display()))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let said = said.trim().trim_start_matches("error: ");
            let error = if said.is_empty() {
                anyhow!("the data cannot be checked: {}", output.status)
            } else {
                anyhow!("{said}")
            };
            return Err(Stop::BadInput(error));
        }
        /// What `kindling data` prints; the counts are for people.
        #[derive(Deserialize)]
        struct Data {
            fingerprint: String,
        }
        let data: Data = serde_json::from_slice(&output.stdout)
            .context("`kindling data` printed no fingerprint")?;
        Ok(data.fingerprint)
    }
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

/// Copies the binary to a place of its backend's own, so that a later build
/// with another backend takes nothing from a running matrix.
fn keep(built: &Path, backend: &str) -> anyhow::Result<PathBuf> {
    let target = built.parent().and_then(Path::parent).context("no folder")?;
    let folder = target.join("kindling").join(backend);
    let kept = folder.join(built.file_name().context("no name")?);
    let written = built.metadata()?;
    let same = kept.metadata().is_ok_and(|kept| {
        kept.len() == written.len() && kept.modified().ok() == written.modified().ok()
    });
    if same {
        return Ok(kept);
    }
    std::fs::create_dir_all(&folder)?;
    let copy = tempfile::Builder::new()
        .prefix(".kindling-")
        .tempfile_in(&folder)?
        .into_temp_path();
    std::fs::copy(built, &copy)?; // its permissions too
    File::options()
        .write(true)
        .open(&copy)?
        .set_modified(written.modified()?)?;
    copy.persist(&kept)?;
    Ok(kept)
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
    fn a_changed_binary_is_copied_and_the_same_is_left() {
        let target = tempfile::tempdir().expect("a temporary folder");
        let built = target.path().join("release").join("kindling");
        std::fs::create_dir_all(built.parent().expect("a parent")).expect("makes");
        std::fs::write(&built, "one").expect("writes");
        let kept = keep(&built, "flex").expect("copies");
        assert_eq!(kept, target.path().join("kindling/flex/kindling"));
        // A mark that only a new copy would remove.
        std::fs::write(&kept, "ONE").expect("writes");
        let time = built.metadata().and_then(|data| data.modified());
        let file = File::options().write(true).open(&kept).expect("opens");
        file.set_modified(time.expect("a time")).expect("sets");
        keep(&built, "flex").expect("leaves");
        assert_eq!(std::fs::read(&kept).expect("reads"), b"ONE");
        std::fs::write(&built, "other").expect("writes");
        keep(&built, "flex").expect("copies");
        assert_eq!(std::fs::read(&kept).expect("reads"), b"other");
    }
}
