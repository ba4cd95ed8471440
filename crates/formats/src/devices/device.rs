//! Backends, devices, and the precision of the computation.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A backend of Burn. The Cargo feature that builds it has the same name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    /// burn-flex on the CPU, the default.
    #[default]
    Flex,
    /// burn-ndarray on the CPU.
    Ndarray,
    /// burn-wgpu on a GPU, by Vulkan, Metal or DirectX.
    Wgpu,
    /// burn-cuda on an NVIDIA GPU.
    Cuda,
}

impl Backend {
    /// All backends.
    pub const ALL: [Backend; 4] = [
        Backend::Flex,
        Backend::Ndarray,
        Backend::Wgpu,
        Backend::Cuda,
    ];

    /// The name of the backend in configs, in `--backend`, and as a Cargo feature.
    pub fn name(self) -> &'static str {
        match self {
            Backend::Flex => "flex",
            Backend::Ndarray => "ndarray",
            Backend::Wgpu => "wgpu",
            Backend::Cuda => "cuda",
        }
    }

    /// Whether the backend computes on GPUs. A machine may have no GPU, or several.
    pub fn is_for_gpus(self) -> bool {
        matches!(self, Backend::Wgpu | Backend::Cuda)
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Backend {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|backend| backend.name() == text)
            .ok_or_else(|| {
                format!(
                    "there is no backend `{text}`; use {}",
                    Self::ALL.map(Self::name).join(", ")
                )
            })
    }
}

/// The precision in which a backend computes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// Numbers are stored and multiplied in 32 bits, as on a CPU.
    #[default]
    Full,
    /// Numbers are stored in 32 bits, and a GPU may multiply them in 16 (Burn's `Flex32`).
    Mixed,
}

impl Precision {
    /// The name of the precision in configs, and in `--precision`.
    pub fn name(self) -> &'static str {
        match self {
            Precision::Full => "full",
            Precision::Mixed => "mixed",
        }
    }

    /// Why `backend` cannot compute in this precision; `None` if it can.
    pub(crate) fn problem_on(self, backend: Backend) -> Option<String> {
        (self == Precision::Mixed && !backend.is_for_gpus())
            .then(|| format!("{backend} computes only in full precision; use wgpu or cuda"))
    }
}

impl FromStr for Precision {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Full, Self::Mixed]
            .into_iter()
            .find(|precision| precision.name() == text)
            .ok_or_else(|| format!("there is no precision `{text}`; use full or mixed"))
    }
}

/// The name of a device: `flex`, `wgpu`, or `wgpu:1` for the second of several GPUs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceName {
    /// The backend of the device.
    pub backend: Backend,
    /// The index of the device in the backend's list of devices, from 0. `None`: the backend
    /// chooses.
    pub index: Option<usize>,
}

impl DeviceName {
    /// The environment variable that names a device. Burn itself also reads it.
    pub const VARIABLE: &'static str = "BURN_DEVICE";

    /// The device that [`DeviceName::VARIABLE`] names; `None` if the variable is not set, or is
    /// empty.
    ///
    /// # Errors
    ///
    /// If the variable does not name a device.
    pub fn from_environment() -> Result<Option<Self>, String> {
        match std::env::var(Self::VARIABLE) {
            Ok(text) if !text.is_empty() => text
                .parse()
                .map(Some)
                .map_err(|error| format!("{}={text}: {error}", Self::VARIABLE)),
            _ => Ok(None),
        }
    }
}

impl From<Backend> for DeviceName {
    fn from(backend: Backend) -> Self {
        Self {
            backend,
            index: None,
        }
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.index {
            None => write!(f, "{}", self.backend),
            Some(index) => write!(f, "{}:{index}", self.backend),
        }
    }
}

impl FromStr for DeviceName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((backend, index)) = text.split_once(':') else {
            return text.parse().map(|backend: Backend| backend.into());
        };
        let backend: Backend = backend.parse()?;
        if !backend.is_for_gpus() {
            return Err(format!(
                "{backend} has one device, the CPU; use `{backend}`"
            ));
        }
        match index.parse() {
            Ok(index) => Ok(Self {
                backend,
                index: Some(index),
            }),
            Err(_) => Err(format!(
                "`{index}` is not the index of a device; `cargo xtask backends` lists the devices, \
                 from {backend}:0 on"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_read_as_it_is_written() {
        for text in ["flex", "ndarray", "wgpu", "wgpu:0", "cuda:3"] {
            let device: DeviceName = text.parse().expect("a device");
            assert_eq!(device.to_string(), text);
        }
        for (text, words) in [
            ("gpu", "use flex, ndarray, wgpu, cuda"),
            ("flex:0", "use `flex`"),
            ("wgpu:first", "`first` is not the index"),
            ("wgpu:", "is not the index"),
            ("", "there is no backend ``"),
        ] {
            let error = text.parse::<DeviceName>().expect_err(text);
            assert!(error.contains(words), "{error}");
        }
    }
}
