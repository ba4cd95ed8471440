//! What computes: a backend, and which of its devices.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What computes: the Cargo features of the same names.
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
    /// All there are.
    pub const ALL: [Backend; 4] = [
        Backend::Flex,
        Backend::Ndarray,
        Backend::Wgpu,
        Backend::Cuda,
    ];

    /// Its name in configs, in `--backend`, and as a Cargo feature.
    pub fn name(self) -> &'static str {
        match self {
            Backend::Flex => "flex",
            Backend::Ndarray => "ndarray",
            Backend::Wgpu => "wgpu",
            Backend::Cuda => "cuda",
        }
    }

    /// Whether it computes on GPUs, of which a machine may have none or several.
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

/// How exactly a GPU multiplies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// In 32 bits, as a CPU does.
    #[default]
    Full,
    /// Numbers are kept in 32 bits, and multiplied in as few as the GPU likes
    /// (Burn's `Flex32`, whose products may be of 16).
    Mixed,
}

impl Precision {
    /// Its name in configs, and in `--precision`.
    pub fn name(self) -> &'static str {
        match self {
            Precision::Full => "full",
            Precision::Mixed => "mixed",
        }
    }

    /// Why `backend` cannot compute so, if it cannot.
    pub(crate) fn problem_on(self, backend: Backend) -> Option<String> {
        (self == Precision::Mixed && !backend.is_for_gpus())
            .then(|| format!("{backend} computes in full precision alone; use wgpu or cuda"))
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

/// A device: `flex`, `wgpu`, or `wgpu:1` for the second of several GPUs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceName {
    /// The backend it belongs to.
    pub backend: Backend,
    /// Which of the backend's devices, from 0; `None`: the one it likes best.
    pub index: Option<usize>,
}

impl DeviceName {
    /// The environment variable in which Burn looks for a backend's name, and we
    /// for a device's.
    pub const VARIABLE: &'static str = "BURN_DEVICE";

    /// What [`DeviceName::VARIABLE`] says, if it is set to anything.
    ///
    /// # Errors
    ///
    /// If that is no device.
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
                "{backend} has one device, the CPU; say `{backend}`"
            ));
        }
        match index.parse() {
            Ok(index) => Ok(Self {
                backend,
                index: Some(index),
            }),
            Err(_) => Err(format!(
                "`{index}` is no number of a device; `cargo xtask backends` lists them, from \
                 {backend}:0"
            )),
        }
    }
}

/// A device as `kindling devices` finds it, and how fast it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceReport {
    /// What `--device` calls it.
    pub device: String,
    /// What it calls itself: the processor's or the adapter's name.
    pub name: String,
    /// A product of two matrices of 1024x1024 numbers, in GFlop/s; `None` if it
    /// failed.
    pub product: Option<f64>,
    /// The smallest operation, from the call to the number read back, in
    /// microseconds.
    pub latency: Option<f64>,
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
            ("flex:0", "say `flex`"),
            ("wgpu:first", "`first` is no number"),
            ("wgpu:", "is no number"),
            ("", "there is no backend ``"),
        ] {
            let error = text.parse::<DeviceName>().expect_err(text);
            assert!(error.contains(words), "{error}");
        }
    }
}
