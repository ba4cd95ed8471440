//! Why a run has no result.

use std::path::PathBuf;

use kindling_datasets::DataError;
use kindling_formats::{Backend, DeviceName};

/// Why a run has no result.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The config, or a file of the run, is wrong or cannot be reached.
    #[error(transparent)]
    Files(#[from] kindling_formats::Error),
    /// The images cannot be had.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The device's backend is not in this build.
    #[error(
        "backend `{0}` is not compiled in; build kindling with `--features {0}`, \
         or use `cargo xtask ... --backend {0}`"
    )]
    NoBackend(Backend),
    /// There is no GPU for the backend, or none that it can reach.
    #[error("no GPU for {0}: {why}, or use `--backend flex`", why = remedy(*.0))]
    NoGpu(Backend),
    /// The backend has only so many devices.
    #[error(
        "there is no device {0}: {backend} has {1}, counted from {backend}:0; \
         `cargo xtask backends --backend {backend}` lists them",
        backend = .0.backend
    )]
    NoDevice(DeviceName, usize),
    /// The device cannot compute so.
    #[error("{0} cannot compute in mixed precision ({1}); leave out `--precision mixed`")]
    NoPrecision(DeviceName, String),
    /// Two devices were to take the steps of a cell without any.
    #[error("{0} takes no training steps, so two devices cannot be compared on it")]
    NoSteps(String),
    /// There is no such trained network.
    #[error("{0}")]
    BadModel(String),
    /// Another process trains there.
    #[error("{}: another process trains this run; wait for it, or stop it", .0.display())]
    Busy(PathBuf),
    /// What the environment says of the device is none.
    #[error("{0}")]
    Environment(String),
    /// The loss left the numbers.
    #[error("{0}; a smaller learning rate may help")]
    Diverged(String),
    /// Somebody stopped it after so many epochs of so many.
    #[error("stopped after {0} of {1} epochs; the same command goes on from there")]
    Stopped(usize, usize),
    /// Burn failed.
    #[error("training failed: {0}")]
    Training(String),
    /// Something else that should not have happened.
    #[error("{0}")]
    Other(String),
}

impl RunError {
    /// Whether the remedy lies with who called (exit code 2), not with the
    /// training (1).
    pub fn is_bad_input(&self) -> bool {
        matches!(
            self,
            RunError::Files(_)
                | RunError::Data(_)
                | RunError::NoBackend(_)
                | RunError::NoGpu(_)
                | RunError::NoDevice(..)
                | RunError::NoPrecision(..)
                | RunError::NoSteps(_)
                | RunError::BadModel(_)
                | RunError::Busy(_)
                | RunError::Environment(_)
        )
    }
}

/// Why a backend may find no GPU, and what to install.
fn remedy(backend: Backend) -> &'static str {
    match backend {
        Backend::Cuda => {
            "no NVIDIA driver answers, or none of its GPUs does; install the driver and the CUDA \
             toolkit"
        }
        _ => {
            "no driver for Vulkan, Metal or DirectX offers an adapter; install the GPU's driver \
             (mesa-vulkan-drivers computes slowly without a GPU)"
        }
    }
}
