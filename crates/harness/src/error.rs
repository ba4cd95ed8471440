//! The error type of this crate.

use std::path::PathBuf;

use kindling_datasets::DataError;
use kindling_formats::{Backend, DeviceName};

/// Why a run has no result.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The config or another file of the run is wrong, or cannot be read or written.
    #[error(transparent)]
    Files(#[from] kindling_formats::Error),
    /// The images cannot be loaded.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The backend is not compiled into this program.
    #[error(
        "backend `{0}` is not compiled in; build kindling with `--features {0}`, \
         or use `cargo xtask ... --backend {0}`"
    )]
    NoBackend(Backend),
    /// The backend finds no GPU.
    #[error("no GPU for {0}: {remedy}, or use `--backend flex`", remedy = gpu_remedy(*.0))]
    NoGpu(Backend),
    /// The backend has no device with this index. The number is the count of its devices.
    #[error(
        "there is no device {0}: {backend} has {1}, counted from {backend}:0; \
         `cargo xtask backends --backend {backend}` lists them",
        backend = .0.backend
    )]
    NoDevice(DeviceName, usize),
    /// The device does not support mixed precision. The text is Burn's reason.
    #[error("{0} cannot compute in mixed precision ({1}); leave out `--precision mixed`")]
    NoPrecision(DeviceName, String),
    /// Two devices cannot be compared on a cell (the text) without training steps.
    #[error("{0} takes no training steps, so two devices cannot be compared on it")]
    NoSteps(String),
    /// There is no trained network, or the command needs a network of another kind.
    #[error("{0}")]
    BadModel(String),
    /// Another process is training the run in this folder.
    #[error("{}: another process is training this run; wait until it ends, or stop it", .0.display())]
    Busy(PathBuf),
    /// The value of an environment variable is not the name of a device.
    #[error("{0}")]
    Environment(String),
    /// The loss became NaN or infinite.
    #[error("{0}; a smaller learning rate may help")]
    Diverged(String),
    /// The user stopped the training. The numbers are the finished epochs and all epochs.
    #[error("stopped after {0} of {1} epochs; the same command resumes the training")]
    Stopped(usize, usize),
    /// burn-train or the device failed.
    #[error("training failed: {0}")]
    Training(String),
    /// Any other error.
    #[error("{0}")]
    Other(String),
}

impl RunError {
    /// Whether the input of the user is wrong (exit code 2). If not, the training failed (exit
    /// code 1).
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

/// Why the backend may find no GPU, and what to install.
fn gpu_remedy(backend: Backend) -> &'static str {
    match backend {
        Backend::Cuda => {
            "the NVIDIA driver does not answer or finds no GPU; install the driver and the CUDA \
             toolkit"
        }
        _ => {
            "no driver for Vulkan, Metal or DirectX offers an adapter; install the GPU's driver \
             (mesa-vulkan-drivers computes slowly without a GPU)"
        }
    }
}
