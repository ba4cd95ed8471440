//! Turns the flags of a command into a [`Request`]: the study, a selection of its runs, the
//! build of the training program, and the output folder.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use kindling_formats::{
    Backend, DeviceName, Precision, RunConfig, Selection, Setting, Size, Study,
};
use kindling_runner::slurm::SlurmOptions;

use super::build::Build;
use super::workspace;
use crate::cli::{Changes, Compared, Executor, Extra, Folders, MatrixFlags, Training};
use crate::error::CommandError;

/// The key that `--data` sets.
const DATA_DIR: &str = "data.dir";

/// The study, runs, build and output folder of a command.
#[derive(Debug)]
pub struct Request {
    /// The study.
    pub study: Study,
    /// The selected runs, and how they differ from the study's configs. By default these are
    /// all cells with the study's number of seeds.
    pub selection: Selection,
    /// The backends and features of the training program, and the devices.
    pub build: Build,
    /// The output folder.
    pub out: PathBuf,
}

impl Request {
    /// The request of a command that trains runs of a size on one device.
    ///
    /// # Errors
    ///
    /// If a config is wrong, if a folder of images is missing or named twice, or if the program
    /// does not contain the backend of the device.
    pub fn training(
        training: &Training,
        size: Size,
        folders: &Folders,
    ) -> Result<Self, CommandError> {
        let study = workspace::study(folders)?;
        let device = match training.device {
            Some(device) => Some(device),
            None => DeviceName::from_environment().map_err(CommandError::bad_input)?,
        };
        let first = training.build.backend.first().copied();
        let device = device.unwrap_or(first.unwrap_or(Backend::Flex).into());
        let extras = &training.build.extras.with;
        let build = build(&training.build.backend, vec![device], extras)?;
        let selection = selection(&training.changes, size, device, training.precision)?;
        Ok(Self {
            study,
            selection,
            build,
            out: workspace::out(folders)?,
        })
    }

    /// The request of a command that compares devices. Its selection is for the first device.
    ///
    /// # Errors
    ///
    /// As [`Request::training`], and if there are fewer than two devices.
    pub fn comparison(
        compared: &Compared,
        changes: &Changes,
        size: Size,
        precision: Precision,
        folders: &Folders,
    ) -> Result<Self, CommandError> {
        let backends = if compared.backend.is_empty() && compared.device.is_empty() {
            vec![Backend::Flex, Backend::Ndarray]
        } else {
            compared.backend.clone()
        };
        let devices: Vec<DeviceName> = if compared.device.is_empty() {
            backends.iter().map(|&backend| backend.into()).collect()
        } else {
            compared.device.clone()
        };
        match devices.as_slice() {
            [first, others @ ..] if !others.is_empty() && !others.contains(first) => {}
            _ => {
                return Err(CommandError::bad_input(
                    "name two backends or more to compare, as in --backend flex,ndarray",
                ));
            }
        }
        let build = build(&backends, devices, &compared.extras.with)?;
        let selection = selection(changes, size, build.device(), precision)?;
        Ok(Self {
            study: workspace::study(folders)?,
            selection,
            build,
            out: workspace::out(folders)?,
        })
    }

    /// The request of a command that trains more runs of a selection, on the selection's
    /// backend or on one GPU of it.
    ///
    /// # Errors
    ///
    /// If the device belongs to another backend.
    pub fn more_runs(
        study: Study,
        selection: Selection,
        device: Option<DeviceName>,
        extras: &[Extra],
        out: PathBuf,
    ) -> Result<Self, CommandError> {
        let device = device.unwrap_or(selection.backend.into());
        let build = build(&[selection.backend], vec![device], extras)?;
        Ok(Self {
            study,
            selection,
            build,
            out,
        })
    }

    /// The selection of the same runs on another device.
    pub fn selection_on(&self, device: DeviceName) -> Selection {
        Selection {
            backend: device.backend,
            ..self.selection.clone()
        }
    }

    /// The configs of the cells `names`, each with the seeds `seeds`.
    ///
    /// # Errors
    ///
    /// If there is no such cell, or a changed key is wrong.
    pub fn configs(
        &self,
        names: &[String],
        seeds: std::ops::Range<u64>,
        selection: &Selection,
    ) -> Result<Vec<RunConfig>, CommandError> {
        let mut configs = Vec::new();
        for name in names {
            let cell = self.study.cell(name).map_err(CommandError::input)?;
            for seed in seeds.clone() {
                let config = self.study.resolve(cell, seed, selection);
                configs.push(config.map_err(CommandError::input)?);
            }
        }
        Ok(configs)
    }
}

/// The cells that the user names, or else the default ones.
pub fn cells_or(named: &[String], default: &[&str]) -> Vec<String> {
    match named {
        [] => default.iter().map(ToString::to_string).collect(),
        named => named.to_vec(),
    }
}

/// The options for `sbatch`; `None` if the matrix trains on this machine.
///
/// # Errors
///
/// If an option is wrong, or is given without `--executor slurm`.
pub(super) fn slurm_options(flags: &MatrixFlags) -> Result<Option<SlurmOptions>, CommandError> {
    let runs = ("--slurm-args", flags.slurm_args.as_slice());
    let report = ("--slurm-report-args", flags.slurm_report_args.as_slice());
    if flags.executor == Executor::Slurm {
        return Ok(Some(SlurmOptions::parse(runs, report)?));
    }
    match [runs, report].iter().find(|(_, given)| !given.is_empty()) {
        None => Ok(None),
        Some((flag, _)) => Err(CommandError::bad_input(format!(
            "{flag} needs --executor slurm"
        ))),
    }
}

/// The selection of all runs of a size on a device, with the changes to the study's configs.
fn selection(
    changes: &Changes,
    size: Size,
    device: DeviceName,
    precision: Precision,
) -> Result<Selection, CommandError> {
    let is_data = |setting: &Setting| setting.key() == DATA_DIR;
    let (dirs, set): (Vec<_>, Vec<_>) = changes.set.iter().cloned().partition(is_data);
    let data = match (changes.data.as_deref(), dirs.as_slice()) {
        (named, []) => workspace::data("--data", named)?,
        (None, [one]) => workspace::data("--set data.dir", Some(Path::new(&one.text())))?,
        _ => {
            return Err(CommandError::bad_input(
                "--data and --set data.dir both name the folder of images; give only one of \
                 them, and only once",
            ));
        }
    };
    Ok(Selection {
        backend: device.backend,
        precision,
        data,
        set,
        ..Selection::own(size)
    })
}

/// A build with `backends`, or with the backends of `devices` if `backends` is empty.
fn build(
    backends: &[Backend],
    devices: Vec<DeviceName>,
    extras: &[Extra],
) -> Result<Build, CommandError> {
    let backends = match backends {
        [] => devices.iter().map(|device| device.backend).collect(),
        backends => backends.to_vec(),
    };
    let is_built_in = |device: &&DeviceName| backends.contains(&device.backend);
    if let Some(device) = devices.iter().find(|device| !is_built_in(device)) {
        let names: Vec<&str> = backends.iter().map(|backend| backend.name()).collect();
        return Err(CommandError::input(anyhow!(
            "device {device} needs the backend {}, and --backend {} does not have it; add it, or \
             leave out one of the two flags",
            device.backend,
            names.join(",")
        )));
    }
    Ok(Build {
        backends,
        devices,
        extras: extras.to_vec(),
    })
}
