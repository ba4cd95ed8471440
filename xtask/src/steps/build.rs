//! Builds the training program.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, anyhow, bail};
use kindling_formats::{Backend, DeviceName};
use kindling_runner::{TrainingProgram, keep_program};
use serde::Deserialize;

use super::workspace;
use crate::cli::Extra;
use crate::ui::output;

/// The environment variable with the path of a training program. If it is set, nothing is
/// built. Tests set it to the path of a script.
pub const PROGRAM: &str = "KINDLING_BIN";

/// The backends and features that the training program is built with, and the devices on which
/// it is used.
#[derive(Debug, Clone, PartialEq)]
pub struct Build {
    /// The backends that the program contains.
    pub backends: Vec<Backend>,
    /// The devices. The first one trains, unless devices are compared.
    pub devices: Vec<DeviceName>,
    /// Additional features of GPU backends.
    pub extras: Vec<Extra>,
}

impl Build {
    /// A build with `backends`. Its devices are the default devices of these backends.
    pub fn with(backends: &[Backend], extras: &[Extra]) -> Self {
        Self {
            backends: backends.to_vec(),
            devices: backends.iter().map(|&backend| backend.into()).collect(),
            extras: extras.to_vec(),
        }
    }

    /// The device that trains.
    pub fn device(&self) -> DeviceName {
        let first = self.devices.first().copied();
        first.unwrap_or(Backend::Flex.into())
    }

    /// The Cargo features of this build.
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

/// Builds the training program. Cargo shows its own progress on standard error.
///
/// # Errors
///
/// If the program does not build, or cannot be copied.
pub fn build_program(build: &Build) -> anyhow::Result<TrainingProgram> {
    // The revision is read before cargo reads the source files. A file that changes during the
    // build makes the next call build again.
    let revision = workspace::revision();
    let path = match std::env::var_os(PROGRAM) {
        Some(path) => path.into(),
        None => build_with_cargo(build)?,
    };
    Ok(TrainingProgram {
        path,
        revision,
        device: build.device(),
        tensorboard: true,
        working_folder: workspace::root().to_path_buf(),
    })
}

/// Builds the program as [`build_program`] does, but with the profile `gate` of Cargo.toml, which
/// compiles in half the time. The program is slow. Returns its path.
///
/// # Errors
///
/// If the program does not build.
pub fn build_slow_program(build: &Build) -> anyhow::Result<PathBuf> {
    match std::env::var_os(PROGRAM) {
        Some(path) => Ok(path.into()),
        None => cargo_build(build, "gate"),
    }
}

/// Builds the program with cargo. Returns the path of a copy that a later build keeps.
fn build_with_cargo(build: &Build) -> anyhow::Result<PathBuf> {
    let built = cargo_build(build, "release")?;
    let target = built.parent().and_then(Path::parent);
    let target = target.context("the executable is not in a target folder")?;
    let folder = target.join("kindling").join(build.features().join(","));
    Ok(keep_program(&built, &folder)?)
}

/// Builds the program with a profile of Cargo.toml. Returns the path where cargo puts it.
fn cargo_build(build: &Build, profile: &str) -> anyhow::Result<PathBuf> {
    let features = build.features().join(",");
    // The default backend needs no flags. Without flags, cargo reuses what a test of the whole
    // workspace has built.
    let flags: &[&str] = match build.backends.as_slice() {
        [Backend::Flex] => &[],
        _ => &["--no-default-features", "--features", &features],
    };
    output::note(format_args!("building kindling with {features}"));
    let output = Command::new(cargo())
        .args(["build", "--profile", profile, "--package", "kindling"])
        .args(flags)
        .arg("--message-format=json-render-diagnostics")
        .args(output::is_quiet().then_some("--quiet"))
        .current_dir(workspace::root())
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start cargo")?;
    if !output.status.success() {
        bail!("kindling does not build with {features}; the lines above say why");
    }
    executable(&String::from_utf8_lossy(&output.stdout), "kindling")
        .ok_or_else(|| anyhow!("cargo built kindling but did not print its path"))
}

/// The path of the cargo that runs this program, or `cargo`, which is searched for in `PATH`.
pub fn cargo() -> std::ffi::OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// The path of the executable `name` in cargo's messages. The messages are needed because
/// several settings of cargo can move the target folder.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_an_executable_is_read_from_the_messages_of_cargo() {
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
}
